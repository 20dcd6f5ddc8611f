import { execFile } from "node:child_process";
import { existsSync } from "node:fs";
import { cp, mkdir, mkdtemp, readdir, rename, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { arch, platform } from "node:process";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";

const root = fileURLToPath(new URL("../", import.meta.url));
const cache = join(root, ".cache", "packages");

/** Runs a program to its end and gives what it printed; rejects where it fails. */
export const run = promisify(execFile);

/** Makes an empty folder for the time of a run. */
export function temporaryFolder(): Promise<string> {
  return mkdtemp(join(tmpdir(), "cybrid-customer-tokens-"));
}

/** Copies the repository without what is built or installed. */
export async function copyRepository(copy: string): Promise<void> {
  const left = new Set(["node_modules", ".git", ".cache", "dist"].map((name) => join(root, name)));
  await cp(root, copy, { recursive: true, filter: (path) => !left.has(path) });
}

/**
 * Builds and packs the package as `npm publish` would, in a copy of the repository: the working tree's `dist/` is
 * neither trusted nor touched.
 *
 * @param folder Where the copy and the tarball go
 * @returns the path of the tarball
 */
export async function pack(folder: string): Promise<string> {
  const copy = join(folder, "repository");
  await copyRepository(copy);
  await symlink(join(root, "node_modules"), join(copy, "node_modules"));
  await run("npm", ["pack", "--pack-destination", folder], { cwd: copy });
  await rm(copy, { recursive: true });
  const tarball = (await readdir(folder)).find((name) => name.endsWith(".tgz"));
  if (tarball === undefined) throw new Error(`npm pack left no tarball in ${folder}`);
  return join(folder, tarball);
}

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
  await mkdir(cache, { recursive: true });
  // Moved into place when all of it is there: an install that was broken off must not pass for one.
  const fresh = await mkdtemp(join(cache, "installing-"));
  try {
    await install(fresh, packages);
    await rename(fresh, folder);
  } catch (error) {
    await rm(fresh, { recursive: true, force: true });
    // Another process was faster.
    if (!existsSync(folder)) throw error;
  }
  return modules;
}

/** The program of a Node of an exact version. */
export async function cachedNode(version: string): Promise<string> {
  const name = `node-${platform === "win32" ? "win" : platform}-${arch}`;
  return join(await cached(`${name}@${version}`), name, "bin", "node");
}
