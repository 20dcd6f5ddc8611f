import { execFile } from "node:child_process";
import { existsSync } from "node:fs";
import { mkdir, rename, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { arch, platform } from "node:process";
import { promisify } from "node:util";
import { root } from "./command.js";
import { withScratch } from "./scratch.js";

const cache = join(root, ".cache", "packages");

/** Runs a program to its end and gives what it printed; rejects where it fails. */
export const run = promisify(execFile);

/**
 * Installs packages into a project, which is made where there is none. No install script runs: what this repository
 * tries the package with is on the registry as it is.
 *
 * @param packages Tarballs, or names with exact versions
 */
export async function install(folder: string, packages: readonly string[]): Promise<void> {
  await mkdir(folder, { recursive: true });
  const manifest = join(folder, "package.json");
  if (!existsSync(manifest)) await writeFile(manifest, JSON.stringify({ private: true, type: "module" }));
  const quiet = ["--prefer-offline", "--ignore-scripts", "--no-audit", "--no-fund"];
  await run("npm", ["install", "--save-exact", ...quiet, ...packages], { cwd: folder });
}

/**
 * Packages of exact versions that are none of the repository's dependencies, installed once and kept in `.cache/`.
 *
 * @returns the `node_modules` folder that holds them
 */
export async function cached(...packages: string[]): Promise<string> {
  const folder = join(cache, packages.join("+").replaceAll("/", "-"));
  const modules = join(folder, "node_modules");
  if (existsSync(folder)) return modules;
  // An install that was broken off must not pass for one.
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
  return join(await cached(`${name}@${version}`), name, "bin", "node");
}
