import { mkdir, mkdtemp, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { readTree } from "../../../scripts/generate/files.js";
import { isPosix } from "../../support/mode.js";

test.runIf(isPosix)("every file of a folder is read once, whatever its links lead to", async () => {
  const folder = await mkdtemp(join(tmpdir(), "files-"));
  onTestFinished(() => rm(folder, { recursive: true, force: true }));
  await mkdir(join(folder, "models"));
  await writeFile(join(folder, "models", "a.ts"), "a");
  await symlink(".", join(folder, "itself"));
  await symlink(folder, join(folder, "models", "above"));
  await symlink("nowhere", join(folder, "dangling"));
  expect(Object.fromEntries(await readTree(folder))).toEqual({
    "models/a.ts": "a",
    itself: "",
    "models/above": "",
    dangling: "",
  });
  expect([...(await readTree(join(folder, "none")))]).toEqual([]);
});
