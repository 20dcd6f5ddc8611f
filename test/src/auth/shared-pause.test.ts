import fc from "fast-check";
import { beforeEach, describe, expect, test } from "vitest";
import { TokenRequestError } from "../../../src/index.js";
import { setUp, withStore } from "../../support/client.js";
import { FakeClock, hashAtOnce } from "../../support/clock.js";
import { failureOf, tokenAnswer } from "../../support/service.js";

beforeEach(hashAtOnce);

const nowMs = new FakeClock().wallMs;
const longestHoldMs = 300_000;

/** A process that finds this in place of the fleet's record of token requests, however often it looks. */
function meet(found: unknown, tokens = [tokenAnswer("bank-1", 3600)]) {
  const store = {
    get: (key: string) => (key.endsWith(":quota") ? found : undefined),
    set() {},
    add: () => true,
  };
  return setUp({ tokens }, { auth: withStore(store), timeoutMs: 2 * longestHoldMs });
}

/** How long a call waits for whatever the store says; its error says so if it does not wait. */
async function holdMs(found: unknown): Promise<number> {
  const { clock, create } = meet(found);
  const error = await failureOf(clock.run(create()));
  if (error === undefined) return clock.elapsedMs;
  expect(error).toBeInstanceOf(TokenRequestError);
  const { retryAfterSeconds, status } = error as TokenRequestError;
  expect(status === undefined || Number.isInteger(status)).toBe(true);
  return clock.elapsedMs + (retryAfterSeconds - 1) * 1000;
}

const record = { failures: 1, waitMs: 42_000, until: nowMs + 42_000, state: "failed" };
const entry = (change: object) => JSON.stringify({ ...record, ...change });

describe("the fleet's record delays a process", () => {
  test.each([
    ["that is to wait", {}, 42_000],
    ["for five minutes at most", { waitMs: 300_000, until: nowMs + 300_000 }, 300_000],
    ["for the rest of the wait", { until: nowMs + 30_000 }, 30_000],
    ["for no longer than the wait, however far its writer's clock is ahead", { until: nowMs + 3600_000 }, 42_000],
    ["not at all if the time is over", { until: nowMs }, 0],
    ["not at all if it was over long ago", { until: nowMs - 3600_000 }, 0],
    ["after an early replacement", { state: "given", failures: 0 }, 42_000],
    ["not at all while a request is under way: it may claim the next", { state: "asking" }, 0],
  ])("%s", async (_, change, expected) => {
    await expect(holdMs(entry(change))).resolves.toBe(expected);
  });

  test("with the status of another process's failure", async () => {
    const { create, clock } = meet(entry({ status: 429 }));
    await expect(create({ timeoutMs: 1_000 })).rejects.toMatchObject({
      status: 429,
      retryAfterSeconds: 42,
      attempts: 0,
      message: "token requests are paused for 42 s after: another process's token request failed",
    });
    // It does not wait for what cannot come in time.
    expect(clock.elapsedMs).toBe(0);
    const given = meet(entry({ state: "given", failures: 0 }));
    const message = "token requests are paused for 42 s";
    await expect(given.create({ timeoutMs: 1_000 })).rejects.toMatchObject({ message });
  });
});

describe("anything else in its place is ignored:", () => {
  test.each([
    ["no JSON", entry({}).slice(1)],
    ["null", "null"],
    ["an older version's", JSON.stringify({ ledger: record, savedAt: nowMs })],
    ["no end", entry({ until: null })],
    ["an end as a string", entry({ until: String(record.until) })],
    ["a wait of more than five minutes", entry({ waitMs: 300_001 })],
    ["a wait without an end", entry({}).replace('"waitMs":42000', '"waitMs":1e999')],
    ["half a failure", entry({ failures: 0.5 })],
    ["less than no failure", entry({ failures: -1 })],
    ["a status that is none", entry({ status: "<script>" })],
    ["depth", `{"failures":${"[".repeat(200_000)}${"]".repeat(200_000)}}`],
  ])("%s", async (_, found) => {
    await expect(holdMs(found)).resolves.toBe(0);
  });

  // `JSON.stringify` throws on what `JSON.parse` has read.
  test("depth in place of a token, too", async () => {
    const deep = `{"identity":${"[".repeat(200_000)}${"]".repeat(200_000)}}`;
    const { clock, create } = setUp({}, { auth: withStore({ get: () => deep, set() {} }) });
    await expect(clock.run(create())).resolves.toBeDefined();
    expect(clock.elapsedMs).toBe(0);
  });
});

test("any value in its place delays a process by five minutes at most, however long it stays there", async () => {
  const odd = fc.constantFrom<unknown>(0, -0, -1, 2 ** 53, 1e300, -1e300, null, "0", []);
  const near = (ms: number) =>
    fc.oneof({ weight: 3, arbitrary: fc.integer({ min: ms - 400_000, max: ms + 400_000 }) }, odd);
  const state = fc.constantFrom<unknown>("asking", "failed", "given", 7);
  const fields = { failures: near(0), waitMs: near(0), until: near(nowMs), state, status: near(0) };
  const record = fc.record(fields, { requiredKeys: ["failures", "waitMs", "until"] });
  const text = record.map((value) => JSON.stringify(value));
  const found = fc.oneof({ weight: 5, arbitrary: text }, fc.json(), fc.string(), fc.anything());
  await fc.assert(
    fc.asyncProperty(found, async (value) => {
      expect(await holdMs(value)).toBeLessThanOrEqual(longestHoldMs);
      const later = meet(value);
      await later.create({ timeoutMs: 1 }).catch(() => {});
      later.clock.advance(longestHoldMs);
      await expect(later.clock.run(later.create())).resolves.toBeDefined();
      // Of a clock's sums, a fraction of a millisecond may be lost.
      expect(later.clock.elapsedMs).toBeLessThanOrEqual(longestHoldMs + 1);
    }),
    { numRuns: 300 },
  );
});
