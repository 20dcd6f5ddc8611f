import { spawnSync } from "node:child_process";
import { symlink } from "node:fs/promises";
import { resolve } from "node:path";
import { expect, test } from "vitest";
import { fill, readFixture } from "../../support/cases.js";
import { extendedDescription } from "../../support/described.js";
import { copyRepository } from "../../support/repository.js";
import { treeForEach } from "../../support/tree.js";

// Walks the steps of "Adding an operation" in CONTRIBUTING.md in a copy of this repository, to a green `npm test`.

interface Fixture {
  walks: { operations: string[]; method: Record<string, string> }[];
  edits: { file: string; before: string; text: string }[];
  test: string;
}

const { at, put, read } = treeForEach();
const { walks } = readFixture<Fixture>("adding-operations");
const description = process.env["DESCRIPTION"];

test.each(description === undefined ? walks.slice(0, 1) : walks)(
  "adding $operations keeps `npm test` green",
  { timeout: 3600_000 },
  async ({ operations, method }) => {
    const { edits, test: added } = fill(readFixture<Fixture>("adding-operations"), method);
    const run = (...[program = "", ...args]: string[]) => {
      // As in `npm test`, which has the short runs.
      const env = { ...process.env, LONG: "" };
      const { status } = spawnSync(program, args, { cwd: at("repository"), stdio: "inherit", env });
      expect(`${[program, ...args].join(" ")} ends with ${status}`).toMatch(/ ends with 0$/);
    };
    const insert = async (file: string, before: string, text: string) => {
      const old = await read(`repository/${file}`);
      expect(old).toContain(before);
      await put(
        `repository/${file}`,
        old.replace(before, () => `${text}${before}`),
      );
    };
    await copyRepository(at("repository"));
    await symlink(resolve("node_modules"), at("repository/node_modules"));
    const isOfFixture = operations.includes("listNotes");
    const extended = await put("description.json", JSON.stringify(await extendedDescription()));
    await insert("openapi/source.json", '"createCustomerToken"', operations.map((id) => `"${id}", `).join(""));
    run("npm", "run", "pull", "--", isOfFixture ? extended : resolve(description ?? ""));
    run("npm", "run", "generate");
    for (const { file, before, text } of edits) await insert(file, before, text);
    await put("repository/test/added.test.ts", added);
    run("npx", "prettier", "--write", "src", "test/added.test.ts");
    run("npm", "test");
  },
);
