import { beforeEach, describe, expect, test } from "vitest";
import { TimeoutError } from "../../../src/index.js";
import { type FakeClock, hashAtOnce } from "../../support/clock.js";
import { long } from "../../support/mode.js";
import { json, stale } from "../../support/service.js";
import { type Answer, simulate, type World } from "../../support/simulation.js";

// Minutes of trouble in no time: the requests of a client, or of a fleet, if the network or the service misbehaves.
// `npm run test:long -- test/src/auth/simulation.test.ts` plays ten new seeds at 20 calls a second, as the table in
// docs/fleets.md has them, and prints the figures. SEED=… plays again what has failed.

const given = process.env["SEED"];
const firstSeed = Number(given ?? (long ? Date.now() % 2 ** 31 : 1));
const seeds = Array.from({ length: long && given === undefined ? 10 : 1 }, (_, nth) => firstSeed + nth);

/** Calls a second of a busy backend. Unless the rate matters, few will do: the rule limits requests, not calls. */
const busy = long ? 20 : 2;
/** Long enough for requests to leave the window of five minutes again. */
const twoWindows = long ? 600 : 400;

/** The worst of all seeds. */
const figures: Record<string, Record<"most in 5 min" | "works after (s)", number>> = {};

beforeEach(hashAtOnce);

interface Row extends Partial<World> {
  name: string;
  /** The most token requests in any five minutes. */
  most: number;
  /** When the trouble ends, in seconds, and how many seconds later at the latest a call works. */
  recovers?: readonly [number, number];
  /** The share of calls that may fail. */
  failing?: number;
}

/** One server of several does not accept any token. */
const badReplica = (share: number): Pick<World, "customerToken"> => ({
  customerToken: ({ random }) => (random() < share ? stale() : undefined),
});
/** The token endpoint is in trouble for the first seconds. */
const outage = (seconds: number, answer: Answer): Pick<World, "token"> => ({
  token: (running) => (running.seconds < seconds ? answer : undefined),
});
const tooMany = (seconds: number) => json({}, 429, { "retry-after": String(seconds) });
const revokedEvery = (everySeconds: number): Pick<World, "plot"> => ({
  plot: ({ clock, revoke }) => {
    for (let nth = 1; nth < 20; nth++) clock.setTimeout(revoke, nth * everySeconds * 1000);
  },
});
/** The token endpoint is in trouble for five minutes. */
const fails = (answer: Answer) =>
  ({ most: 15, ...outage(300, answer), recovers: [300, 30], seconds: 340 }) satisfies Partial<Row>;

async function play({ name, most, recovers, failing = 1, ...row }: Row, seed: number) {
  const result = await simulate({ perSecond: busy, seconds: 320, ...row }, seed);
  const end = recovers ? recovers[0] * 1000 : 0;
  const works = result.outcomes.filter(({ error, endedAt }) => !error && endedAt >= end).map(({ endedAt }) => endedAt);
  const recovery = recovers ? Math.round((Math.min(...works) - end) / 100) / 10 : 0;
  const before = figures[name];
  figures[name] = {
    "most in 5 min": Math.max(result.most, before?.["most in 5 min"] ?? 0),
    "works after (s)": Math.max(recovery, before?.["works after (s)"] ?? 0),
  };
  const { late, early, pendingTimers, listeners } = result;
  expect({ late, early, pendingTimers, listeners }).toEqual({ late: [], early: [], pendingTimers: 0, listeners: 0 });
  expect(result.most).toBeLessThanOrEqual(most);
  expect(result.failed / result.outcomes.length).toBeLessThanOrEqual(failing);
  // One answer takes up to 50 ms, and a call needs two.
  if (recovers) expect(recovery).toBeLessThanOrEqual(recovers[1] + 0.2);
  return result;
}

const brief = { perSecond: 1, seconds: 900, most: 20 };
const rows: Row[] = [
  { name: "nothing", most: 1, failing: 0 },
  { name: "401 for 50 % of calls", most: 16, ...badReplica(0.5), failing: 0.5, seconds: twoWindows },
  { name: "401 for 10 % of calls", most: 16, ...badReplica(0.1), failing: 0.1, seconds: twoWindows },
  { name: "401 for 1 % of calls", most: 16, ...badReplica(0.01), failing: 0.01, seconds: twoWindows },
  { name: "401 for 10 %, one call a second", most: 16, perSecond: 1, ...badReplica(0.1), failing: 0.1 },
  { name: "401 for 10 %, without retries", most: 16, maxRetries: 0, ...badReplica(0.1), failing: 0.15 },
  { name: "401 for every call", most: 6, ...badReplica(1) },
  { name: "resets", ...fails("reset") },
  { name: "resets, one call a second", perSecond: 1, ...fails("reset") },
  { name: "resets, a call in ten seconds", perSecond: 0.1, ...fails("reset"), recovers: [300, 40] },
  { name: "resets, without retries", maxRetries: 0, ...fails("reset") },
  { name: "resets for 5 s", most: 5, ...outage(5, "reset"), recovers: [5, 8], seconds: 60 },
  { name: "its 200 breaks off", ...fails("cut") },
  { name: "it hangs", ...fails("hang") },
  { name: "it hangs, timeoutMs 2 s", timeoutMs: 2_000, ...fails("hang") },
  { name: "429 with Retry-After: 1", ...fails(tooMany(1)) },
  { name: "429 with Retry-After: 120", most: 3, ...outage(200, tooMany(120)), recovers: [200, 120] },
  { name: "429 without Retry-After", ...fails(json({}, 429)) },
  { name: "it answers 500", ...fails(json({}, 500)) },
  { name: "it answers 503", ...fails(json({}, 503)) },
  { name: "it answers HTML", ...fails(new Response("<html>")) },
  { name: "it refuses: 401", most: 6, ...outage(300, json({}, 401)), recovers: [300, 60], seconds: 370 },
  { name: "tokens revoked each minute", most: 7, ...revokedEvery(60), failing: 0, seconds: twoWindows },
  { name: "tokens revoked each 30 s, without retries", most: 12, maxRetries: 0, ...revokedEvery(30), failing: 0.1 },
  { name: "tokens of 2 s", most: 301, lifetimeSeconds: 2, failing: 0, seconds: 60 },
  { name: "tokens of 0.5 s", most: 301, lifetimeSeconds: 0.5, failing: 0, seconds: 60 },
  { name: "tokens of 20 s", most: 20, lifetimeSeconds: 20, failing: 0, seconds: twoWindows },
  { name: "tokens of 20 s, 401 for 50 %", lifetimeSeconds: 20, ...brief, ...badReplica(0.5) },
  { name: "tokens of 60 s, 401 for 50 %", lifetimeSeconds: 60, ...brief, ...badReplica(0.5) },
  {
    name: "tokens of 60 s, every other request is reset",
    lifetimeSeconds: 60,
    ...brief,
    token: ({ random }) => (random() < 0.5 ? "reset" : undefined),
  },
];

const inFleet = { perSecond: long ? 0.5 : 0.2, processes: 16, store: "with add" } as const;
const fleetRows: Row[] = [
  { name: "fleet: nothing", ...inFleet, most: 1, failing: 0 },
  { name: "fleet: 429, a call each", ...inFleet, most: 3, token: () => json({}, 429), seconds: 0.1 },
  { name: "fleet: 429 with Retry-After: 1, a call each", ...inFleet, most: 3, token: () => tooMany(1), seconds: 0.1 },
  { name: "fleet: 429 with Retry-After: 60", ...inFleet, most: 2, token: () => tooMany(60), seconds: 60 },
  { name: "fleet: 15 calls each, resets", ...inFleet, perSecond: 0.5, most: 15, token: () => "reset", seconds: 30 },
  { name: "fleet: resets", ...inFleet, perSecond: 0.2, ...fails("reset") },
  // Processes that wait look into the store ten times a second.
  { name: "fleet: it hangs", ...inFleet, processes: long ? 16 : 6, ...fails("hang") },
  { name: "fleet: 401 for 50 % of calls", ...inFleet, most: 16, processes: 4, ...badReplica(0.5), failing: 0.5 },
  { name: "fleet: restarts and revocations", ...inFleet, most: 7, ...revokedEvery(60), restartEvery: 20, failing: 0 },
  { name: "fleet: restarts while it resets", ...inFleet, processes: 4, restartEvery: 5, ...fails("reset") },
  { name: "fleet without retries: resets", ...inFleet, maxRetries: 0, ...fails("reset") },
  {
    name: "fleet: a dead token in the store is replaced",
    ...inFleet,
    most: 1,
    perSecond: 1,
    seconds: 60,
    stored: (key, { clock }) => (key.includes(":", 24) ? undefined : deadToken(clock)),
    failing: 0.02,
  },
];

function deadToken(clock: FakeClock): string {
  const identity = ["https://idp.example", "bank", "customers:read", "customers:write"];
  return JSON.stringify({ identity, token: "dead", requestedAt: clock.now() - 10_000, lifetimeMs: 1800_000 });
}

// Without `add`, or without a store, each client keeps to the rule for itself.
const apart = { perSecond: 0.5, processes: 4 } as const;
const apartRows = ([undefined, "without add"] as const).flatMap((store): Row[] => {
  const clients = { ...apart, ...(store && { store }) };
  return [
    { name: `4 clients, a store ${store}: resets`, ...clients, ...fails("reset"), most: 4 * 15 },
    { name: `4 clients, a store ${store}: revocations`, ...clients, most: 4 * 7, ...revokedEvery(60), failing: 0 },
  ];
});

describe.each(seeds)("token requests in any five minutes, deadlines and recovery, seed %i:", (seed) => {
  test.each([...rows, ...fleetRows, ...apartRows])("$name: at most $most", { timeout: 120_000 }, async (row) => {
    await play(row, seed);
  });

  test("a machine that was suspended replaces a token that it has not used yet", async () => {
    const row: Row = {
      name: "an hour of sleep",
      most: 3,
      perSecond: 1,
      seconds: 1500,
      // Just after the renewal in the background.
      plot: ({ clock }) => void clock.setTimeout(() => (clock.wallMs += 3600_000), 1480_000),
    };
    const { outcomes } = await play(row, seed);
    expect(outcomes.filter(({ error }) => error && !(error instanceof TimeoutError)).length).toBeLessThanOrEqual(1);
  });

  if (long) test("the figures", () => console.table(figures));
});
