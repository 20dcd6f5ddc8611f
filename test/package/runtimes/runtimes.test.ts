import { spawn } from "node:child_process";
import { once } from "node:events";
import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { arch, platform } from "node:process";
import { createInterface } from "node:readline";
import type { Readable } from "node:stream";
import { build } from "esbuild";
import { expect, inject, onTestFinished, test, type TestContext } from "vitest";
import { cached, cachedNode, run } from "../../../scripts/npm.js";
import { expected, expectInGuide, type Outcomes, runProgram } from "../journey.js";
import { emulatorOf } from "../pack.js";
import { launchChromium, noChromium } from "../../support/chromium.js";
import { needs, requireAll } from "../../support/needs.js";
import { nodes } from "../../support/nodes.js";

// `npm run test:runtimes`: creates a token, and maps every kind of error, in each runtime.

const project = inject("project");
const setting = inject("setting");
const { startEmulator } = emulatorOf(project);

const [bun, deno, workerd] = ["1.4.5", "2.9.5", "1.20261117.1"];

test("the guide lists these runtimes", () => {
  expectInGuide([
    ["Runtime", "Version", "`import`", "`require`", "`clientCredentials`"],
    ...Object.keys(nodes).map((version) => ["Node", version, "yes", "yes", "yes"]),
    ["Bun", bun, "yes", "yes", "yes"],
    ["Deno", deno, "yes", "yes", "yes"],
    ["workerd", workerd, "bundled", "", "yes"],
    ["Chromium", "the installed one", "bundled", "", "refuses, and says why"],
  ]);
});

test.for(Object.keys(nodes))("Node %s", async (version, context) => {
  const program = cachedNode(version);
  await runsPrograms([await (requireAll ? program : orSkip(context, program))], "node", version);
});

test(`Bun ${bun}`, async (context) => {
  await runsPrograms([await binary(context, `bun@${bun}`, "@oven", "bin/bun")], "bun", bun);
});

test(`Deno ${deno}`, async (context) => {
  // Deno's `require` needs permission to read files.
  const allowed = ["--allow-net=127.0.0.1", "--allow-read=.", "--no-prompt", "--no-remote"];
  const command = [await binary(context, `deno@${deno}`, "@deno", "deno"), "run", "--node-modules-dir=manual"];
  await runsPrograms([...command, ...allowed], "deno", deno);
});

test(`workerd ${workerd}`, async (context) => {
  const program = await binary(context, `workerd@${workerd}`, "@cloudflare", "bin/workerd");
  // It names the day it was made on, and nothing else.
  const { stdout } = await run(program, ["--version"]);
  expect(stdout.replace(/\D/g, "")).toBe(workerd.split(".")[1]);

  await bundle("worker.js", "esm");
  const stdio = ["ignore", "inherit", "inherit", "pipe"] as const;
  const server = spawn(program, ["serve", "--control-fd=3", "workerd.capnp"], { cwd: project, stdio: [...stdio] });
  onTestFinished(() => void server.kill());
  const [listening] = (await once(createInterface(server.stdio[3] as Readable), "line")) as [string];
  const { port } = JSON.parse(listening) as { port: number };
  const ask = async (path: string, body: unknown): Promise<unknown> => {
    const response = await fetch(`http://127.0.0.1:${port}${path}`, { method: "POST", body: JSON.stringify(body) });
    return response.json();
  };
  expect(await ask("/journey", { setting })).toEqual(expected);

  // A Worker ends a request's work with the request: a client that many requests share must get over that.
  const emulator = await startEmulator({ faults: [{ path: "/oauth/token", delayMs: Infinity }] });
  onTestFinished(() => emulator.close());
  const body = { setting: { ...setting, ...emulator.client, baseUrl: emulator.url } };
  const ended = await ask("/shared", { ...body, timeoutMs: 200 });
  expect(ended).toBe("TimeoutError: no complete response within 200 ms");
  const together = Array.from({ length: 10 }, () => ask("/shared", { ...body, timeoutMs: 10_000 }));
  expect(new Set(await Promise.all(together))).toEqual(new Set(["tokens"]));
  expect(emulator.counts["/oauth/token"]).toBe(2);
});

test("Chromium", async (context) => {
  const browser = await launchChromium();
  needs(context, browser, noChromium);
  onTestFinished(() => browser.close());
  const page = await browser.newPage();
  // A page of a server on this machine may ask another one there; an empty page may not.
  const server = await startEmulator();
  onTestFinished(() => server.close());
  await page.goto(server.url);
  await page.addScriptTag({ content: await bundle("journey.js", "iife") });
  const outcomes = await page.evaluate<Outcomes>(`program.journey(${JSON.stringify(setting)})`);
  // No secret is safe there.
  const refused = "InvalidArgumentError auth";
  expect(outcomes).toEqual({ ...expected, clientCredentials: refused, wrongSecret: refused });
});

/** Runs the programs by `import` and by `require`, in a runtime that says its name and version. */
async function runsPrograms(command: readonly string[], name: string, version: string): Promise<void> {
  for (const file of ["program.js", "program.cjs"]) {
    const versions = await runProgram(command, file);
    expect(versions[name]).toBe(version);
  }
}

/** Makes one file of a program and the package in it, as an application would. */
async function bundle(program: string, format: "esm" | "iife"): Promise<string> {
  const files = { absWorkingDir: project, entryPoints: [program], outfile: join(project, "bundle.js") };
  await build({ ...files, bundle: true, format, globalName: "program" });
  return readFile(files.outfile, "utf8");
}

/** Skips the test if an installation fails, with npm's first message after the bare code. */
function orSkip({ skip }: TestContext, installation: Promise<string>): Promise<string> {
  return installation.catch((error: unknown) => {
    const reason = /^npm error (?!code )(.+)$/m.exec(String(error))?.[1] ?? String(error);
    return skip(`could not be installed: ${reason}`);
  });
}

/** Installs a runtime, whose binary for this machine is a separate package. */
async function binary(context: TestContext, name: string, scope: string, path: string): Promise<string> {
  const folder = join(await orSkip(context, cached(name)), scope);
  for (const platformPackage of await readdir(folder)) {
    const file = join(folder, platformPackage, path);
    if (await run(file, ["--version"]).catch(() => undefined)) return file;
  }
  return context.skip(`${name} has no binary for ${platform} ${arch}`);
}
