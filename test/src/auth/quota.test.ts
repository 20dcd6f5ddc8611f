import fc from "fast-check";
import { describe, expect, test } from "vitest";
import * as quota from "../../../src/auth/quota.js";
import { FakeClock } from "../../support/clock.js";

const fiveMinutesMs = 300_000;

/** Token requests, one after the other, and the ledger of them. */
class Requests {
  readonly clock = new FakeClock();
  ledger = quota.emptyLedger;
  random = 1;

  allowedAt(isDue: boolean, lifetimeMs = Infinity): number {
    return quota.allowedAt(this.ledger, isDue, lifetimeMs);
  }

  /** Sends one; without a failure it brings a token. */
  send(isDue: boolean, failure?: unknown): void {
    this.ledger = quota.recordRequest(this.ledger, this.clock.elapsedMs, this.random);
    this.ledger =
      failure === undefined
        ? quota.recordSuccess(this.ledger, isDue)
        : quota.recordFailure(this.ledger, failure, this.clock);
  }

  /** Sends so many, a second apart. */
  sendMany(count: number, isDue: boolean, failure?: unknown): void {
    for (let nth = 0; nth < count; nth++) {
      this.send(isDue, failure);
      this.clock.advance(1_000);
    }
  }
}

const reset = new TypeError("fetch failed");
const answer = (status: number, retryAfter?: string) => ({
  status,
  headers: new Headers(retryAfter === undefined ? {} : { "retry-after": retryAfter }),
});

describe("a due request", () => {
  test("is sent at once where none was sent before", () => {
    expect(new Requests().allowedAt(true)).toBe(-Infinity);
  });

  test("is sent always, at least a second after the last one", () => {
    const requests = new Requests();
    for (let nth = 0; nth < 100; nth++) {
      requests.send(true);
      expect(requests.allowedAt(true)).toBe(requests.clock.elapsedMs + 1_000);
      requests.clock.advance(1_000);
    }
  });

  test("counts against the budget only where it fails", () => {
    const requests = new Requests();
    requests.sendMany(15, true);
    expect(requests.allowedAt(false)).toBe(-Infinity);
    requests.send(true, reset);
    expect(requests.ledger.counted).toEqual([15_000]);
  });
});

describe("every other request is sent only while the last five minutes", () => {
  test("hold fewer than 15 of its kind", () => {
    const requests = new Requests();
    requests.sendMany(14, false);
    expect(requests.allowedAt(false)).toBeLessThan(0);
    requests.sendMany(1, false);
    expect(requests.allowedAt(false)).toBe(fiveMinutesMs);
  });

  test("hold fewer than 19 in all", () => {
    const requests = new Requests();
    requests.sendMany(18, true);
    expect(requests.allowedAt(false)).toBeLessThan(0);
    requests.sendMany(1, true);
    expect(requests.allowedAt(false)).toBe(fiveMinutesMs);
  });

  test("hold so few that the token's own renewals find room, where it lives for a minute", () => {
    const requests = new Requests();
    // Its renewals are 42 s apart at the least: seven in five minutes.
    requests.sendMany(11, false);
    expect(requests.allowedAt(false, 60_000)).toBeLessThan(0);
    requests.sendMany(1, false);
    expect(requests.allowedAt(false, 60_000)).toBe(fiveMinutesMs);
  });

  test("hold fewer than 15 of its kind, however many in all, where tokens live for less than 20 s", () => {
    const requests = new Requests();
    requests.sendMany(100, true);
    expect(requests.allowedAt(false, 19_999)).toBeLessThan(0);
    expect(requests.allowedAt(false, 20_000)).toBeGreaterThan(fiveMinutesMs);
    requests.sendMany(15, false);
    expect(requests.allowedAt(false, 2_000)).toBe(100_000 + fiveMinutesMs);
  });
});

describe("after a failure", () => {
  test.each([
    ["at the most", 1, 1],
    ["with the most jitter", 0, 0.9],
  ])("the next request waits about 1, 2, 4, 8, 16 and then 30 seconds, %s", (_, random, share) => {
    const requests = new Requests();
    requests.random = random;
    const waits = Array.from({ length: 8 }, () => {
      requests.send(false, reset);
      const waitMs = requests.allowedAt(false) - requests.clock.elapsedMs;
      requests.clock.advance(waitMs);
      return waitMs;
    });
    expect(waits).toEqual([1, 2, 4, 8, 16, 30, 30, 30].map((seconds) => seconds * 1000 * share));
  });

  test("a success ends the spacing, and stays counted where it was not due", () => {
    const requests = new Requests();
    requests.sendMany(5, false, reset);
    requests.send(false);
    expect(requests.allowedAt(false)).toBeLessThan(0);
    expect(requests.ledger.failures).toBe(0);
    expect(requests.ledger.counted).toHaveLength(6);
  });

  test("a request of which nothing is heard any more counts as a failure", () => {
    const requests = new Requests();
    requests.ledger = quota.recordRequest(requests.ledger, 0, 1);
    expect(requests.allowedAt(false)).toBe(1_000);
    expect(requests.ledger).toMatchObject({ failures: 1, counted: [0] });
  });

  test.each([
    [400, undefined, 60],
    [401, undefined, 60],
    [401, "5", 5],
    [429, "120", 120],
    [429, "300", 300],
    [429, "86400", 300],
    [503, "7", 7],
    [429, "0", 1],
    [429, undefined, 1],
    [500, undefined, 1],
    [403, undefined, 1],
    [undefined, undefined, 1],
  ])("with the status %s and the Retry-After %s the next one waits %i s", (status, retryAfter, seconds) => {
    const requests = new Requests();
    requests.send(true, status === undefined ? reset : answer(status, retryAfter));
    expect(requests.allowedAt(false)).toBe(seconds * 1000);
  });

  test.each([null, undefined, "a string", 7])("that is no error at all (%j) it waits too", (failure) => {
    const requests = new Requests();
    requests.ledger = quota.recordRequest(requests.ledger, 0, 1);
    expect(quota.recordFailure(requests.ledger, failure, requests.clock).retryAt).toBe(1_000);
  });
});

test.each([
  [1_800_000, 1_260_000, 1_440_000],
  [60_000, 42_000, 48_000],
  [20_000, 16_000, 16_000],
  [2_000, 1_600, 1_600],
  [Infinity, Infinity, Infinity],
])("a token of %i ms is renewed at the age of %i to %i ms", (lifetimeMs, earliest, latest) => {
  expect(Math.round(quota.renewalAgeMs(lifetimeMs, 0))).toBe(earliest);
  expect(Math.round(quota.renewalAgeMs(lifetimeMs, 1))).toBe(latest);
});

/** What a cache does: it waits for a while, or until the rule lets it, and sends a request that ends somehow. */
interface Step {
  waitMs: number;
  /** Whether the token that there is is to be replaced before its time. */
  early: boolean;
  random: number;
  tookMs: number;
  /** The life of the token that comes, or the failure. */
  outcome: { lifetimeMs: number } | { failure: unknown; holdMs: number };
}

const step: fc.Arbitrary<Step> = fc.record({
  waitMs: fc.oneof({ weight: 3, arbitrary: fc.constant(0) }, fc.nat(5_000), fc.nat(400_000)),
  early: fc.boolean(),
  random: fc.double({ min: 0, max: 1, noNaN: true }),
  tookMs: fc.oneof(fc.nat(50), fc.nat(10_000)),
  outcome: fc.oneof(
    { weight: 2, arbitrary: fc.record({ lifetimeMs: fc.constantFrom(30_000, 60_000, 1_800_000, Infinity) }) },
    fc.constant({ failure: reset, holdMs: 0 }),
    fc.constantFrom(500, 502, 200).map((status) => ({ failure: answer(status), holdMs: 0 })),
    fc.constantFrom(400, 401).map((status) => ({ failure: answer(status), holdMs: 60_000 })),
    fc
      .tuple(fc.constantFrom(400, 401, 429, 503), fc.oneof(fc.integer({ min: 1, max: 400 }), fc.constant(1e9)))
      .map(([status, seconds]) => ({
        failure: answer(status, String(seconds)),
        holdMs: Math.min(seconds, 300) * 1000,
      })),
  ),
});

test("whatever comes of requests, and whenever, the rule keeps its bounds and never forbids for more than five minutes", () => {
  fc.assert(
    fc.property(fc.array(step, { maxLength: 80 }), (steps) => {
      const requests = new Requests();
      const { clock } = requests;
      const sent: { at: number; counts: boolean }[] = [];
      let renewAt = -Infinity;
      let lifetimeMs = Infinity;
      let failures = 0;
      let heldUntil = -Infinity;
      const spacing = [0, 1, 2, 4, 8, 16, 30];

      for (const { waitMs, early, random, tookMs, outcome } of steps) {
        clock.advance(waitMs);
        const isDue = failures === 0 && clock.elapsedMs >= renewAt;
        if (!isDue && failures === 0 && !early) continue;
        const allowedAt = requests.allowedAt(isDue, lifetimeMs);
        expect(allowedAt).toBeLessThanOrEqual(clock.elapsedMs + fiveMinutesMs);
        clock.advance(Math.max(0, allowedAt - clock.elapsedMs));

        const at = clock.elapsedMs;
        const recent = sent.filter((request) => request.at > at - fiveMinutesMs);
        const last = sent.at(-1)?.at ?? -Infinity;
        if (isDue) {
          expect(at - last).toBeGreaterThanOrEqual(1_000);
        } else {
          expect(recent.filter(({ counts }) => counts).length).toBeLessThan(15);
          expect(recent.length).toBeLessThan(19);
          expect(at).toBeGreaterThanOrEqual(heldUntil);
          // A microsecond less, for what sums of fractions lose.
          expect(at - last).toBeGreaterThanOrEqual((spacing[Math.min(failures, 6)] as number) * 900 - 0.001);
        }

        requests.ledger = quota.recordRequest(requests.ledger, at, random);
        clock.advance(tookMs);
        sent.push({ at, counts: !isDue || "failure" in outcome });
        if ("failure" in outcome) {
          requests.ledger = quota.recordFailure(requests.ledger, outcome.failure, clock);
          heldUntil = clock.elapsedMs + outcome.holdMs;
          failures++;
        } else {
          requests.ledger = quota.recordSuccess(requests.ledger, isDue);
          lifetimeMs = outcome.lifetimeMs;
          renewAt = at + quota.renewalAgeMs(lifetimeMs, random);
          heldUntil = -Infinity;
          failures = 0;
        }
      }
    }),
  );
});
