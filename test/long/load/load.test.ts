import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { afterAll, expect, test } from "vitest";
import { Agent, fetch as undiciFetch } from "undici";
import { startEmulator } from "../../../src/emulator/emulator.js";
import { clientCredentials, createCustomerTokensClient } from "../../../src/index.js";
import { systemClock } from "../../../src/http/deadline.js";
import { settle } from "../../support/clock.js";
import { long } from "../../support/mode.js";

// One client under load, over real sockets; only the age of the tokens is make-believe, so that nobody waits.

const concurrentCalls = long ? 10_000 : 500;
const rounds = long ? 4 : 3;
const lifetimeSeconds = 1800;

setFlagsFromString("--expose-gc");
const collectGarbage = runInNewContext("gc") as () => void;

// As many connections as an address may well hold.
const agent = new Agent({ connections: 128 });
afterAll(() => agent.close());

function heapBytes(): number {
  for (let turn = 0; turn < 3; turn++) collectGarbage();
  return process.memoryUsage().heapUsed;
}

test(
  `${concurrentCalls} concurrent calls, cold, with the token expiring underneath, ${rounds} rounds`,
  { timeout: long ? 900_000 : 120_000 },
  async () => {
    let offsetMs = 0;
    let created = 0;
    // The client sets no timer but on its clock, and other tests in this process set theirs elsewhere.
    const timers = new Set<() => void>();
    await using emulator = await startEmulator({
      bankTokenLifetimeSeconds: lifetimeSeconds,
      now: () => Date.now() + offsetMs,
      // In the middle of each round, with most of its calls under way.
      onRequest: ({ path, status }) => {
        if (path === "/api/customer_tokens" && status === 201 && ++created % concurrentCalls === concurrentCalls / 2) {
          offsetMs += lifetimeSeconds * 1000;
        }
      },
    });
    const client = createCustomerTokensClient({
      auth: clientCredentials(emulator.client),
      baseUrl: emulator.url,
      timeoutMs: 600_000,
      maxRetries: 0,
      fetch: ((input: string, init: object) => undiciFetch(input, { ...init, dispatcher: agent })) as typeof fetch,
      clock: {
        now: () => systemClock.now() + offsetMs,
        monotonic: () => systemClock.monotonic() + offsetMs,
        setTimeout(callback, delayMs) {
          const cancel = systemClock.setTimeout(() => {
            timers.delete(cancel);
            callback();
          }, delayMs);
          timers.add(cancel);
          return () => {
            timers.delete(cancel);
            cancel();
          };
        },
      },
    });
    const request = { customer_guid: emulator.customerGuid, scopes: ["customers:read" as const] };

    const table: Record<string, number>[] = [];
    const heap: number[] = [];
    for (let round = 1; round <= rounds; round++) {
      const startedAt = performance.now();
      const counts = { ...emulator.counts };
      const tokens = await Promise.all(
        Array.from({ length: concurrentCalls }, () => client.createCustomerToken(request)),
      );
      const seconds = (performance.now() - startedAt) / 1000;
      const tokenRequests = emulator.counts["/oauth/token"] - counts["/oauth/token"];
      expect(new Set(tokens.map(({ access_token }) => access_token)).size).toBe(concurrentCalls);
      // The first round is cold; each sees one token expire.
      expect(tokenRequests).toBe(round === 1 ? 2 : 1);
      tokens.length = 0;
      await settle();
      heap.push(heapBytes());
      table.push({
        calls: concurrentCalls,
        "sent twice, for an expired token":
          emulator.counts["/api/customer_tokens"] - counts["/api/customer_tokens"] - concurrentCalls,
        "token requests": tokenRequests,
        "calls per second": Math.round(concurrentCalls / seconds),
        "heap afterwards, MB": Math.round((heap.at(-1) ?? 0) / 1e5) / 10,
      });
    }
    if (long) console.table(table);

    // The first rounds warm up. In the long run, a leak of 50 bytes a call would show.
    expect((heap.at(-1) ?? 0) - (heap[1] ?? 0)).toBeLessThan(1_000_000);
    expect(timers.size).toBe(0);
  },
);
