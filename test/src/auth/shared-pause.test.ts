import fc from "fast-check";
import { beforeEach, describe, expect, test } from "vitest";
import { TokenRequestError } from "../../../src/index.js";
import { setUp, withStore } from "../../support/client.js";
import { FakeClock, hashAtOnce } from "../../support/clock.js";
import { failureOf, tokenResponse } from "../../support/service.js";

beforeEach(hashAtOnce);

const nowMs = new FakeClock().wallMs;
const longestPauseMs = 300_000;
/** A process waits no longer for a claim that says nothing. */
const patienceMs = 3_200;

/** A process that finds this in place of the claim, and that it cannot take it, however often it looks. */
function meet(found: unknown, tokens = [tokenResponse("bank-1", 3600)]) {
  const store = {
    get: (key: string) => (key.endsWith(":claim") ? found : undefined),
    set() {},
    add: () => false,
  };
  return setUp({ tokens }, { auth: withStore(store), timeoutMs: 2 * longestPauseMs });
}

/** How long a call waits for whatever the store says. */
async function pauseMs(found: unknown): Promise<number> {
  const { clock, create } = meet(found);
  await clock.run(create());
  return clock.elapsedMs;
}

const claim = { failures: 1, waitMs: 42_000, until: nowMs + 42_000, state: "failed" };
const entry = (change: object) => JSON.stringify({ ...claim, ...change });

describe("the claim delays a process", () => {
  test.each([
    ["that is to wait", {}, 42_000],
    ["for five minutes at most", { waitMs: 300_000, until: nowMs + 300_000 }, 300_000],
    ["for the rest of the wait", { until: nowMs + 30_000 }, 30_000],
    ["for no longer than the wait, however far its writer's clock is ahead", { until: nowMs + 3600_000 }, 42_000],
    ["not at all if the time is over", { until: nowMs }, 0],
    ["not at all if it was over long ago", { until: nowMs - 3600_000 }, 0],
    ["after an early replacement", { state: "issued" }, 42_000],
    ["while a request is under way, if no quick retry is left", { state: "requesting" }, 42_000],
  ])("%s", async (_, change, expected) => {
    const waited = await pauseMs(entry(change));
    expect(waited).toBeGreaterThanOrEqual(expected);
    expect(waited).toBeLessThan(expected + patienceMs);
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
    const issued = meet(entry({ state: "issued" }));
    const message = "token requests are paused for 42 s";
    await expect(issued.create({ timeoutMs: 1_000 })).rejects.toMatchObject({ message });
  });
});

describe("anything else in its place is ignored:", () => {
  test.each([
    ["no JSON", entry({}).slice(1)],
    ["null", "null"],
    ["a claim whose holder has not written it yet", "1"],
    ["no end", entry({ until: null })],
    ["an invalid end", entry({ until: "soon" })],
    ["an end in a list", entry({ until: [nowMs + 3600_000] })],
    ["no wait", entry({ waitMs: null })],
    ["an invalid wait", entry({ waitMs: {} })],
    ["depth", `{"until":${"[".repeat(200_000)}${"]".repeat(200_000)}}`],
  ])("%s", async (_, found) => {
    await expect(pauseMs(found)).resolves.toBeLessThan(patienceMs);
  });

  test("an invalid status", async () => {
    const { create } = meet(entry({ status: "<script>" }));
    const error = await failureOf(create({ timeoutMs: 1_000 }));
    expect(error).toBeInstanceOf(TokenRequestError);
    expect(error).not.toHaveProperty("status", expect.anything());
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
  // Not "requesting": for minutes of that, a process looks into the store ten times a second.
  const state = fc.constantFrom<unknown>("failed", "issued", 7);
  const fields = { waitMs: near(0), until: near(nowMs), state, status: near(0) };
  const text = fc.record(fields, { requiredKeys: ["waitMs", "until"] }).map((value) => JSON.stringify(value));
  const found = fc.oneof({ weight: 5, arbitrary: text }, fc.json(), fc.string(), fc.anything());
  await fc.assert(
    fc.asyncProperty(found, async (value) => {
      expect(await pauseMs(value)).toBeLessThanOrEqual(longestPauseMs + patienceMs);
      const later = meet(value);
      await later.clock.run(later.create({ timeoutMs: 1 })).catch(() => {});
      later.clock.advance(longestPauseMs);
      await expect(later.clock.run(later.create())).resolves.toBeDefined();
      expect(later.clock.elapsedMs).toBeLessThanOrEqual(longestPauseMs + patienceMs);
    }),
    { numRuns: 300 },
  );
});
