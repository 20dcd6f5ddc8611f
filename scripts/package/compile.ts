import { copyFile, mkdir, readFile, symlink, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { execPath } from "node:process";
import { fileURLToPath } from "node:url";
import { run } from "./npm.js";

const root = fileURLToPath(new URL("../../", import.meta.url));
const programs = join(root, "test", "package", "consumer");

/** Every way in which TypeScript finds packages. `node10` is what projects that compile to CommonJS often still have. */
export const resolutions = ["bundler", "node16", "nodenext", "node10"] as const;

/** One way to set up TypeScript. */
export interface Setup {
  moduleResolution: (typeof resolutions)[number];
  /** Where the platform's types come from. Without any, openapi-fetch's declarations need `skipLibCheck`. */
  platform: "dom" | "node" | "none";
}

/** Every way that must do. What compiles without `skipLibCheck` compiles with it. */
export const setups: readonly Setup[] = resolutions.flatMap((moduleResolution) =>
  (["dom", "node", "none"] as const).map((platform) => ({ moduleResolution, platform })),
);

/** Puts the programs of `test/package/consumer`, and Node's types, into a project that has the package installed. */
export async function addPrograms(project: string): Promise<void> {
  for (const name of ["journey.ts", "types.ts", "platform.ts", "emulator.ts", "require.cts"]) {
    await copyFile(join(programs, name), join(project, name));
  }
  const types = join("node_modules", "@types", "node");
  await mkdir(dirname(join(project, types)), { recursive: true });
  await symlink(join(root, types), join(project, types));
}

/** Whether a version of TypeScript has a way to find packages: 7 has no `node10` any more. */
export function knows(version: string, { moduleResolution }: Setup): boolean {
  return moduleResolution !== "node10" || Number.parseInt(version) < 7;
}

/**
 * Compiles the programs of a project.
 *
 * @param typescript The folder of the `typescript` package
 * @returns what the compiler has against them, empty if nothing
 */
export async function compile(project: string, typescript: string, setup: Setup): Promise<string> {
  const { version } = JSON.parse(await readFile(join(typescript, "package.json"), "utf8")) as { version: string };
  const { moduleResolution, platform } = setup;
  const files = ["journey.ts", "types.ts"];
  if (platform !== "none") files.push("platform.ts");
  if (platform === "node") files.push("emulator.ts");
  if (moduleResolution !== "bundler") files.push("require.cts");
  const config = join(project, `tsconfig.${[version, ...Object.values(setup)].join("-")}.json`);
  const compilerOptions = {
    strict: true,
    exactOptionalPropertyTypes: true,
    noEmit: true,
    target: "es2022",
    module: { bundler: "esnext", node16: "node16", nodenext: "nodenext", node10: "commonjs" }[moduleResolution],
    moduleResolution,
    ...(version.startsWith("6.") && moduleResolution === "node10" ? { ignoreDeprecations: "6.0" } : {}),
    skipLibCheck: platform === "none",
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
