import { describe, expect, test } from "vitest";
import * as quota from "../../../src/auth/quota.js";
import { readCases, readFixture } from "../../support/cases.js";
import { FakeClock } from "../../support/clock.js";

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

type Wait = [status: number | null, retryAfter: string | null, seconds: number];
const waits = readFixture<Wait[]>("token-request-waits");
const reset = new TypeError("fetch failed");
const response = (status: number, retryAfter?: string) => ({
  status,
  headers: new Headers(retryAfter === undefined ? {} : { "retry-after": retryAfter }),
});

describe("a due request", () => {
  test("is sent at once if none was sent before", () => {
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
});

/** Requests, and when the next one may follow. */
interface Step {
  due?: number;
  extra?: number;
  fails?: true;
  advance?: number;
  lifetimeMs?: number;
  next?: number;
  ledger?: object;
}

test.each(readCases<Step[]>("token-request-quota"))("%s", (_, steps) => {
  const requests = new Requests();
  for (const { due = 0, extra = 0, fails, advance = 0, lifetimeMs, next, ledger = {} } of steps) {
    requests.sendMany(due, true, fails && reset);
    requests.sendMany(extra, false, fails && reset);
    requests.clock.advance(advance);
    if (next !== undefined) expect(Math.max(0, requests.allowedAt(false, lifetimeMs))).toBe(next);
    expect(requests.ledger).toMatchObject(ledger);
  }
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

  test("a request whose outcome is never known counts as a failure", () => {
    const requests = new Requests();
    requests.ledger = quota.recordRequest(requests.ledger, 0, 1);
    expect(requests.allowedAt(false)).toBe(1_000);
    expect(requests.ledger).toMatchObject({ failures: 1, extra: [0] });
  });

  test.each(waits)(
    "with the status %s and the Retry-After %s the next one waits %i s",
    (status, retryAfter, seconds) => {
      const requests = new Requests();
      requests.send(true, status === null ? reset : response(status, retryAfter ?? undefined));
      expect(requests.allowedAt(false)).toBe(seconds * 1000);
    },
  );

  test.each([null, undefined, "a string", 7])("that is not an error (%j) it waits too", (failure) => {
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
