import { existsSync } from "node:fs";
import { mkdir, readdir, readFile, rename, writeFile } from "node:fs/promises";
import { dirname, join, relative } from "node:path";
import { UserError } from "../cli.js";
import { prettify } from "../prettify.js";
import { withScratch } from "../scratch.js";

/** The first line of every generated module. */
export const header = "// Generated from the spec by `npm run generate`. Do not edit.\n\n";

/** A path as people look it up. */
export function displayPath(path: string): string {
  const short = relative(process.cwd(), path);
  return short === "" || short.startsWith("..") ? path : short;
}

/** TypeScript by prettier, Markdown without the gaps that its template leaves. */
export async function formatted(path: string, text: string): Promise<string> {
  if (!path.endsWith(".ts")) return `${text.trim().replace(/\n{3,}/g, "\n\n")}\n`;
  try {
    return await prettify(text, "typescript");
  } catch (error) {
    const [reason] = String(error instanceof Error ? error.message : error).split("\n");
    throw new UserError(`generated/${path} cannot be parsed: ${reason}`);
  }
}

/**
 * Every file below a folder by its path, with `/`; empty if there is no folder. Links are not followed. Node's own recursive
 * `readdir` does so from version 26 on, and never ends if a link leads to a folder above it.
 */
export async function readTree(folder: string, below = ""): Promise<Map<string, string>> {
  const entries = await readdir(join(folder, below), { withFileTypes: true }).catch(() => []);
  const found = await Promise.all(
    entries.map(async (entry) => {
      const path = `${below}${entry.name}`;
      if (entry.isDirectory()) return [...(await readTree(folder, `${path}/`))];
      // A link may lead to a folder, or nowhere.
      return [[path, await readFile(join(folder, path), "utf8").catch(() => "")] as const];
    }),
  );
  return new Map(found.flat());
}

/** @throws {UserError} that lists the differences, and `command` to fix them */
export async function compare(files: ReadonlyMap<string, string>, out: string, command: string): Promise<void> {
  const there = await readTree(out);
  const changed = [...files].filter(([path, text]) => (there.get(path) ?? text) !== text);
  const differences = [
    ...changed.map(([path]) => `changed: ${path}`),
    ...[...files.keys()].filter((path) => !there.has(path)).map((path) => `missing: ${path}`),
    ...[...there.keys()].filter((path) => !files.has(path)).map((path) => `extra:   ${path}`),
  ];
  if (differences.length === 0) return;
  const list = differences.map((difference) => `\n  ${difference}`).join("");
  throw new UserError(
    `${displayPath(out)} differs from what the spec generates:${list}\nrun \`${command}\` and commit the result`,
  );
}

/** Refuses to write to a folder that holds other things, since all of it is replaced. */
export async function refuseToReplaceOthers(out: string): Promise<void> {
  const names = await readdir(out).catch((error: NodeJS.ErrnoException) => {
    if (error.code === "ENOENT") return [];
    throw new UserError(`${displayPath(out)} cannot be read as a folder: choose another with --out`);
  });
  const paths = await readFile(join(out, "paths.ts"), "utf8").catch(() => "");
  // Other folders have models and docs, too.
  const own = paths.startsWith(header) ? ["docs", "emulator", "environments.ts", "models", "paths.ts"] : [];
  const other = names.find((name) => !own.includes(name));
  if (other !== undefined)
    throw new UserError(
      `${displayPath(out)} holds ${other}, which is not generated and would be lost: choose another folder`,
    );
}

/** Replaces the old folder by a finished one, by renaming. */
export async function swap(files: ReadonlyMap<string, string>, out: string): Promise<void> {
  await withScratch(dirname(out), async (scratch) => {
    const [fresh, old] = [join(scratch, "new"), join(scratch, "old")];
    for (const [path, text] of files) {
      await mkdir(dirname(join(fresh, path)), { recursive: true });
      await writeFile(join(fresh, path), text);
    }
    if (existsSync(out)) await rename(out, old);
    try {
      await rename(fresh, out);
    } catch (error) {
      if (existsSync(old)) await rename(old, out);
      throw error;
    }
  });
}
