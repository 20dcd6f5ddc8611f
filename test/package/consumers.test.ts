import { rm } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, expect, inject, test } from "vitest";
import { compile, createProject, setups } from "../../scripts/package/compile.js";
import { temporaryFolder } from "../../scripts/package/npm.js";

// The short version of `npm run test:consumers`: the installed TypeScript, Node's types, and all of them checked.

const typescript = fileURLToPath(new URL("../../node_modules/typescript", import.meta.url));
let project: string;

beforeAll(async () => {
  project = await temporaryFolder();
  await createProject(inject("tarball"), project);
});

afterAll(async () => {
  await rm(project, { recursive: true, force: true });
});

test.each(setups.filter(({ skipLibCheck, platform }) => !skipLibCheck && platform === "node"))(
  "consumers compile with moduleResolution $moduleResolution",
  async (setup) => {
    expect(await compile(project, typescript, setup)).toBe("");
  },
);
