import { createHash } from "node:crypto";
import fc from "fast-check";
import { Keyv } from "keyv";
import { beforeEach, describe, expect, test, vi } from "vitest";
import {
  clientCredentials,
  createCustomerTokensClient,
  TokenRequestError,
  type CustomerTokensClientOptions,
} from "../../../src/index.js";
import { sharedStore, type KeyValueStore } from "../../../src/auth/shared-token-store.js";
import { readFixture } from "../../support/cases.js";
import { bank, setUp, withStore } from "../../support/client.js";
import { FakeClock, hashAtOnce, settle } from "../../support/clock.js";
import {
  fakeService,
  json,
  later,
  request,
  type Script,
  stale,
  tokenResponse,
  unsignedJwt,
} from "../../support/service.js";
import { AddingStore, giving, MemoryStore, slow, ways } from "../../support/store.js";

beforeEach(hashAtOnce);

const identity = ["https://idp.example", "bank", "customers:read", "customers:write"];
const key = `cybrid-customer-tokens:${createHash("sha256").update(JSON.stringify(identity)).digest("hex")}`;
const lifetimeMs = 3600_000;

/** Processes that share a clock, a service and a store, with a client each. */
function fleet(
  size: number,
  script: Script = {},
  options: { clock?: FakeClock; store?: KeyValueStore; operationTimeoutMs?: number; timeoutMs?: number } = {},
) {
  const { clock = new FakeClock(), operationTimeoutMs = 1_000, timeoutMs = 10_000 } = options;
  const service = fakeService(script);
  const store = options.store ?? new AddingStore(clock);
  /** Starts another process; the function that it returns runs a call to its end. */
  const start = (index = 0, own: Partial<CustomerTokensClientOptions> = {}) => {
    const client = createCustomerTokensClient({
      auth: clientCredentials({ ...bank, store: sharedStore(store, { operationTimeoutMs }) }),
      baseUrl: "https://idp.example",
      fetch: service.fetch,
      clock,
      random: () => (size === 0 ? 0.5 : index / size),
      maxRetries: 0,
      timeoutMs,
      ...own,
    });
    return Object.assign(() => clock.run(client.createCustomerToken(request)), {
      begin: () => client.createCustomerToken(request),
    });
  };
  const each = Array.from({ length: size }, (_, index) => start(index));
  const all = (calls = 1) => clock.run(Promise.all(each.flatMap(({ begin }) => Array.from({ length: calls }, begin))));
  return { clock, start, create: each[0]!, each, all, ...service };
}

describe("a bank token comes from", () => {
  test.each<[string, (clock: FakeClock) => KeyValueStore]>([
    ["a Map with a lifetime", (clock) => new MemoryStore(clock)],
    ["a Map with add", (clock) => new AddingStore(clock)],
    ["a Keyv instance", () => new Keyv()],
  ])("the process's own copy, then the store, then a token request: %s", async (_, make) => {
    const clock = new FakeClock();
    const store = make(clock);
    const get = vi.spyOn(store, "get");
    const { start, tokenRequests, bankTokens } = fleet(0, {}, { store, clock });
    const first = start();
    await first();
    const looked = get.mock.calls.length;
    await first();
    expect(get).toHaveBeenCalledTimes(looked);
    await start(1)();
    expect(tokenRequests).toHaveLength(1);
    expect(bankTokens()).toEqual(Array(3).fill("bank-1"));
  });

  test.each([
    ["as long as it lives", 3600, lifetimeMs],
    ["for a day at most", undefined, 86_400_000],
  ])("a store that keeps it %s", async (_, expiresIn, ttlMs) => {
    const store = new MemoryStore();
    const { start, tokenRequests } = fleet(0, { tokens: [tokenResponse("opaque", expiresIn)] }, { store });
    await start()();
    expect(store.set).toHaveBeenCalledExactlyOnceWith(key, expect.any(String), ttlMs);
    await start()();
    expect(tokenRequests).toHaveLength(1);
  });

  test("a store for the same host, client and scopes only, in whatever order", async () => {
    const { start, bankTokens } = fleet(0);
    const store = sharedStore(new AddingStore());
    const auth = (clientId: string, ...scopes: string[]) => ({
      auth: clientCredentials({ clientId, clientSecret: "s3cret", scopes, store }),
    });
    await start(0, auth("a", "one", "two"))();
    await start(0, auth("a", "two", "one"))();
    await start(0, auth("a", "one"))();
    await start(0, auth("b", "one", "two"))();
    await start(0, { ...auth("a", "one", "two"), baseUrl: "https://other.example" })();
    expect(bankTokens()).toEqual([1, 1, 2, 3, 4].map((nth) => `bank-${nth}`));
  });
});

describe("a value from the store is checked:", () => {
  const nowMs = new FakeClock().wallMs;
  /** What a process does that finds this in its store. */
  async function meet(value: unknown) {
    const set = vi.fn();
    const { create, bankTokens, tokenRequests } = fleet(1, {}, { store: { get: () => value, set } });
    await expect(create()).resolves.toBeDefined();
    return { sent: bankTokens(), tokenRequests: tokenRequests.length, saved: set.mock.calls.length };
  }

  const { used, replaced } = readFixture<Record<"used" | "replaced", Record<string, unknown>>>("stored-bank-tokens");
  function stored([title, written]: [string, unknown]): [string, unknown] {
    if (typeof written !== "object" || written === null) return [title, written];
    const { token, ...entry } = written as { token?: unknown };
    return [title, JSON.stringify({ ...entry, token: typeof token === "object" ? unsignedJwt(token) : token })];
  }
  const good = JSON.stringify(used["as it should be"]);
  const large = good.replace("{", `{"later":"${"x".repeat(1_000_000 - 11 - good.length)}",`);

  test.each([...Object.entries(used).map(stored), ["with more than is known, up to a million characters", large]])(
    "%s, it is used",
    async (_, value) => {
      const { token } = JSON.parse(String(value)) as { token: unknown };
      await expect(meet(value)).resolves.toEqual({ sent: [token], tokenRequests: 0, saved: 0 });
    },
  );

  test.each([
    ...Object.entries(replaced).map(stored),
    ["bytes of something else", new Uint8Array([1, 2, 3])],
    ["an object that has no JSON", { ...Object(used["as it should be"]), self: 1n }],
    ["more than a million characters", good.padEnd(1_000_001)],
  ])("%s is passed over, and replaced", async (_, value) => {
    await expect(meet(value)).resolves.toEqual({ sent: ["bank-1"], tokenRequests: 1, saved: 1 });
  });

  test("whatever is there, the call gets its token", async () => {
    const entry = fc.record(
      {
        identity: fc.oneof(fc.constant(identity), fc.array(fc.string()), fc.jsonValue()),
        token: fc.oneof(fc.constant("shared"), fc.string(), fc.jsonValue()),
        requestedAt: fc.oneof(
          fc.integer({ min: -700_000, max: 10_000 }).map((ms) => nowMs + ms),
          fc.jsonValue(),
        ),
        lifetimeMs: fc.oneof(fc.constant(null), fc.integer({ min: 1 }), fc.double(), fc.jsonValue()),
      },
      { requiredKeys: [] },
    );
    const value = fc.oneof(
      { weight: 3, arbitrary: entry.map((fields) => JSON.stringify(fields)) },
      fc.json(),
      fc.string(),
      fc.anything(),
    );
    await fc.assert(fc.asyncProperty(value, async (found) => void (await meet(found))));
  });
});

describe("a store that returns a value", () => {
  test.each(ways)("%s: eight processes that start together share one token", async (_, way) => {
    const clock = new FakeClock();
    const { all, bankTokens } = fleet(8, {}, { store: giving(new AddingStore(clock), way), clock });
    await all();
    expect(clock.elapsedMs).toBeLessThan(500);
    expect(bankTokens()).toEqual(Array(8).fill("bank-1"));
  });
});

describe("a store that cannot be read", () => {
  test("keeps nobody waiting for a token that cannot be seen, and warns", async () => {
    const store = Object.assign(new AddingStore(), { get: () => undefined });
    const warn = vi.fn();
    const { start, clock, tokenRequests } = fleet(0, {}, { store });
    const each = Array.from({ length: 8 }, (_, index) =>
      start(index, { logger: { debug() {}, warn }, random: () => index / 8 }).begin(),
    );
    await clock.run(Promise.all(each));
    expect(clock.elapsedMs).toBeLessThan(3_200);
    expect(tokenRequests.length).toBeLessThanOrEqual(8);
    expect(warn).toHaveBeenCalledWith(
      "cybrid-customer-tokens: the store does not return what was written to it: nothing is shared",
    );
  });

  test("nor one whose tokens alone are lost, such as one that limits values", async () => {
    const clock = new FakeClock();
    const store = new AddingStore(clock);
    const { set } = store;
    store.set = vi.fn((at: string, value: string, ttlMs: number) => at === key || set(at, value, ttlMs));
    await fleet(8, {}, { store, clock }).all();
    expect(clock.elapsedMs).toBeLessThan(3_200);
  });
});

describe("a store that misbehaves makes no call fail:", () => {
  const never = () => new Promise<never>(() => {});
  const faults: Record<string, () => unknown> = {
    throws: () => {
      throw new Error("the store is down");
    },
    rejects: () => Promise.reject(new Error("the store is down")),
    hangs: never,
    "returns undefined": () => undefined,
    "returns an object": () => ({}),
    "says true": () => true,
    "says false": () => false,
    "says null": () => null,
  };
  const operations = [["get"], ["set"], ["add"], ["get", "set", "add"]];

  test.each(operations.flatMap((names) => Object.keys(faults).map((kind) => [names.join(), kind] as const)))(
    "%s %s",
    async (names, kind) => {
      const clock = new FakeClock();
      const store = new AddingStore(clock);
      for (const name of names.split(",")) Object.assign(store, { [name]: faults[kind] });
      const { all, tokenRequests } = fleet(4, {}, { store, clock });
      for (let round = 1; round <= 2; round++) {
        const startedAt = clock.elapsedMs;
        await expect(all()).resolves.toHaveLength(4);
        expect(tokenRequests.length).toBeLessThanOrEqual(4 * round);
        expect(clock.elapsedMs - startedAt).toBeLessThan(10_000);
        clock.advance(lifetimeMs);
      }
    },
  );

  test("one that hangs is waited for once, and then not used for a while", async () => {
    const store = { get: vi.fn(never), set: vi.fn(never) };
    const { clock, create } = fleet(1, { tokens: [tokenResponse("t", 5)] }, { store, operationTimeoutMs: 700 });
    await create();
    expect(clock.elapsedMs).toBe(700);
    clock.advance(5_000);
    await create();
    expect([store.get.mock.calls.length, store.set.mock.calls.length]).toEqual([1, 0]);
    clock.advance(5_000);
    await create();
    expect(store.get).toHaveBeenCalledTimes(2);
  });

  test.each([
    [999, 10_000],
    [900, 4_000],
    [240, 1_000],
    [20, 1_000],
    [Infinity, 400],
  ])("one that takes %d ms for each operation takes a quarter of %i ms at most, for all", async (ms, timeoutMs) => {
    const clock = new FakeClock();
    clock.advance(5_000);
    const fast = new AddingStore(clock);
    const { create, tokenRequests } = fleet(1, {}, { store: slow(fast, clock, ms), clock, timeoutMs });
    await expect(create()).resolves.toBeDefined();
    expect(tokenRequests).toHaveLength(1);
    expect(clock.elapsedMs - 5_000).toBeLessThanOrEqual(timeoutMs / 4);
    expect(fast.entries.has(key)).toBe(ms === 20);
  });

  test("one that fails long after it was given up", async () => {
    const { comes, fail } = later();
    await fleet(1, {}, { store: { get: comes, set() {} } }).create();
    fail(new Error("too late")); // would fail the test as an unhandled rejection
    await settle();
  });
});

test("a token that is rejected with 401 uses up no quota if the store never takes another one", async () => {
  const clock = new FakeClock();
  const entry = { identity, token: "old", requestedAt: clock.wallMs - 600_000, lifetimeMs: 7_200_000 };
  const store = { get: () => JSON.stringify(entry), set() {} };
  const { create, tokenRequests } = fleet(1, { customerTokens: [stale()] }, { store, clock });
  for (let call = 0; call < 200; call++) {
    await expect(create()).rejects.toMatchObject({ status: 401 });
    clock.advance(1_500);
  }
  expect(tokenRequests.length).toBeLessThanOrEqual(6);
});

describe("the claim", () => {
  test("is never ended by a holder that was slower than its claim: by then it may be another's", async () => {
    const clock = new FakeClock();
    const store = new AddingStore(clock);
    const [one, two] = [later(), later()];
    const { each } = fleet(2, { tokens: [one.comes, two.comes] }, { store, clock, timeoutMs: 60_000 });
    const claim = `${key}:claim`;
    const slow = each[0]!.begin();
    await settle();
    clock.advance(25_000); // longer than its claim
    const other = each[1]!.begin();
    await settle();
    const ofTheOther = store.entries.get(claim);
    one.respond(tokenResponse("slow", 3600));
    await slow;
    expect(store.entries.get(claim)).toBe(ofTheOther);
    two.respond(tokenResponse("other", 3600));
    await other;
    expect(store.entries.get(claim)?.endsAt).toBe(clock.elapsedMs + 1_000);
  });

  test("of holders that die one after the other is taken over three times, and then ends with its time", async () => {
    const { clock, start, tokenRequests } = fleet(0, {}, { timeoutMs: 60_000 });
    const diedAt: number[] = [];
    const fetch = () => {
      diedAt.push(clock.elapsedMs);
      return new Promise<Response>(() => {});
    };
    for (let nth = 0; nth < 5; nth++) {
      void start(0, { fetch })
        .begin()
        .catch(() => {});
      await settle();
      await clock.runUntil(clock.elapsedMs + 2_000);
    }
    await start()();
    expect([diedAt.length, tokenRequests.length]).toEqual([4, 1]);
    const [first = NaN, second = NaN] = diedAt;
    // The second process began after 2 s, and has seen the claim for 2.25 s.
    expect(second - first).toBeGreaterThanOrEqual(4_250);
    expect(second - first).toBeLessThan(4_400);
    const waitedMs = clock.elapsedMs - (diedAt.at(-1) ?? NaN);
    expect(waitedMs).toBeGreaterThanOrEqual(25_000);
    expect(waitedMs).toBeLessThan(25_200);
  });

  test("does not keep a process whose own request was refused from another's token", async () => {
    const store = new AddingStore();
    const script = { tokens: [json({ error: "invalid_client" }, 401), tokenResponse("t", 3600), json({}, 503)] };
    const { start, tokenRequests, clock } = fleet(0, script, { store });
    const refused = start();
    await expect(refused()).rejects.toThrow(TokenRequestError);
    // As by a process that could not read the store when it sent its request.
    store.entries.delete(`${key}:claim`);
    const claims = store.add.mock.calls.length;
    await expect(refused()).rejects.toThrow(TokenRequestError);
    expect(store.add).toHaveBeenCalledTimes(claims);
    await start()();
    await expect(refused()).resolves.toBeDefined();
    expect(tokenRequests).toHaveLength(2);
    // Its failure is forgotten: the next one is its first.
    clock.advance(lifetimeMs);
    await expect(refused()).rejects.toMatchObject({ status: 503, retryAfterSeconds: 1 });
  });
});

test("after a failure the claim ends when the endpoint says, or else soon, three times in five minutes", async () => {
  const clock = new FakeClock();
  const store = new AddingStore(clock);
  const retryLater = json({}, 503, { "retry-after": "60" });
  const tokens = [retryLater, ...Array(5).fill(json({}, 503)), tokenResponse("t", 3600)];
  const { start } = fleet(0, { tokens }, { store, clock });
  const claim = () => JSON.parse(store.entries.get(`${key}:claim`)?.value ?? "") as object;
  for (const waitMs of [60_000, 1_000, 2_000, 4_000, 25_000, 25_000]) {
    await expect(start()()).rejects.toMatchObject({ status: 503 });
    expect(claim()).toEqual({ state: "failed", status: 503, waitMs, until: clock.wallMs + waitMs });
    clock.advance(waitMs);
  }
  await start()();
  expect(claim()).toEqual({ state: "issued", waitMs: 0, until: clock.wallMs });
});

describe("the store's keys and values", () => {
  test("reveal neither the client nor its secret", async () => {
    const clock = new FakeClock();
    const store = new AddingStore(clock);
    await fleet(3, {}, { store, clock }).all();
    const seen = [store.get, store.set, store.add].flatMap(({ mock }) => mock.calls as unknown[][]);
    expect(seen.length).toBeGreaterThan(5);
    for (const [key, value] of seen) {
      expect(key).toMatch(/^cybrid-customer-tokens:[0-9a-f]{64}(?::claim|:retry-\d+)?$/);
      expect(String(value)).not.toContain("s3cret");
    }
    expect([...store.entries.keys()]).toContain(key);
  });

  test("have keys that the platform hashes", async () => {
    vi.mocked(crypto.subtle.digest).mockRestore();
    const store = new Map<string, string>();
    await setUp({}, { auth: withStore(store) }).create();
    expect([...store.keys()]).toEqual([key]);
  });
});
