import { copyFile, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { execPath } from "node:process";
import { fileURLToPath } from "node:url";
import { install, run } from "./npm.js";

const root = fileURLToPath(new URL("../../", import.meta.url));
const programs = join(root, "test", "package", "consumer");

/** One way to set up TypeScript. */
export interface Setup {
  moduleResolution: "bundler" | "node16" | "nodenext";
  skipLibCheck: boolean;
  /** Where the platform's types come from. */
  platform: "dom" | "node" | "none";
}

/** Every way that must do. Without any types of the platform, openapi-fetch's declarations need `skipLibCheck`. */
export const setups: readonly Setup[] = (["bundler", "node16", "nodenext"] as const).flatMap((moduleResolution) =>
  [true, false].flatMap((skipLibCheck) =>
    (["dom", "node", "none"] as const)
      .filter((platform) => platform !== "none" || skipLibCheck)
      .map((platform) => ({ moduleResolution, skipLibCheck, platform })),
  ),
);

/** Makes a project with the package and Node's types in it, and the programs of `test/package/consumer`. */
export async function createProject(tarball: string, folder: string): Promise<void> {
  const { devDependencies } = JSON.parse(await readFile(join(root, "package.json"), "utf8")) as {
    devDependencies: Record<string, string>;
  };
  await install(folder, [tarball, `@types/node@${devDependencies["@types/node"]}`]);
  for (const name of ["journey.ts", "types.ts", "platform.ts", "emulator.ts", "require.cts"]) {
    await copyFile(join(programs, name), join(folder, name));
  }
}

/** Whether a version of TypeScript knows that CommonJS may require ES modules: 5.8 and newer, by `nodenext`. */
export function canRequire(version: string, { moduleResolution }: Setup): boolean {
  const [major = 0, minor = 0] = version.split(".").map(Number);
  return moduleResolution === "nodenext" && (major > 5 || minor >= 8);
}

/**
 * Compiles the programs of a project.
 *
 * @param typescript The folder of the `typescript` package
 * @returns what the compiler has against them, empty if nothing
 */
export async function compile(project: string, typescript: string, setup: Setup): Promise<string> {
  const { version } = JSON.parse(await readFile(join(typescript, "package.json"), "utf8")) as { version: string };
  const { moduleResolution, skipLibCheck, platform } = setup;
  const files = ["journey.ts", "types.ts"];
  if (platform !== "none") files.push("platform.ts");
  if (platform === "node") files.push("emulator.ts");
  if (canRequire(version, setup)) files.push("require.cts");
  const config = join(project, `tsconfig.${[version, ...Object.values(setup)].join("-")}.json`);
  const compilerOptions = {
    strict: true,
    exactOptionalPropertyTypes: true,
    noEmit: true,
    target: "es2022",
    module: moduleResolution === "bundler" ? "esnext" : moduleResolution,
    moduleResolution,
    skipLibCheck,
    // The compiler's own library is not what is looked at, and takes most of the time.
    skipDefaultLibCheck: true,
    lib: ["es2022", ...(platform === "dom" ? ["dom"] : [])],
    types: platform === "node" ? ["node"] : [],
  };
  await writeFile(config, JSON.stringify({ compilerOptions, files }));
  try {
    await run(execPath, [join(typescript, "bin", "tsc"), "-p", config], { cwd: project });
    return "";
  } catch (error) {
    const { stdout = "", stderr = "" } = error as { stdout?: string; stderr?: string };
    return `${stdout}${stderr}`.trim() || String(error);
  }
}
