import { type ExecFileException, type ExecFileOptions, execFile } from "node:child_process";
import { existsSync } from "node:fs";
import { mkdir, rename, writeFile } from "node:fs/promises";
import { basename, join } from "node:path";
import { arch, platform } from "node:process";
import { promisify } from "node:util";
import { UserError, root } from "./cli.js";
import { withScratch } from "./scratch.js";

const cache = join(root, ".cache", "packages");

const execute = promisify(execFile);

/** Options of {@link run}: those of `execFile`, and the time that the program has, in milliseconds. Default: ten minutes */
export interface RunOptions extends Omit<ExecFileOptions, "encoding"> {
  timeoutMs?: number;
}

/**
 * Runs a program to its end and returns its output; rejects as `execFile` does if it fails.
 *
 * @throws {UserError} if it takes too long; it is killed then
 */
export async function run(program: string, args: readonly string[], options: RunOptions = {}) {
  const { timeoutMs = 600_000, ...rest } = options;
  try {
    return await execute(program, args, { ...rest, encoding: "utf8", timeout: timeoutMs, killSignal: "SIGKILL" });
  } catch (error) {
    const { killed, code, signal } = error as ExecFileException;
    // Too much output kills it as well, and has a code.
    if (!killed || code || signal !== "SIGKILL") throw error;
    throw new UserError(`${basename(program)} did not end within ${timeoutMs / 1000} s`);
  }
}

/** Runs npm: the one that runs this script, if there is one. On Windows, any other npm is a script of the shell. */
export function npm(args: readonly string[], options: RunOptions = {}) {
  const { npm_execpath: cli = "" } = process.env;
  if (cli.endsWith("npm-cli.js")) return run(process.execPath, [cli, ...args], options);
  return run("npm", args, { ...options, shell: platform === "win32" });
}

/**
 * Installs packages into a project, which is created if there is none. No install scripts run: the packages that are installed
 * here do not need any.
 *
 * @param packages Tarballs, or names with exact versions
 */
export async function install(folder: string, packages: readonly string[]): Promise<void> {
  await mkdir(folder, { recursive: true });
  const manifest = join(folder, "package.json");
  if (!existsSync(manifest)) await writeFile(manifest, JSON.stringify({ private: true, type: "module" }));
  const quiet = ["--prefer-offline", "--ignore-scripts", "--no-audit", "--no-fund"];
  await npm(["install", "--save-exact", ...quiet, ...packages], { cwd: folder });
}

/**
 * Packages of exact versions that are not dependencies of the repository, installed once and kept in `.cache/`.
 *
 * @returns the `node_modules` folder that holds them
 */
export async function cached(...packages: string[]): Promise<string> {
  const folder = join(cache, packages.join("+").replaceAll("/", "-"));
  const modules = join(folder, "node_modules");
  if (existsSync(folder)) return modules;
  // An interrupted install must not count as a whole one.
  await withScratch(cache, async (fresh) => {
    await install(fresh, packages);
    await rename(fresh, folder);
  }).catch((error: unknown) => {
    // Another process was faster.
    if (!existsSync(folder)) throw error;
  });
  return modules;
}

/** The program of a Node of an exact version. */
export async function cachedNode(version: string): Promise<string> {
  const name = `node-${platform === "win32" ? "win" : platform}-${arch}`;
  return join(await cached(`${name}@${version}`), name, "bin", platform === "win32" ? "node.exe" : "node");
}
