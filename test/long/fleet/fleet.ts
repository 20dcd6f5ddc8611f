import { type ChildProcess, fork, spawn } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";
import { build } from "esbuild";
import type { JSONWebKeySet } from "jose";
import { type Emulator, type EmulatorOptions, startEmulator } from "../../../src/emulator/emulator.js";
import { freePort } from "../../support/wire.js";
import type { Command, Report, Setup } from "./worker.js";

const worker = fileURLToPath(new URL("../../../.cache/fleet/worker.mjs", import.meta.url));

/** Bundles the processes' program. */
export async function buildWorker(): Promise<void> {
  const entry = fileURLToPath(new URL("worker.ts", import.meta.url));
  const options = { bundle: true, packages: "external", platform: "node", format: "esm" } as const;
  await build({ entryPoints: [entry], outfile: worker, ...options });
}

/** Starts a Redis server that keeps nothing on disk, and waits until it listens. It ends with this process, however that ends. */
async function startRedis(port: number): Promise<ChildProcess> {
  const options = ["--port", String(port), "--bind", "127.0.0.1", "--save", "", "--appendonly", "no"];
  const redis = spawn("redis-server", options, { stdio: ["ignore", "pipe", "inherit"] });
  await new Promise<void>((resolve, reject) => {
    let output = "";
    redis.stdout?.on("data", (chunk: Buffer) => {
      output += chunk.toString();
      if (output.includes("Ready to accept connections")) resolve();
    });
    redis.once("exit", () => reject(new Error(`redis-server has ended: ${output}`)));
  });
  // Its standard input is closed if this process is killed.
  const guard = spawn("sh", ["-c", `cat; kill -9 ${redis.pid}`], { stdio: ["pipe", "ignore", "ignore"] });
  redis.once("exit", () => guard.kill() && guard.stdin.end());
  return redis;
}

async function kill(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  child.kill("SIGKILL");
  await once(child, "exit");
}

/** Processes behind one address that share a Redis server. */
export interface Fleet extends AsyncDisposable {
  readonly emulator: Emulator;
  /** Has every process do the same, and tells what came of it. */
  everybody(command: Command): Promise<Report>;
  signalRedis(signal: "SIGSTOP" | "SIGCONT" | "SIGKILL"): void;
  /** Starts Redis anew, empty. */
  restartRedis(): Promise<void>;
}

export async function startFleet(options: {
  processes: number;
  withAdd: boolean;
  timeoutMs: number;
  emulator: EmulatorOptions;
}): Promise<Fleet> {
  let offsetMs = 0;
  const now = () => Date.now() + offsetMs;
  const emulator = await startEmulator({ ...options.emulator, now });
  const jwks = await fetch(`${emulator.url}/.well-known/jwks.json`);
  const keys = (await jwks.json()) as JSONWebKeySet;
  const port = await freePort();
  const redisUrl = `redis://127.0.0.1:${port}`;
  let redis = await startRedis(port);
  let workers: ChildProcess[] = [];

  async function start(): Promise<void> {
    const { url, client, customerGuid } = emulator;
    const { withAdd, timeoutMs } = options;
    const setup: Setup = { url, ...client, customerGuid, keys, redisUrl, withAdd, timeoutMs, offsetMs };
    workers = Array.from({ length: options.processes }, () => fork(worker, [JSON.stringify(setup)], { execArgv: [] }));
    await Promise.all(workers.map((child) => once(child, "message")));
  }

  async function dispose(): Promise<void> {
    await Promise.all([...workers, redis].map(kill));
    await emulator.close();
  }

  try {
    await start();
  } catch (error) {
    await dispose();
    throw error;
  }
  return {
    emulator,
    async everybody(command) {
      offsetMs += command.advanceMs ?? 0;
      const reports = workers.map((child) => once(child, "message") as Promise<[Report]>);
      for (const child of workers) child.send(command);
      const all = (await Promise.all(reports)).map(([report]) => report);
      return {
        tokens: all.reduce((sum, { tokens }) => sum + tokens, 0),
        errors: all.flatMap(({ errors }) => errors),
      };
    },
    signalRedis: (signal) => void redis.kill(signal),
    async restartRedis() {
      await kill(redis);
      redis = await startRedis(port);
    },
    [Symbol.asyncDispose]: dispose,
  };
}
