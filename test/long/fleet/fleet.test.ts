import { beforeAll, beforeEach, describe, expect, test } from "vitest";
import { isPosix, long } from "../../support/mode.js";
import { has, needs } from "../../support/needs.js";
import { buildWorker, startFleet } from "./fleet.js";
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
      // The age at which tokens are renewed, in small steps: each process comes to it at another time.
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
