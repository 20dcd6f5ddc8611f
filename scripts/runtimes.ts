import { spawn } from "node:child_process";
import { readdir, readFile, rm, writeFile } from "node:fs/promises";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { arch, platform } from "node:process";
import { join } from "node:path";
import { createInterface } from "node:readline";
import type { Readable } from "node:stream";
import { parseArgs } from "node:util";
import { build } from "esbuild";
import { launchChromium, noChromium } from "./package/chromium.js";
import { command, UserError } from "./command.js";
import {
  type Consumer,
  createConsumer,
  expected,
  expectedInBrowser,
  journeyInProcess,
  type Outcomes,
} from "./package/journey.js";
import { cached, cachedNode, install, pack, run, temporaryFolder } from "./package/npm.js";
import { table, writeToGuide } from "./table.js";

/** What cannot be had on this machine, and why. */
class Missing extends Error {}

interface Journey {
  /** The version that really ran. */
  version: string;
  outcomes: Outcomes;
  /** What came of the same by `require`, where the runtime has it. */
  required?: Outcomes;
}

interface Runtime {
  name: string;
  /** The exact version, where the registry gives it. */
  version?: string;
  run(consumer: Consumer, version: string): Promise<Journey>;
  expected: Outcomes;
}

/** Besides, a Worker's client serves many requests, of which one may end before what the others wait for. */
const expectedInWorkerd: Outcomes = {
  ...expected,
  requestEnded: "TimeoutError: no complete answer within 200 ms",
  requestsAfterIt: "tokens",
  tokenRequests: "2",
};

const runtimes: Runtime[] = [
  // The oldest that package.json allows, and the newest of each line that is kept.
  ...["20.19.0", "22.23.3", "24.21.0", "26.10.0"].map((version) => ({ name: "Node", version, run: inNode, expected })),
  { name: "Bun", version: "1.4.5", run: inBun, expected },
  { name: "Deno", version: "2.9.5", run: inDeno, expected },
  { name: "workerd", version: "1.20261117.1", run: inWorkerd, expected: expectedInWorkerd },
  { name: "Chromium", run: inChromium, expected: expectedInBrowser },
];

async function inNode(consumer: Consumer, version: string) {
  return inProcess([await installed(`Node ${version}`, cachedNode(version))], consumer, "node");
}

async function inBun(consumer: Consumer, version: string) {
  return inProcess([await platformBinary("bun", version, "@oven", join("bin", "bun"))], consumer, "bun");
}

async function inDeno(consumer: Consumer, version: string) {
  // Deno's `require` asks for leave to read what it loads.
  const allowed = [
    "--allow-net=127.0.0.1",
    "--allow-read=.",
    "--no-prompt",
    "--no-remote",
    "--node-modules-dir=manual",
  ];
  return inProcess([await platformBinary("deno", version, "@deno", "deno"), "run", ...allowed], consumer, "deno");
}

/** By `import`, and by `require`. */
async function inProcess(command: readonly [string, ...string[]], consumer: Consumer, name: string): Promise<Journey> {
  const { versions, outcomes } = await journeyInProcess(command, consumer);
  const { outcomes: required } = await journeyInProcess(command, consumer, "program.cjs");
  return { version: String(versions[name]), outcomes, required };
}

async function inWorkerd(consumer: Consumer, version: string): Promise<Journey> {
  const program = await platformBinary("workerd", version, "@cloudflare", join("bin", "workerd"));
  await bundle(consumer, "worker.js", "worker.bundle.js");
  await writeFile(join(consumer.folder, "workerd.capnp"), workerdConfig);
  const server = spawn(program, ["serve", "--control-fd=3", "workerd.capnp"], {
    cwd: consumer.folder,
    stdio: ["ignore", "inherit", "inherit", "pipe"],
  });
  try {
    const { port } = await firstLine<{ port: number }>(server.stdio[3] as Readable);
    const ask = async (path: string, body: unknown): Promise<unknown> => {
      const response = await fetch(`http://127.0.0.1:${port}${path}`, { method: "POST", body: JSON.stringify(body) });
      return response.json();
    };
    const outcomes = (await ask("/journey", { setting: consumer.setting })) as Outcomes;
    await checkSharedClient(consumer, ask, outcomes);
    // It names the day it was made on, and nothing else.
    const { stdout } = await run(program, ["--version"]);
    const day = stdout.replace(/\D/g, "");
    return { version: version.includes(`.${day}.`) ? version : stdout.trim(), outcomes };
  } finally {
    server.kill();
  }
}

const workerdConfig = `using Workerd = import "/workerd/workerd.capnp";
const config :Workerd.Config = (
  services = [
    (name = "main", worker = .worker),
    (name = "internet", network = (allow = ["local"])),
  ],
  sockets = [(name = "http", address = "127.0.0.1:0", http = (), service = "main")],
);
const worker :Workerd.Worker = (
  modules = [(name = "worker", esModule = embed "worker.bundle.js")],
  # From this day on, fetch takes cache: "no-store".
  compatibilityDate = "2024-11-11",
);
`;

/** A Worker ends a request's work with the request: a client that many requests share must get over that. */
async function checkSharedClient(
  { setting, startEmulator }: Consumer,
  ask: (path: string, body: unknown) => Promise<unknown>,
  outcomes: Outcomes,
): Promise<void> {
  const emulator = await startEmulator({ faults: [{ path: "/oauth/token", delayMs: Infinity }] });
  try {
    const body = { setting: { ...setting, baseUrl: emulator.url } };
    outcomes["requestEnded"] = String(await ask("/shared", { ...body, timeoutMs: 200 }));
    const together = Array.from({ length: 10 }, () => ask("/shared", { ...body, timeoutMs: 10_000 }));
    outcomes["requestsAfterIt"] = [...new Set(await Promise.all(together))].join(" ");
    outcomes["tokenRequests"] = String(emulator.counts["/oauth/token"]);
  } finally {
    await emulator.close();
  }
}

async function inChromium(consumer: Consumer): Promise<Journey> {
  const browser = await launchChromium();
  if (!browser) throw new Missing(noChromium);
  const script = await bundle(consumer, "journey.js", "journey.bundle.js");
  // A page of a server on this machine may ask another one there; an empty page may not.
  const server = createServer((request, response) => {
    const isScript = request.url === "/journey.js";
    response.writeHead(200, { "content-type": isScript ? "text/javascript" : "text/html" });
    response.end(isScript ? script : "<!doctype html><title>A page</title>");
  });
  try {
    await new Promise<void>((resolve) => void server.listen(0, "127.0.0.1", resolve));
    const page = await browser.newPage();
    await page.goto(`http://127.0.0.1:${(server.address() as AddressInfo).port}/`);
    const outcomes = await page.evaluate(async (setting) => {
      const script = "/journey.js";
      const { journey } = (await import(script)) as { journey(setting: unknown): Promise<Outcomes> };
      return journey(setting);
    }, consumer.setting);
    return { version: browser.version(), outcomes };
  } finally {
    await browser.close();
    server.close();
  }
}

/** Makes one file of a program and the package in it, as an application would. */
async function bundle({ folder }: Consumer, program: string, outfile: string): Promise<string> {
  const path = join(folder, outfile);
  await build({ absWorkingDir: folder, entryPoints: [program], outfile: path, bundle: true, format: "esm" });
  return readFile(path, "utf8");
}

async function installed(title: string, installation: Promise<string>): Promise<string> {
  try {
    return await installation;
  } catch (error) {
    throw new Missing(`${title} could not be installed: ${npmReason(error)}`);
  }
}

/** A runtime's binary for this machine comes as a package of its own. */
async function platformBinary(name: string, version: string, scope: string, path: string): Promise<string> {
  const folder = join(await installed(`${name} ${version}`, cached(`${name}@${version}`)), scope);
  for (const platformPackage of await readdir(folder)) {
    const binary = join(folder, platformPackage, path);
    if ((await run(binary, ["--version"]).catch(() => undefined)) !== undefined) return binary;
  }
  throw new Missing(`${name} ${version} has no binary for ${platform} ${arch}`);
}

/** What npm says first, after the bare code. */
function npmReason(error: unknown): string {
  const text = String(error);
  return /^npm error (?!code )(.+)$/m.exec(text)?.[1] ?? text;
}

async function firstLine<T>(stream: Readable): Promise<T> {
  for await (const line of createInterface(stream)) return JSON.parse(line) as T;
  throw new Error("workerd ended before it listened");
}

/** Compares what came of a journey with what must come of it. */
function difference(outcomes: Outcomes, wanted: Outcomes): string[] {
  const steps = new Set([...Object.keys(outcomes), ...Object.keys(wanted)]);
  return [...steps].flatMap((step) =>
    outcomes[step] === wanted[step] ? [] : [`${step}: expected ${wanted[step]}, got ${outcomes[step]}`],
  );
}

interface Result {
  state: "ok" | "failed" | "skipped";
  problems: string[];
  row?: string[];
}

async function tryRuntime({ name, version = "", ...runtime }: Runtime, consumer: Consumer): Promise<Result> {
  try {
    const { version: ran, outcomes, required } = await runtime.run(consumer, version);
    const problems = difference(outcomes, runtime.expected);
    if (required) problems.push(...difference(required, runtime.expected).map((problem) => `by require: ${problem}`));
    if (version !== "" && version !== ran) problems.push(`version: expected ${version}, got ${ran}`);
    const refuses = runtime.expected["clientCredentials"] !== "token";
    const loaded = required ? ["yes", "yes"] : ["bundled", ""];
    const row = [name, ran, ...loaded, refuses ? "refuses, and says why" : "yes", "yes"];
    return { state: problems.length === 0 ? "ok" : "failed", problems, row };
  } catch (error) {
    return error instanceof Missing
      ? { state: "skipped", problems: [error.message] }
      : { state: "failed", problems: [error instanceof Error ? (error.stack ?? error.message) : String(error)] };
  }
}

await command(async () => {
  const { values } = parseArgs({ options: { all: { type: "boolean" }, write: { type: "boolean" } } });
  const folder = await temporaryFolder();
  let consumer: Consumer | undefined;
  const rows = [["Runtime", "Version", "`import`", "`require`", "`clientCredentials`", "Errors mapped"]];
  const titles: Record<Result["state"], string[]> = { ok: [], failed: [], skipped: [] };
  try {
    const project = join(folder, "project");
    await install(project, [await pack(folder)]);
    consumer = await createConsumer(project);
    for (const runtime of runtimes) {
      const title = [runtime.name, runtime.version].filter(Boolean).join(" ");
      const { state, problems, row } = await tryRuntime(runtime, consumer);
      console.log([`${title}: ${state}`, ...problems].join("\n  "));
      titles[state].push(title);
      if (state === "ok" && row) rows.push(row);
    }
  } finally {
    await consumer?.close();
    await rm(folder, { recursive: true, force: true });
  }
  console.log(`\n${table(rows)}\n`);
  if (titles.skipped.length > 0) console.log(`Not tried: ${titles.skipped.join(", ")}.`);
  if (titles.failed.length > 0) throw new UserError(`the package does not work on ${titles.failed.join(", ")}`);
  if ((values.all || values.write) && titles.skipped.length > 0) {
    throw new UserError(`${values.all ? "--all" : "--write"} asks for every runtime`);
  }
  if (values.write) await writeToGuide("docs/runtimes.md", "runtimes", table(rows));
});
