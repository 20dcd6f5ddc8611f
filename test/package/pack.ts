import { rm } from "node:fs/promises";
import { join } from "node:path";
import type { TestProject } from "vitest/node";
import { install, pack, temporaryFolder } from "../../scripts/package/npm.js";

declare module "vitest" {
  interface ProvidedContext {
    /** Path of the package's tarball. */
    tarball: string;
    /** Path of a project that has the package installed, for all tests to write their programs into. */
    project: string;
  }
}

/** Builds, packs and installs the package once for all of these tests. */
export default async function setup(vitest: TestProject): Promise<() => Promise<void>> {
  const folder = await temporaryFolder();
  const [tarball, project] = [await pack(folder), join(folder, "project")];
  await install(project, [tarball]);
  vitest.provide("tarball", tarball);
  vitest.provide("project", project);
  return () => rm(folder, { recursive: true, force: true });
}
