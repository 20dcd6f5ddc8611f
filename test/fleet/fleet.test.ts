import { type ChildProcess, fork, spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";
import { build } from "esbuild";
import type { JSONWebKeySet } from "jose";
import { describe, expect, test } from "vitest";
import { startEmulator } from "../../src/emulator/emulator.js";
import { freePort } from "../support/wire.js";
import { long } from "../support/mode.js";
import type { Command, Report, Setup } from "./worker.js";

// Real processes, a real Redis server and real sockets; only the age of the tokens is make-believe, so that nobody waits.

const processes = long ? 16 : 4;
const callsEach = long ? 500 : 50;
const lifetimeSeconds = 1800;
const timeout = long ? 600_000 : 120_000;

const root = new URL("../../", import.meta.url);
const worker = fileURLToPath(new URL(".cache/fleet/worker.mjs", root));
const redisInstalled = spawnSync("redis-server", ["--version"]).status === 0;
if (!redisInstalled) console.warn("redis-server is not installed: the fleet is not tested");

/** Starts a Redis server that keeps nothing on disk, and waits until it listens. */
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
  return redis;
}

async function kill(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  child.kill("SIGKILL");
  await once(child, "exit");
}

describe("a fleet behind one address", () => {
  test.for([
    { kind: "with add", withAdd: true, most: 2 },
    { kind: "without add", withAdd: false, most: processes },
  ])(
    `${processes} processes × ${callsEach} calls, $kind: at most $most token requests a lifetime`,
    { timeout },
    async ({ kind, withAdd, most }, { skip }) => {
      skip(!redisInstalled, "redis-server is not installed");
      await build({
        entryPoints: [fileURLToPath(new URL("worker.ts", import.meta.url))],
        outfile: worker,
        bundle: true,
        packages: "external",
        platform: "node",
        format: "esm",
      });
      let offsetMs = 0;
      let onTokenRequest = () => {};
      await using emulator = await startEmulator({
        bankTokenLifetimeSeconds: lifetimeSeconds,
        now: () => Date.now() + offsetMs,
        onRequest: ({ path }) => path === "/oauth/token" && onTokenRequest(),
      });
      const jwks = await fetch(`${emulator.url}/.well-known/jwks.json`);
      const port = await freePort();
      let redis = await startRedis(port);
      const setup: Setup = {
        url: emulator.url,
        ...emulator.client,
        customerGuid: emulator.customerGuid,
        keys: (await jwks.json()) as JSONWebKeySet,
        redisUrl: `redis://127.0.0.1:${port}`,
        withAdd,
      };
      const workers: ChildProcess[] = [];
      try {
        for (let nth = 0; nth < processes; nth++) {
          workers.push(fork(worker, [JSON.stringify(setup)], { execArgv: [] }));
        }
        await Promise.all(workers.map((child) => once(child, "message")));

        /** Has every process do the same, and tells what came of it. */
        const everybody = async (command: Command): Promise<Report> => {
          offsetMs += command.advanceMs ?? 0;
          const reports = workers.map((child) => once(child, "message") as Promise<[Report]>);
          for (const child of workers) child.send(command);
          const all = (await Promise.all(reports)).map(([report]) => report);
          return {
            tokens: all.reduce((sum, { tokens }) => sum + tokens, 0),
            errors: all.flatMap(({ errors }) => errors),
          };
        };

        const table: Record<string, Record<string, number>> = {};
        const phases = 8;
        const calls = Math.ceil(callsEach / phases);
        const lifetimeMs = lifetimeSeconds * 1000;
        /** One phase of the run: every call gets its token, and token requests stay within their bound. */
        const phase = async (name: string, atMost: number, commands: Command[]) => {
          const before = emulator.counts["/oauth/token"];
          const report: Report = { tokens: 0, errors: [] };
          for (const command of commands) {
            const { tokens, errors } = await everybody(command);
            report.tokens += tokens;
            report.errors.push(...errors);
          }
          const tokenRequests = emulator.counts["/oauth/token"] - before;
          table[name] = { calls: report.tokens, "token requests": tokenRequests, "at most": atMost };
          expect(report.errors).toEqual([]);
          expect(report.tokens).toBe(processes * calls);
          expect(tokenRequests).toBeLessThanOrEqual(atMost);
        };
        const expired = [{ calls, advanceMs: lifetimeMs }];

        await phase("cold start", most, [{ calls }]);
        // The age at which tokens are renewed, in small steps: each process comes to it at a time of its own.
        const steps = Math.min(calls - 1, 25);
        const step = { calls: 1, advanceMs: (lifetimeMs * 0.15) / steps };
        await phase("renewal", most, [
          { calls: calls - steps, advanceMs: lifetimeMs * 0.68 },
          ...Array.from({ length: steps }, () => step),
        ]);
        await phase("expiry while idle", most, expired);

        emulator.revokeTokens();
        await phase("401 for all", most, [{ calls }]);

        redis.kill("SIGSTOP");
        await phase("expiry, Redis hangs", processes, expired);
        redis.kill("SIGCONT");

        onTokenRequest = () => void redis.kill("SIGKILL");
        await phase("expiry, Redis killed meanwhile", processes, expired);
        onTokenRequest = () => {};
        await kill(redis);
        await phase("expiry, Redis down", processes, expired);

        redis = await startRedis(port);
        await everybody({});
        await phase("expiry, Redis back", most, expired);
        if (long) {
          console.log(`${processes} processes, ${kind}`);
          console.table(table);
        }
      } finally {
        await Promise.all([...workers, redis].map(kill));
      }
    },
  );
});
