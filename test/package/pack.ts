import { rm } from "node:fs/promises";
import type { TestProject } from "vitest/node";
import { pack, temporaryFolder } from "../../scripts/package/npm.js";

declare module "vitest" {
  interface ProvidedContext {
    /** Path of the package's tarball. */
    tarball: string;
  }
}

/** Builds and packs the package once for all of these tests. */
export default async function setup(project: TestProject): Promise<() => Promise<void>> {
  const folder = await temporaryFolder();
  project.provide("tarball", await pack(folder));
  return () => rm(folder, { recursive: true, force: true });
}
