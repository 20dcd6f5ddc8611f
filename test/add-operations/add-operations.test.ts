import { readFile, rm, symlink, writeFile } from "node:fs/promises";
import { spawnSync } from "node:child_process";
import { join, resolve } from "node:path";
import { expect, test } from "vitest";
import { parse } from "yaml";
import { type Json, object } from "../../scripts/spec/json.js";
import { copyRepository, temporaryFolder } from "../support/repository.js";

// Walks the steps of "Adding an operation" in CONTRIBUTING.md in a copy of this repository, and runs the tests that read
// the description there.

/** A whole description; default: the committed one with the operations of test/fixtures/operations.yaml. */
const description = process.env["DESCRIPTION"];
const added = (process.env["OPERATIONS"] ?? "listNotes createNote deleteNote").split(" ");

const tests = ["test/client.test.ts", "test/emulator", "test/scripts", "test/readme.test.ts"];

test(`adding ${added.join(", ")} keeps the tests green`, { timeout: 3600_000 }, async () => {
  const folder = await temporaryFolder();
  const copy = join(folder, "repository");
  try {
    await copyRepository(copy);
    await symlink(resolve("node_modules"), join(copy, "node_modules"));
    const path = description === undefined ? join(folder, "description.json") : resolve(description);
    if (description === undefined) await writeFile(path, JSON.stringify(await extended()));
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

/** The committed description with the fixture's operations. */
async function extended(): Promise<Json> {
  const read = async (name: string) => parse(await readFile(name, "utf8")) as Json;
  const [base, extra] = await Promise.all([
    read("openapi/customer-tokens.yaml"),
    read("test/fixtures/operations.yaml"),
  ]);
  const components = { ...object(base["components"]) };
  for (const [kind, added] of Object.entries(object(extra["components"])))
    components[kind] = { ...object(components[kind]), ...object(added) };
  return { ...base, paths: { ...object(base["paths"]), ...object(extra["paths"]) }, components };
}
