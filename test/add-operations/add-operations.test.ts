import { readFile, rm, symlink, writeFile } from "node:fs/promises";
import { spawnSync } from "node:child_process";
import { join, resolve } from "node:path";
import { expect, test } from "vitest";
import { extendedDescription } from "../support/described.js";
import { copyRepository, temporaryFolder } from "../support/repository.js";

// Walks the steps of "Adding an operation" in CONTRIBUTING.md in a copy of this repository, and runs the tests that read
// the description there.

/** A whole description; default: the committed one with the operations of test/fixtures/operations.yaml. */
const description = process.env["DESCRIPTION"];
const added = (process.env["OPERATIONS"] ?? "listNotes createNote getNote deleteNote").split(" ");

const tests = [
  "test/client.test.ts",
  "test/emulator",
  "test/types",
  "test/scripts",
  "test/reference.test.ts",
  "test/readme.test.ts",
];

test(`adding ${added.join(", ")} keeps the tests green`, { timeout: 3600_000 }, async () => {
  const folder = await temporaryFolder();
  const copy = join(folder, "repository");
  try {
    await copyRepository(copy);
    await symlink(resolve("node_modules"), join(copy, "node_modules"));
    const path = description === undefined ? join(folder, "description.json") : resolve(description);
    if (description === undefined) await writeFile(path, JSON.stringify(await extendedDescription()));
    const source = JSON.parse(await readFile(join(copy, "openapi/source.json"), "utf8")) as { operationIds: string[] };
    source.operationIds.push(...added);
    await writeFile(join(copy, "openapi/source.json"), JSON.stringify(source, undefined, 2));
    const steps = [
      ["npm", "run", "pull", "--", path],
      ["npm", "run", "generate"],
      ["npm", "run", "typecheck"],
      ["npx", "vitest", "run", "--project", "source", ...tests],
    ];
    // As in `npm test`, which has the short runs.
    const env = { ...process.env, LONG: "" };
    for (const [program = "", ...args] of steps) {
      const { status } = spawnSync(program, args, { cwd: copy, stdio: "inherit", env });
      expect(`${[program, ...args].join(" ")} ends with ${status}`).toMatch(/ ends with 0$/);
    }
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
});
