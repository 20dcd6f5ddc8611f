import { readFile, rm, symlink, writeFile } from "node:fs/promises";
import { spawnSync } from "node:child_process";
import { join, resolve } from "node:path";
import { parse } from "yaml";
import { command, UserError } from "./command.js";
import { copyRepository, temporaryFolder } from "./package.js";
import { type Json, object } from "./spec/json.js";

const help = `Usage: npm run test:add-operations -- [FILE OPERATION_ID...]

Walks the steps of "Adding an operation" in CONTRIBUTING.md in a copy of this repository, and runs the tests that read
the description there.

  FILE          a whole description; default: the committed one with the operations of test/fixtures/operations.yaml
  OPERATION_ID  the operations to add`;

const tests = ["test/client.test.ts", "test/emulator", "test/types", "test/scripts", "test/readme.test.ts"];

async function main([file, ...operationIds]: string[]): Promise<void> {
  if (file === "--help" || file === "-h") return console.log(help);
  if (file !== undefined && operationIds.length === 0) throw new UserError("which operations? See --help");
  const folder = await temporaryFolder();
  const copy = join(folder, "repository");
  try {
    await copyRepository(copy);
    await symlink(resolve("node_modules"), join(copy, "node_modules"));
    const added = file === undefined ? ["listNotes", "createNote", "deleteNote"] : operationIds;
    const path = join(folder, "description.json");
    if (file === undefined) await writeFile(path, JSON.stringify(await extended()));
    const source = JSON.parse(await readFile(join(copy, "openapi/source.json"), "utf8")) as { operationIds: string[] };
    source.operationIds.push(...added);
    await writeFile(join(copy, "openapi/source.json"), JSON.stringify(source, undefined, 2));
    const steps = [
      ["npm", "run", "pull", "--", file === undefined ? path : resolve(file)],
      ["npm", "run", "generate"],
      ["npm", "run", "typecheck"],
      ["npx", "vitest", "run", "--project", "source", "--project", "types", ...tests],
    ];
    for (const [program = "", ...args] of steps) {
      const { status } = spawnSync(program, args, { cwd: copy, stdio: "inherit" });
      if (status !== 0) throw new UserError(`fails with ${added.join(", ")}: ${[program, ...args].join(" ")}`);
    }
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

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

await command(() => main(process.argv.slice(2)));
