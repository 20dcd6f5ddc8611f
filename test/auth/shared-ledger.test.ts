import fc from "fast-check";
import { beforeEach, describe, expect, test } from "vitest";
import { clientCredentials, TokenRequestError } from "../../src/index.js";
import { sharedStore } from "../../src/auth/shared-token-store.js";
import { setUp } from "../support/client.js";
import { FakeClock, hashAtOnce } from "../support/clock.js";
import { json, tokenAnswer } from "../support/service.js";

beforeEach(hashAtOnce);

const nowMs = new FakeClock().wallMs;
/** How far the clocks of two machines may be apart. */
const toleranceMs = 5_000;
const longestHoldMs = 300_000 + toleranceMs;

/** A process that finds this in place of the fleet's record of token requests, however often it looks. */
function meet(found: unknown, tokens = [tokenAnswer("bank-1", 3600)]) {
  const store = {
    get: (key: string) => (key.endsWith(":quota") ? found : undefined),
    set() {},
    add: () => true,
  };
  const auth = clientCredentials({ clientId: "bank", clientSecret: "s3cret", store: sharedStore(store) });
  return setUp({ tokens }, { auth, timeoutMs: 2 * longestHoldMs });
}

/** How long a call waits for whatever the store says; it tells so where it does not wait. */
async function holdMs(found: unknown): Promise<number> {
  const { clock, mint } = meet(found);
  const error: unknown = await clock.run(mint()).then(
    () => undefined,
    (reason: unknown) => reason,
  );
  if (error === undefined) return clock.elapsedMs;
  expect(error).toBeInstanceOf(TokenRequestError);
  const { retryAfterSeconds, status } = error as TokenRequestError;
  expect(status === undefined || Number.isInteger(status)).toBe(true);
  return clock.elapsedMs + (retryAfterSeconds - 1) * 1000;
}

const ledger = { sent: [nowMs - 1_000], counted: [nowMs - 1_000], failures: 1, isPending: false, retryAt: nowMs };
const entry = (change: object, savedAt: unknown = nowMs) =>
  JSON.stringify({ ledger: { ...ledger, ...change }, savedAt });
const times = (count: number, time: unknown) => Array.from({ length: count }, () => time);

describe("the fleet's record of token requests holds up a process", () => {
  test.each([
    ["that is to wait", { retryAt: nowMs + 42_000 }, 42_000],
    ["for five minutes at most", { retryAt: nowMs + 300_000 }, 300_000],
    ["where the budget is used up", { counted: times(15, nowMs - 1_000) }, 299_000],
    ["where the quota is used up", { sent: times(19, nowMs - 2_000) }, 298_000],
    ["not at all where the time is over", {}, 0],
  ])("%s", async (_, change, expected) => {
    await expect(holdMs(entry(change))).resolves.toBe(expected);
  });

  test("with the status of another process's failure", async () => {
    const { mint } = meet(entry({ retryAt: nowMs + 42_000, status: 429 }));
    await expect(mint({ timeoutMs: 1_000 })).rejects.toMatchObject({ status: 429, retryAfterSeconds: 42, attempts: 0 });
  });
});

describe("what is no such record is passed over:", () => {
  const held = { retryAt: nowMs + 42_000 };
  test.each([
    ["no string", JSON.parse(entry(held))],
    ["no JSON", entry(held).slice(1)],
    ["null", "null"],
    ["no ledger", JSON.stringify({ savedAt: nowMs })],
    ["a ledger of null", JSON.stringify({ ledger: null, savedAt: nowMs })],
    ["no time of writing", entry(held, null)],
    ["one from the future", entry(held, nowMs + toleranceMs + 1)],
    ["a wait of more than five minutes", entry({ retryAt: nowMs + 300_001 })],
    ["a wait without an end", entry(held).replace(String(held.retryAt), "1e999")],
    ["a wait as a string", entry({ retryAt: String(held.retryAt) })],
    ["requests after its writing", entry({ ...held, sent: [nowMs + 1] })],
    ["more requests than are kept", entry({ ...held, sent: times(21, nowMs) })],
    ["counted requests that are no list", entry({ ...held, counted: { length: 1 } })],
    ["counted requests that are no times", entry({ ...held, counted: ["1"] })],
    ["half a failure", entry({ ...held, failures: 0.5 })],
    ["less than no failure", entry({ ...held, failures: -1 })],
    ["a status that is none", entry({ ...held, status: "<script>" })],
    ["depth", `{"ledger":${"[".repeat(200_000)}${"]".repeat(200_000)}}`],
  ])("%s", async (_, found) => {
    await expect(holdMs(found)).resolves.toBe(0);
  });

  // `JSON.stringify` throws on what `JSON.parse` has read.
  test("depth in place of a token, too", async () => {
    const deep = `{"identity":${"[".repeat(200_000)}${"]".repeat(200_000)}}`;
    const store = { get: () => deep, set() {} };
    const auth = clientCredentials({ clientId: "bank", clientSecret: "s3cret", store: sharedStore(store) });
    const { clock, mint } = setUp({}, { auth });
    await expect(clock.run(mint())).resolves.toBeDefined();
    expect(clock.elapsedMs).toBe(0);
  });
});

describe("whatever stands in the place of the record", () => {
  const time = fc.oneof(
    { weight: 3, arbitrary: fc.integer({ min: -400_000, max: 400_000 }).map((ms) => nowMs + ms) },
    fc.constantFrom(nowMs, nowMs + toleranceMs, 0, -1, 1e300, -1e300, null, "0"),
  );
  const list = fc.oneof({ weight: 4, arbitrary: fc.array(time, { maxLength: 21 }) }, fc.jsonValue());
  const count = fc.oneof({ weight: 4, arbitrary: fc.nat(30) }, fc.constant(2 ** 53), fc.jsonValue());
  const record = fc.record({
    ledger: fc.record(
      { sent: list, counted: list, failures: count, retryAt: time, isPending: fc.boolean(), status: count },
      { requiredKeys: ["sent", "counted", "failures", "retryAt"] },
    ),
    // What is from the future counts only when that has come: it would hold up a process later than the test looks.
    savedAt: fc.oneof(
      fc.integer({ min: -400_000, max: toleranceMs }).map((ms) => nowMs + ms),
      fc.constantFrom(0, 1e300, -1e300, null, "0"),
    ),
  });
  const found = fc.oneof(
    { weight: 5, arbitrary: record.map((value) => JSON.stringify(value)) },
    fc.json(),
    fc.string(),
    fc.anything(),
  );

  test("holds a call up for no more than five minutes, and for no longer however long it stands there", async () => {
    await fc.assert(
      fc.asyncProperty(found, async (value) => {
        expect(await holdMs(value)).toBeLessThanOrEqual(longestHoldMs);
        const later = meet(value);
        later.clock.advance(longestHoldMs);
        await expect(later.clock.run(later.mint())).resolves.toBeDefined();
        // From one clock to the other and back, a fraction of a millisecond may be lost.
        expect(later.clock.elapsedMs).toBeLessThanOrEqual(longestHoldMs + 1);
      }),
      { numRuns: 300 },
    );
  });

  test("does not keep a process from its own failures' spacing", async () => {
    await fc.assert(
      fc.asyncProperty(found, async (value) => {
        const { clock, mint, tokenRequests } = meet(value, [json({}, 429, { "retry-after": "60" })]);
        clock.advance(longestHoldMs);
        await clock.run(mint()).catch(() => {});
        const [sentAt, before] = [clock.elapsedMs, tokenRequests.length];
        await clock.run(mint({ timeoutMs: 30_000 })).catch(() => {});
        expect([clock.elapsedMs, tokenRequests.length]).toEqual([sentAt, before]);
      }),
      { numRuns: 100 },
    );
  });
});
