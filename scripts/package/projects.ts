import { strict as assert } from "node:assert";
import { copyFile, mkdir, readFile, symlink, writeFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { join } from "node:path";
import { execPath } from "node:process";
import { fileURLToPath, pathToFileURL } from "node:url";
import { promisify } from "node:util";
import { build, transform, version as esbuild } from "esbuild";
import { type Consumer, expected, journeyInProcess } from "./journey.js";
import { cached, copyRepository, run } from "./npm.js";

/** A kind of project that the package must work in. */
export interface Project {
  title: string;
  version: string;
  /** Sets one up, with the package and programs in it, and runs these; rejects where something is not as it must be. */
  run(consumer: Consumer): Promise<void>;
}

const programs = fileURLToPath(new URL("../../test/package/consumer/", import.meta.url));
const [jest, tsJest, typescript, webpack, npm, pnpm] = ["30.5.2", "29.4.15", "5.9.3", "5.112.2", "11.19.1", "12.21.0"];

export const projects: readonly Project[] = [
  {
    title: "Jest, CommonJS",
    version: jest,
    async run(consumer) {
      const folder = await commonJs(consumer, "jest", {});
      const test = await readFile(join(programs, "jest.test.ts"), "utf8");
      const { code } = await transform(test, { loader: "ts", format: "cjs" });
      await writeFile(join(folder, "jest.test.js"), code);
      await runJest(folder);
    },
  },
  {
    title: "Jest with ts-jest's defaults",
    version: tsJest,
    async run(consumer) {
      const folder = await commonJs(consumer, "ts-jest", { jest: { preset: "ts-jest" } }, ["jest.test.ts"]);
      await mkdir(join(folder, "node_modules"));
      await symlink(join(await jestModules(), "ts-jest"), join(folder, "node_modules", "ts-jest"));
      await runJest(folder);
    },
  },
  {
    title: "NestJS's `tsconfig` (`commonjs`, `node10`), TypeScript",
    version: typescript,
    async run(consumer) {
      const folder = await commonJs(consumer, "nest", {}, ["nest.ts", "journey.ts"]);
      await writeFile(join(folder, "tsconfig.json"), JSON.stringify({ compilerOptions: nestOptions }));
      await run(execPath, [join(await cached(`typescript@${typescript}`), "typescript", "bin", "tsc"), "-p", folder]);
      await check({ ...consumer, folder }, "out/nest.js");
    },
  },
  {
    title: "webpack to CommonJS",
    version: webpack,
    async run(consumer) {
      const require = createRequire(join(await cached(`webpack@${webpack}`), "webpack", "package.json"));
      const bundle = promisify(
        require("webpack") as (options: object, done: (error: unknown, stats: Stats) => void) => void,
      );
      const { folder } = consumer;
      const output = { path: folder, filename: "webpack.cjs", library: { type: "commonjs2" } };
      const stats = await bundle({
        mode: "production",
        target: "node",
        context: folder,
        entry: "./program.js",
        output,
      });
      assert(!stats.hasErrors() && !stats.hasWarnings(), stats.toString());
      await check(consumer, "webpack.cjs");
    },
  },
  {
    title: "esbuild to CommonJS",
    version: esbuild,
    async run(consumer) {
      const options = { absWorkingDir: consumer.folder, entryPoints: ["program.js"], outfile: "esbuild.cjs" };
      await build({ ...options, bundle: true, platform: "node", format: "cjs" });
      await check(consumer, "esbuild.cjs");
    },
  },
  {
    title: "npm from a git URL",
    version: npm,
    async run(consumer) {
      const { folder, url } = await gitProject(consumer, "npm");
      const program = join(await cached(`npm@${npm}`), "npm", "bin", "npm-cli.js");
      await run(execPath, [program, "install", "--no-audit", "--no-fund", url], { cwd: folder });
      await check({ ...consumer, folder }, "program.cjs");
    },
  },
  {
    title: "pnpm from a git URL, with `allowBuilds`",
    version: pnpm,
    async run(consumer) {
      const { folder, url, commit } = await gitProject(consumer, "pnpm");
      const workspace = JSON.stringify({ allowBuilds: { [`cybrid-customer-tokens@${url}#${commit}`]: true } });
      await writeFile(join(folder, "pnpm-workspace.yaml"), workspace);
      const program = join(await cached(`pnpm@${pnpm}`), "pnpm", "bin", "pnpm.mjs");
      await run(execPath, [program, "add", url], { cwd: folder });
      await check({ ...consumer, folder }, "program.cjs");
    },
  },
];

/** A project without the package, and a git repository with this state of it. */
async function gitProject(consumer: Consumer, name: string) {
  const outside = join(consumer.folder, "..");
  const repository = join(outside, `${name}-repository`);
  await copyRepository(repository);
  const git = (...args: string[]) =>
    run("git", ["-c", "user.name=a", "-c", "user.email=a@example.org", ...args], { cwd: repository });
  await git("init", "--quiet");
  await git("add", ".");
  await git("commit", "--quiet", "--message", "The package");
  const commit = (await git("rev-parse", "HEAD")).stdout.trim();
  // Not within the consumer's folder, whose package it would find.
  const folder = await commonJs({ folder: outside }, name, {});
  for (const file of ["program.cjs", "journey.cjs"]) await copyFile(join(consumer.folder, file), join(folder, file));
  return { folder, commit, url: `git+${pathToFileURL(repository).href}` };
}

interface Stats {
  hasErrors(): boolean;
  hasWarnings(): boolean;
}

/** What Nest's command line writes for a new project, as far as it matters to packages. */
const nestOptions = {
  module: "commonjs",
  declaration: true,
  removeComments: true,
  emitDecoratorMetadata: true,
  experimentalDecorators: true,
  allowSyntheticDefaultImports: true,
  target: "es2021",
  sourceMap: true,
  outDir: "./out",
  baseUrl: "./",
  incremental: true,
  strict: true,
};

/** Makes a project of its own within a consumer's, with files of `test/package/consumer`; its JavaScript is CommonJS. */
async function commonJs(
  { folder }: Pick<Consumer, "folder">,
  name: string,
  manifest: object,
  files: readonly string[] = [],
) {
  const project = join(folder, name);
  await mkdir(project);
  await writeFile(join(project, "package.json"), JSON.stringify(manifest));
  for (const file of files) await copyFile(join(programs, file), join(project, file));
  return project;
}

const jestModules = () => cached(`jest@${jest}`, `ts-jest@${tsJest}`, `typescript@${typescript}`);

async function runJest(folder: string): Promise<void> {
  await run(execPath, [join(await jestModules(), "jest", "bin", "jest.js"), "--ci"], { cwd: folder });
}

/** Asserts that a program's journey comes to what it must. */
async function check(consumer: Consumer, file: string): Promise<void> {
  const { outcomes } = await journeyInProcess([execPath], consumer, file);
  assert.deepEqual(outcomes, expected);
}
