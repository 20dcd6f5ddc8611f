import { createClient } from "@keyv/redis";
import { beforeAll, beforeEach, describe, expect, test } from "vitest";
import type { Fault } from "../../../src/emulator/emulator.js";
import { digest } from "../../../src/auth/key-value-store.js";
import { isPosix, long } from "../../support/mode.js";
import { has, needs } from "../../support/needs.js";
import { buildWorker, type Fleet, startFleet } from "./fleet.js";
import type { Command, Report } from "./worker.js";

// Real processes, a real Redis server and real sockets; only the age of the tokens is make-believe, so that nobody waits.

const processes = long ? 16 : 4;
const callsEach = long ? 500 : 50;
const lifetimeSeconds = 1800;
const timeout = long ? 600_000 : 120_000;
const path = "/oauth/token";

beforeAll(buildWorker);
beforeEach((context) => needs(context, has("redis-server"), "there is no redis-server: apt-get install redis-server"));

describe.runIf(isPosix)("a fleet behind one address", () => {
  test.for([
    { kind: "with add", withAdd: true, most: 2 },
    { kind: "without add", withAdd: false, most: processes },
  ])(
    `${processes} processes × ${callsEach} calls, $kind: at most $most token requests a lifetime`,
    { timeout },
    async ({ kind, withAdd, most }) => {
      let onTokenRequest = () => {};
      await using fleet = await startFleet({
        processes,
        withAdd,
        timeoutMs: 30_000,
        emulator: {
          bankTokenLifetimeSeconds: lifetimeSeconds,
          onRequest: (request) => request.path === path && onTokenRequest(),
        },
      });
      const { emulator, everybody } = fleet;

      const table: Record<string, Record<string, number>> = {};
      const phases = 8;
      const calls = Math.ceil(callsEach / phases);
      const lifetimeMs = lifetimeSeconds * 1000;
      /** One phase of the run: every call gets its token, and token requests stay within their bound. */
      const phase = async (name: string, atMost: number, commands: Command[]) => {
        const before = emulator.counts[path];
        const report: Report = { tokens: 0, errors: [] };
        for (const command of commands) {
          const { tokens, errors } = await everybody(command);
          report.tokens += tokens;
          report.errors.push(...errors);
        }
        const tokenRequests = emulator.counts[path] - before;
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

      fleet.signalRedis("SIGSTOP");
      await phase("expiry, Redis hangs", processes, expired);
      fleet.signalRedis("SIGCONT");

      onTokenRequest = () => fleet.signalRedis("SIGKILL");
      await phase("expiry, Redis killed meanwhile", processes, expired);
      onTokenRequest = () => {};
      fleet.signalRedis("SIGKILL");
      await phase("expiry, Redis down", processes, expired);

      await fleet.restartRedis();
      await everybody({});
      await phase("expiry, Redis back", most, expired);
      if (long) {
        console.log(`${processes} processes, ${kind}`);
        console.table(table);
      }
    },
  );
});

/** Starts a fleet with `add` whose calls don't wait for long. */
function startInTrouble(timeoutMs: number, ...faults: Fault[]): Promise<Fleet> {
  return startFleet({ processes, withAdd: true, timeoutMs, emulator: { faults } });
}

describe.runIf(isPosix)(`${processes} processes whose token endpoint is in trouble`, () => {
  test("send at most 3 requests while it answers 429, and none before Retry-After is over", { timeout }, async () => {
    await using fleet = await startInTrouble(5_000, { path, times: 3, status: 429, headers: { "retry-after": "60" } });
    const { emulator, everybody } = fleet;
    const refused = await everybody({ calls: 15 });
    expect(refused.tokens).toBe(0);
    expect(new Set(refused.errors.map((error) => error.split(":", 1)[0]))).toEqual(new Set(["TokenRequestError"]));
    await everybody({ calls: 15, advanceMs: 30_000 });
    expect(emulator.counts[path]).toBeLessThanOrEqual(3);
    if (long) console.log(`429 with Retry-After: 60, two rounds of 15 calls: ${emulator.counts[path]} token requests`);

    // Those that are left of the three come one after the other.
    for (let nth = emulator.counts[path]; nth < 3; nth++) await everybody({ calls: 1, advanceMs: 61_000 });
    const before = emulator.counts[path];
    const { tokens, errors } = await everybody({ calls: 5, advanceMs: 61_000 });
    expect({ tokens, errors }).toEqual({ tokens: processes * 5, errors: [] });
    expect(emulator.counts[path] - before).toBeLessThanOrEqual(2);
  });
});

describe.runIf(isPosix)(`${processes} processes that find a dead token in the store`, () => {
  test.for(["after a restart", "that somebody else wrote"])(
    "%s: every call goes through, and at most 2 token requests are sent",
    { timeout },
    async (origin) => {
      await using fleet = await startInTrouble(5_000);
      const { emulator, everybody } = fleet;
      if (origin === "after a restart") {
        await everybody({ calls: 1 });
        emulator.revokeTokens();
        await fleet.restart();
      } else {
        const identity = [emulator.url, emulator.client.clientId, "customers:read", "customers:write"];
        const entry = { identity, token: "dead", requestedAt: fleet.now() - 10_000, lifetimeMs: 1800_000 };
        const redis = await createClient({ url: fleet.redisUrl }).connect();
        await redis.set(await digest(identity), JSON.stringify(entry));
        await redis.quit();
      }
      const before = emulator.counts[path];
      for (const advanceMs of [0, 5_000, 30_000]) {
        const { tokens, errors } = await everybody({ calls: 10, advanceMs });
        expect({ tokens, errors }).toEqual({ tokens: processes * 10, errors: [] });
      }
      expect(emulator.counts[path] - before).toBeLessThanOrEqual(2);
      if (long) console.log(`a dead token in the store ${origin}: ${emulator.counts[path] - before} token requests`);
    },
  );
});
