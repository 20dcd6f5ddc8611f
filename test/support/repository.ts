import { cp, mkdtemp, readdir, rm, symlink } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import { npm } from "../../scripts/npm.js";
import { commitAll, git } from "./git.js";

const root = fileURLToPath(new URL("../../", import.meta.url));

/** Makes an empty folder for the time of a run. */
export function temporaryFolder(): Promise<string> {
  return mkdtemp(join(tmpdir(), "cybrid-customer-tokens-"));
}

/** Copies the repository without build results and installed packages. */
export async function copyRepository(copy: string): Promise<void> {
  const left = new Set(["node_modules", ".git", ".cache", "dist"].map((name) => join(root, name)));
  await cp(root, copy, { recursive: true, filter: (path) => !left.has(path) });
}

/** Makes a git repository with this state of the project as its only commit. */
export async function gitRepository(copy: string): Promise<{ url: string; commit: string }> {
  await copyRepository(copy);
  await commitAll(copy);
  return { url: pathToFileURL(copy).href, commit: await git(copy, "rev-parse", "HEAD") };
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
  await npm(["pack", "--pack-destination", folder], { cwd: copy });
  await rm(copy, { recursive: true });
  const tarball = (await readdir(folder)).find((name) => name.endsWith(".tgz"));
  if (tarball === undefined) throw new Error(`npm pack left no tarball in ${folder}`);
  return join(folder, tarball);
}
