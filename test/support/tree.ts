import { mkdir, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { afterAll, afterEach, beforeAll, beforeEach, expect } from "vitest";
import { stringify } from "yaml";
import { UserError } from "../../scripts/cli.js";
import { readTree } from "../../scripts/generate/files.js";

/** A temporary folder and the files in it. */
export class Tree {
  folder = "";

  /** The path of a file or folder in it. */
  at = (...names: string[]): string => join(this.folder, ...names);

  /** Writes a file, data as YAML, and makes the folders that it needs. Returns its path. */
  put = async (name: string, content: unknown): Promise<string> => {
    const path = this.at(name);
    await mkdir(dirname(path), { recursive: true });
    await writeFile(path, typeof content === "string" || Buffer.isBuffer(content) ? content : stringify(content));
    return path;
  };

  /** The text of a file. */
  read = (name: string): Promise<string> => readFile(this.at(name), "utf8");

  /** The texts of all files in it, or in a folder of it, by their paths. */
  files = async (name = "."): Promise<Record<string, string>> => Object.fromEntries(await readTree(this.at(name)));

  /** The sentence with which work is refused, which leaves all files in it, or in a folder of it, as they were. */
  refusal = async (work: () => Promise<unknown>, name = "."): Promise<string> => {
    const before = await this.files(name);
    const error: unknown = await work().catch((reason: unknown) => reason);
    expect(error).toBeInstanceOf(UserError);
    expect(await this.files(name)).toEqual(before);
    return (error as UserError).message;
  };
}

type Hook = (work: () => Promise<void>, timeoutMs?: number) => void;

function treeOf(before: Hook, after: Hook): Tree {
  const tree = new Tree();
  before(async () => {
    tree.folder = await mkdtemp(join(tmpdir(), "test-"));
  });
  // It may hold whole copies of the project.
  after(() => rm(tree.folder, { recursive: true, force: true }), 600_000);
  return tree;
}

/** An empty folder for each test of a file, or of a `describe`. */
export const treeForEach = (): Tree => treeOf(beforeEach, afterEach);

/** One folder for all tests of a file, or of a `describe`. */
export const treeForAll = (): Tree => treeOf(beforeAll, afterAll);
