import { cp, mkdir, rm, symlink } from "node:fs/promises";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { createRequire } from "node:module";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { build } from "esbuild";
import type { TestProject } from "vitest/node";
import { install } from "../../scripts/npm.js";
import type * as emulatorModule from "../../src/emulator/emulator.js";
import type { Setting } from "./programs/journey.js";
import { pack, temporaryFolder } from "../support/repository.js";

const programs = fileURLToPath(new URL("programs/", import.meta.url));
const nodeTypes = fileURLToPath(new URL("../../node_modules/@types/node", import.meta.url));

declare module "vitest" {
  interface ProvidedContext {
    /** Path of the package's tarball. */
    tarball: string;
    /** Path of a project that has the package installed, with the programs in it, for all tests to write into. */
    project: string;
    /** The services and credentials that the programs use. */
    setting: Setting;
  }
}

/** Builds, packs and installs the package once for all of these tests, and starts the servers that the programs call. */
export default async function setup(vitest: TestProject): Promise<() => Promise<void>> {
  const folder = await temporaryFolder();
  const [tarball, project] = [await pack(folder), join(folder, "project")];
  await install(project, [tarball]);
  await addPrograms(project);

  const emulator = await emulatorOf(project).startEmulator();
  // Takes requests and never responds.
  const hanging = createServer(() => {});
  await new Promise<void>((resolve) => void hanging.listen(0, "127.0.0.1", resolve));

  vitest.provide("tarball", tarball);
  vitest.provide("project", project);
  vitest.provide("setting", {
    baseUrl: emulator.url,
    // Nothing listens on this port.
    deadUrl: "http://127.0.0.1:2",
    hangingUrl: `http://127.0.0.1:${(hanging.address() as AddressInfo).port}`,
    bankToken: await emulator.signToken(),
    ...emulator.client,
    customerGuid: emulator.customerGuid,
    unknownGuid: "f".repeat(32),
  });
  return async () => {
    await emulator.close();
    hanging.closeAllConnections();
    hanging.close();
    await rm(folder, { recursive: true, force: true });
  };
}

/** Puts the programs into a project, also as JavaScript of both kinds, and Node's types. */
async function addPrograms(project: string): Promise<void> {
  await cp(programs, project, { recursive: true });
  await cp(join(programs, "journey.ts"), join(project, "commonjs", "journey.ts"));
  await mkdir(join(project, "node_modules", "@types"));
  await symlink(nodeTypes, join(project, "node_modules", "@types", "node"));
  const files = { absWorkingDir: project, entryPoints: ["journey.ts", "program.ts"], outdir: project };
  for (const [format, extension] of [["esm", ".js"] as const, ["cjs", ".cjs"] as const]) {
    await build({ ...files, bundle: true, packages: "external", format, outExtension: { ".js": extension } });
  }
}

/** The emulator of a project's package: the built one. */
export function emulatorOf(project: string): typeof emulatorModule {
  const require = createRequire(join(project, "program.cjs"));
  return require("cybrid-customer-tokens/emulator") as typeof emulatorModule;
}
