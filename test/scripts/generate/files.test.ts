import { symlink } from "node:fs/promises";
import { expect, test } from "vitest";
import { readTree } from "../../../scripts/generate/files.js";
import { isPosix } from "../../support/mode.js";
import { treeForEach } from "../../support/tree.js";

const { at, put } = treeForEach();

test.runIf(isPosix)("every file of a folder is read once, whatever its links lead to", async () => {
  await put("models/a.ts", "a");
  await symlink(".", at("itself"));
  await symlink(at(), at("models", "above"));
  await symlink("nowhere", at("dangling"));
  expect(Object.fromEntries(await readTree(at()))).toEqual({
    "models/a.ts": "a",
    itself: "",
    "models/above": "",
    dangling: "",
  });
  expect([...(await readTree(at("none")))]).toEqual([]);
});
