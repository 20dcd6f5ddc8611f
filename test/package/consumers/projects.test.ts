import { copyFile, cp, mkdir, readFile, symlink, writeFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { join } from "node:path";
import { execPath } from "node:process";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { build, version as esbuild } from "esbuild";
import ts from "typescript";
import { expect, inject, test } from "vitest";
import { cached, run } from "../../../scripts/npm.js";
import { expectInGuide, runProgram } from "../journey.js";
import { tsc } from "../tsc.js";
import { examplesIn } from "../../support/examples.js";
import { keptByNext } from "./next.js";
import { gitRepository } from "../../support/repository.js";

// `npm run test:consumers`: kinds of projects that the package must work in, each set up with it.

const project = inject("project");
const commonJs = join(project, "commonjs");
const [jest, tsJest, webpack, npm, pnpm, bunTypes] = ["30.5.2", "29.4.15", "5.112.2", "11.19.1", "12.21.0", "1.4.5"];
const nest = "12.5.1";

const listed: string[][] = [];

/** A test that is a row of the guide's table. */
function works(title: string, version: string, work: () => Promise<void>): void {
  listed.push([title, version]);
  test(`${title} ${version}`, work);
}

works("Jest, CommonJS", jest, async () => {
  const files = { absWorkingDir: commonJs, entryPoints: ["jest.test.ts"], outfile: "jest.test.js" };
  await build({ ...files, format: "cjs" });
  await runJest("jest.test.js");
});

works("Jest with ts-jest's defaults", tsJest, async () => {
  await mkdir(join(commonJs, "node_modules"));
  await symlink(join(await jestModules(), "ts-jest"), join(commonJs, "node_modules", "ts-jest"));
  await runJest("--preset", "ts-jest", "jest.test.ts");
});

works("NestJS's `tsconfig` (`commonjs`, `node10`), TypeScript", ts.version, async () => {
  const compiler = join(await jestModules(), "typescript", "bin", "tsc");
  await run(execPath, [compiler, "-p", "tsconfig.nest.json"], { cwd: commonJs });
  await runProgram([execPath], "out/nest.js", commonJs);
});

works("NestJS, ES modules", nest, async () => {
  const names = ["common", "core", "platform-express"].map((name) => `@nestjs/${name}@${nest}`);
  const modules = await cached(...names, "reflect-metadata@0.2.2", "rxjs@7.8.2");
  const folder = join(project, "nest");
  await cp(fileURLToPath(new URL("nest/", import.meta.url)), folder, { recursive: true });
  await symlink(modules, join(folder, "node_modules"));
  await run(execPath, [join(await jestModules(), "typescript", "bin", "tsc"), "-p", folder]);
  const { stdout } = await run(execPath, ["main.js", JSON.stringify(inject("setting"))], { cwd: folder });
  // Nest hides errors that are not its own.
  expect(stdout).toBe('200 token\n500 {"statusCode":500,"message":"Internal server error"}\n');
});

works("webpack to CommonJS", webpack, async () => {
  const require = createRequire(join(await cached(`webpack@${webpack}`), "webpack", "package.json"));
  const bundle = promisify(
    require("webpack") as (options: object, done: (error: unknown, stats: Stats) => void) => void,
  );
  const output = { path: project, filename: "webpack.cjs", library: { type: "commonjs2" } };
  const stats = await bundle({ mode: "production", target: "node", context: project, entry: "./program.js", output });
  expect(stats.hasErrors() || stats.hasWarnings(), stats.toString()).toBe(false);
  await runProgram([execPath], "webpack.cjs");
});

works("esbuild to CommonJS", esbuild, async () => {
  const files = { absWorkingDir: project, entryPoints: ["program.js"], outfile: "esbuild.cjs" };
  await build({ ...files, bundle: true, platform: "node", format: "cjs" });
  await runProgram([execPath], "esbuild.cjs");
});

works("npm from a git URL", npm, async () => {
  const { folder, url } = await gitProject("npm");
  const program = join(await cached(`npm@${npm}`), "npm", "bin", "npm-cli.js");
  await run(execPath, [program, "install", "--no-audit", "--no-fund", url], { cwd: folder });
  await runProgram([execPath], "program.cjs", folder);
});

works("pnpm from a git URL, with `allowBuilds`", pnpm, async () => {
  const { folder, url, commit } = await gitProject("pnpm");
  const workspace = JSON.stringify({ allowBuilds: { [`cybrid-customer-tokens@${url}#${commit}`]: true } });
  await writeFile(join(folder, "pnpm-workspace.yaml"), workspace);
  await runPnpm(folder, "add", url);
  await runProgram([execPath], "program.cjs", folder);
});

works("pnpm, a package that exports `cybrid.api` with `declaration`", pnpm, async () => {
  const folder = await newProject("pnpm-declarations");
  await runPnpm(folder, "add", inject("tarball"));
  await copyFile(join(project, "api.ts"), join(folder, "api.ts"));
  const compilerOptions = { declaration: true, module: "nodenext", types: [], lib: ["es2022", "dom"] };
  expect(await tsc(folder, ts.version, { files: ["api.ts"], compilerOptions })).toBe("");
});

works("The guides' examples with `@types/bun`", bunTypes, async () => {
  const typeRoots = [join(await cached(`@types/bun@${bunTypes}`), "@types")];
  const pages = ["README.md", "docs/runtimes.md"].map((name) => new URL(`../../../${name}`, import.meta.url));
  const texts = await Promise.all(pages.map((page) => readFile(page, "utf8")));
  // Those that are complete, and need no other package.
  const examples = texts
    .flatMap(examplesIn)
    .filter((code) => code.includes("const cybrid") && !code.includes("undici"));
  expect(examples.filter((code) => code.includes("async fetch("))).toHaveLength(1);
  const files = examples.map((_, index) => `example-${index}.ts`);
  for (const [index, code] of examples.entries()) await writeFile(join(project, `example-${index}.ts`), code);
  const compilerOptions = {
    noEmit: true,
    module: "nodenext",
    lib: ["esnext"],
    typeRoots,
    types: ["bun"],
    skipLibCheck: true,
  };
  expect(await tsc(project, ts.version, { files, compilerOptions })).toBe("");
});

for (const [next, react] of [
  ["14.2.35", "18.3.1"],
  ["15.5.29", "19.3.1"],
  ["16.4.6", "19.3.1"],
] as const) {
  works("Next.js, App Router", next, async () => {
    const modules = await cached(`next@${next}`, `react@${react}`, `react-dom@${react}`);
    // The search finds what Next keeps of a `fetch` without `no-store`, if `fetchCache` overrides it, and of a page that it
    // takes for static.
    expect(await keptByNext(modules, `next-${next}`)).toEqual(["raw-fetch", "forced-cache", "warm-cache"]);
  });
}

test("the guide lists these projects", () => {
  expectInGuide([["Project", "Version"], ...listed]);
});

interface Stats {
  hasErrors(): boolean;
  hasWarnings(): boolean;
}

/** Makes a folder for a CommonJS project, next to the one that has the package. */
async function newProject(name: string): Promise<string> {
  const folder = join(project, "..", name);
  await mkdir(folder);
  await writeFile(join(folder, "package.json"), "{}");
  return folder;
}

/** A project without the package, and a git repository with this state of it. */
async function gitProject(name: string) {
  const { url, commit } = await gitRepository(join(project, "..", `${name}-repository`));
  const folder = await newProject(name);
  await copyFile(join(project, "program.cjs"), join(folder, "program.cjs"));
  return { folder, commit, url: `git+${url}` };
}

const jestModules = () => cached(`jest@${jest}`, `ts-jest@${tsJest}`, `typescript@${ts.version}`);

async function runJest(...args: string[]): Promise<void> {
  await run(execPath, [join(await jestModules(), "jest", "bin", "jest.js"), "--ci", ...args], { cwd: commonJs });
}

async function runPnpm(folder: string, ...args: string[]): Promise<void> {
  const program = join(await cached(`pnpm@${pnpm}`), "pnpm", "bin", "pnpm.mjs");
  await run(execPath, [program, ...args], { cwd: folder });
}
