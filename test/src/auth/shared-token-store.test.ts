import { createHash } from "node:crypto";
import fc from "fast-check";
import { Keyv } from "keyv";
import { beforeEach, describe, expect, test, vi } from "vitest";
import {
  clientCredentials,
  createCustomerTokensClient,
  InvalidArgumentError,
  TokenRequestError,
  type CustomerTokensClientOptions,
} from "../../../src/index.js";
import { sharedStore, type KeyValueStore } from "../../../src/auth/shared-token-store.js";
import { FakeClock, hashAtOnce, settle } from "../../support/clock.js";
import {
  customerToken,
  fakeService,
  guid,
  json,
  stale,
  tokenAnswer,
  unsignedJwt,
  type Seen,
} from "../../support/service.js";

beforeEach(hashAtOnce);

/** A store in memory whose entries end by the fake clock. */
class MemoryStore implements KeyValueStore {
  readonly entries = new Map<string, { value: string; endsAt: number }>();
  protected readonly clock: FakeClock;

  constructor(clock: FakeClock) {
    this.clock = clock;
  }

  get = vi.fn((key: string): unknown => {
    const entry = this.entries.get(key);
    return entry && entry.endsAt > this.clock.elapsedMs ? entry.value : undefined;
  });
  set = vi.fn((key: string, value: string, ttlMs: number): unknown => {
    this.entries.set(key, { value, endsAt: this.clock.elapsedMs + ttlMs });
    return true;
  });
}

class AddingStore extends MemoryStore {
  add = vi.fn((key: string, value: string, ttlMs: number): boolean => {
    if ((this.entries.get(key)?.endsAt ?? 0) > this.clock.elapsedMs) return false;
    this.entries.set(key, { value, endsAt: this.clock.elapsedMs + ttlMs });
    return true;
  });
}

const request = { customer_guid: guid, scopes: ["customers:read" as const] };
const identity = ["https://idp.example", "bank", "customers:read", "customers:write"];
const key = `cybrid-customer-tokens:${createHash("sha256").update(JSON.stringify(identity)).digest("hex")}`;
const lifetimeMs = 3600_000;

/** Processes that share a clock, a service and a store, with a client each. */
function fleet(
  size: number,
  script: Parameters<typeof fakeService>[0] = {},
  options: { clock?: FakeClock; store?: KeyValueStore; operationTimeoutMs?: number; timeoutMs?: number } = {},
) {
  const { clock = new FakeClock(), timeoutMs = 10_000 } = options;
  const service = fakeService(script);
  const store = options.store ?? new AddingStore(clock);
  const { operationTimeoutMs = 1_000 } = options;
  const start = (index: number, own: Partial<CustomerTokensClientOptions> = {}) => {
    const client = createCustomerTokensClient({
      auth: clientCredentials({
        clientId: "bank",
        clientSecret: "s3cret",
        store: sharedStore(store, { operationTimeoutMs }),
      }),
      baseUrl: "https://idp.example",
      fetch: service.fetch,
      clock,
      random: () => (size === 0 ? 0.5 : index / size),
      maxRetries: 0,
      timeoutMs,
      ...own,
    });
    return () => client.createCustomerToken(request);
  };
  const mints = Array.from({ length: size }, (_, index) => start(index));
  const all = () => clock.run(Promise.all(mints.map((mint) => mint())));
  return { clock, start, mint: mints[0] as () => ReturnType<ReturnType<typeof start>>, each: mints, all, ...service };
}

const bearerOf = ({ headers }: Seen) => headers.get("authorization");
/** Answers 401 to one bank token, and mints with any other. */
const refuse = (token: string) => (seen: Seen) => (bearerOf(seen) === `Bearer ${token}` ? stale() : customerToken("c"));

describe("arguments", () => {
  test.each([undefined, null, {}, { get: () => {} }, { get: 1, set: 2 }])("refuses the store %j", (store) => {
    expect(() => sharedStore(store as never)).toThrow(InvalidArgumentError);
    expect(() => sharedStore(store as never)).toThrow(/^store: expected /);
  });

  test.each([
    ["options", null],
    ["operationTimeout", { operationTimeout: 500 }],
  ])("names %s where the options are wrong", (field, options) => {
    expect(() => sharedStore(new Map(), options as never)).toThrow(expect.objectContaining({ field }));
  });

  test.each([0, -1, NaN, Infinity, 2 ** 31])("refuses the operationTimeoutMs %s", (operationTimeoutMs) => {
    expect(() => sharedStore(new Map(), { operationTimeoutMs })).toThrow(/^operationTimeoutMs: expected /);
  });
});

describe("a bank token comes from", () => {
  const stores = [
    ["a Map with a lifetime", (clock: FakeClock) => new MemoryStore(clock)],
    ["a Map with add", (clock: FakeClock) => new AddingStore(clock)],
    ["a Keyv instance", () => new Keyv()],
  ] as const;

  test.each(stores)("the process's own copy, then the store, then a token request: %s", async (_, make) => {
    const clock = new FakeClock();
    const store = make(clock);
    const get = vi.spyOn(store, "get");
    const { start, tokenRequests, mints } = fleet(0, {}, { store, clock });
    const first = start(0);
    await clock.run(first());
    expect(tokenRequests).toHaveLength(1);

    const looked = get.mock.calls.length;
    await clock.run(first());
    expect(get).toHaveBeenCalledTimes(looked);

    await clock.run(start(1)());
    expect(tokenRequests).toHaveLength(1);
    expect(mints.map(bearerOf)).toEqual(Array(3).fill("Bearer bank-1"));
  });

  test("a store that keeps it as long as it lives", async () => {
    const clock = new FakeClock();
    const store = new MemoryStore(clock);
    await clock.run(fleet(1, {}, { store, clock }).mint());
    expect(store.set).toHaveBeenCalledExactlyOnceWith(key, expect.any(String), lifetimeMs);
  });

  test("a store that keeps it for a day at most", async () => {
    const clock = new FakeClock();
    const store = new MemoryStore(clock);
    const { start, tokenRequests } = fleet(0, { tokens: [tokenAnswer("opaque")] }, { store, clock });
    await clock.run(start(0)());
    expect(store.set).toHaveBeenCalledExactlyOnceWith(key, expect.any(String), 86_400_000);
    await clock.run(start(1)());
    expect(tokenRequests).toHaveLength(1);
  });

  test("a store for the same host, client and scopes only, in whatever order", async () => {
    const { clock, start, tokenRequests, mints } = fleet(0);
    const store = new AddingStore(clock);
    const auth = (clientId: string, ...scopes: string[]) => ({
      auth: clientCredentials({ clientId, clientSecret: "s3cret", scopes, store: sharedStore(store) }),
    });
    const clients = [
      start(0, auth("a", "one", "two")),
      start(0, auth("a", "two", "one")),
      start(0, auth("a", "one")),
      start(0, auth("b", "one", "two")),
      start(0, { ...auth("a", "one", "two"), baseUrl: "https://other.example" }),
    ];
    for (const mint of clients) await clock.run(mint());
    expect(tokenRequests).toHaveLength(4);
    expect(mints.map(bearerOf)).toEqual([1, 1, 2, 3, 4].map((nth) => `Bearer bank-${nth}`));
  });
});

describe("token requests of 16 processes", () => {
  const kinds = [
    ["with add", (clock: FakeClock) => new AddingStore(clock), 1],
    ["without add", (clock: FakeClock) => new MemoryStore(clock), 16],
  ] as const;

  test.each(kinds)("that start together, ten calls each, %s: %#", async (_, make, expected) => {
    const clock = new FakeClock();
    const { each, tokenRequests, mints } = fleet(16, {}, { store: make(clock), clock });
    await clock.run(Promise.all(each.flatMap((mint) => Array.from({ length: 10 }, mint))));
    expect(tokenRequests).toHaveLength(expected);
    expect(mints).toHaveLength(160);
  });

  test.each(kinds)("whose token has expired while they were idle, %s", async (_, make, expected) => {
    const clock = new FakeClock();
    const { all, tokenRequests } = fleet(16, {}, { store: make(clock), clock });
    await all();
    clock.advance(lifetimeMs);
    await all();
    expect(tokenRequests).toHaveLength(2 * expected);
  });

  test.each(kinds)("over a renewal: one renews, and the others find it, %s", async (_, make, expected) => {
    const clock = new FakeClock();
    const { all, tokenRequests, mints } = fleet(16, {}, { store: make(clock), clock });
    await all();
    clock.advance(lifetimeMs * 0.69);
    for (let step = 0; step < 24; step++) {
      await all();
      await settle();
      clock.advance(lifetimeMs * 0.005);
    }
    expect(tokenRequests).toHaveLength(expected + 1);
    await all();
    expect(new Set(mints.slice(-16).map(bearerOf))).toEqual(new Set([`Bearer bank-${expected + 1}`]));
  });
});

describe("what comes out of the store is checked:", () => {
  const nowMs = new FakeClock().wallMs;
  const good = { identity, token: "shared", requestedAt: nowMs - 60_000, lifetimeMs: 600_000 };

  /** What a process does that finds this in its store. */
  async function meet(value: unknown) {
    const clock = new FakeClock();
    const set = vi.fn();
    const { mint, mints, tokenRequests } = fleet(1, {}, { store: { get: () => value, set }, clock });
    await expect(clock.run(mint())).resolves.toBeDefined();
    return { sent: bearerOf(mints[0] as Seen), tokenRequests: tokenRequests.length, saved: set.mock.calls.length };
  }
  const taken = { sent: "Bearer shared", tokenRequests: 0, saved: 0 };
  const passedOver = { sent: "Bearer bank-1", tokenRequests: 1, saved: 1 };

  test.each([
    ["as it should be", good],
    ["without a stated life", { ...good, lifetimeMs: null }],
    ["from a clock that is a little ahead", { ...good, requestedAt: nowMs + 4_000 }],
    ["with more than is known", { ...good, later: true }],
    ["that its own claims bound", { ...good, token: unsignedJwt({ iat: 0, exp: 61 }) }],
  ])("%s, it is used", async (_, entry) => {
    const sent = `Bearer ${entry.token}`;
    await expect(meet(JSON.stringify(entry))).resolves.toEqual({ ...taken, sent });
  });

  test.each([
    ["null", null],
    ["a function", () => good],
    ["bytes of something else", new Uint8Array([1, 2, 3])],
    ["an object that has no JSON", { ...good, self: 1n }],
    ["no JSON", "shared"],
    ["cut JSON", JSON.stringify(good).slice(0, -1)],
    ["more than a million characters", JSON.stringify(good).padEnd(1_000_001)],
    ["JSON null", "null"],
    ["an array", "[]"],
    ["a JSON string", '"shared"'],
    ["no token", { ...good, token: undefined }],
    ["a number for a token", { ...good, token: 7 }],
    ["an empty token", { ...good, token: "" }],
    ["a token that no header can hold", { ...good, token: "a\r\nb" }],
    ["no time", { ...good, requestedAt: undefined }],
    ["a time as a string", { ...good, requestedAt: String(good.requestedAt) }],
    ["no life", { ...good, lifetimeMs: undefined }],
    ["a life of nothing", { ...good, lifetimeMs: 0 }],
    ["a life below nothing", { ...good, lifetimeMs: -1 }],
    ["a life as a string", { ...good, lifetimeMs: "600000" }],
    ["another host", { ...good, identity: ["https://other.example", ...identity.slice(1)] }],
    ["another client", { ...good, identity: [identity[0], "other", ...identity.slice(2)] }],
    ["fewer scopes", { ...good, identity: identity.slice(0, -1) }],
    ["no identity", { ...good, identity: undefined }],
    ["an expired token", { ...good, lifetimeMs: 60_000 }],
    ["a token that has expired by its own claim", { ...good, token: unsignedJwt({ exp: nowMs / 1000 }) }],
    ["a token that has expired by its own claims", { ...good, token: unsignedJwt({ iat: 0, exp: 60 }) }],
    ["a token from the future", { ...good, requestedAt: nowMs + 6_000 }],
  ])("%s is passed over, and replaced", async (_, entry) => {
    const isEntry = Object.getPrototypeOf(entry ?? 0) === Object.prototype && !("self" in (entry as object));
    await expect(meet(isEntry ? JSON.stringify(entry) : entry)).resolves.toEqual(passedOver);
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

/** Ways in which real stores give a value: parsed (Upstash, unstorage), as bytes (`getBuffer`, memjs), as JSON of JSON. */
const ways: [string, (text: string) => unknown][] = [
  ["as it was set", (text) => text],
  ["parsed", (text) => JSON.parse(text) as unknown],
  ["as a Buffer", (text) => Buffer.from(text)],
  ["as bytes in the middle of others", (text) => Buffer.from(`xx${text}xx`).subarray(2, -2)],
  ["as a DataView", (text) => new DataView(new TextEncoder().encode(text).buffer)],
  ["as an ArrayBuffer", (text) => new TextEncoder().encode(text).buffer],
  ["as JSON of JSON", (text) => JSON.stringify(text)],
];

describe("a store that gives a value", () => {
  test.each(ways)("%s: eight processes that start together share one token", async (_, give) => {
    const clock = new FakeClock();
    const store = new AddingStore(clock);
    const { get } = store;
    store.get = vi.fn((key: string) => {
      const text = get(key);
      return typeof text === "string" ? give(text) : text;
    });
    const { all, tokenRequests, mints } = fleet(8, {}, { store, clock });
    await all();
    expect(tokenRequests).toHaveLength(1);
    expect(clock.elapsedMs).toBeLessThan(500);
    expect(new Set(mints.map(bearerOf))).toEqual(new Set(["Bearer bank-1"]));
  });
});

describe("a store that cannot be read", () => {
  const blind = (clock: FakeClock) => Object.assign(new AddingStore(clock), { get: vi.fn(() => undefined) });

  test("keeps nobody waiting for a token that cannot be seen, and somebody is told", async () => {
    const clock = new FakeClock();
    const lines: string[] = [];
    const logger = { debug() {}, warn: (line: string) => void lines.push(line) };
    const { start, tokenRequests } = fleet(0, {}, { store: blind(clock), clock });
    const each = Array.from({ length: 8 }, (_, index) => start(index, { logger, random: () => index / 8 }));
    await clock.run(Promise.all(each.map((mint) => mint())));
    expect(clock.elapsedMs).toBeLessThan(3_200);
    expect(tokenRequests.length).toBeLessThanOrEqual(8);
    expect(lines).toContain(
      "cybrid-customer-tokens: the store does not give back what was written to it: nothing is shared",
    );
  });

  test("nor one whose tokens alone are lost, as where values have a limit", async () => {
    const clock = new FakeClock();
    const store = new AddingStore(clock);
    const { set } = store;
    store.set = vi.fn((at: string, value: string, ttlMs: number) => at === key || set(at, value, ttlMs));
    const { all } = fleet(8, {}, { store, clock });
    await all();
    expect(clock.elapsedMs).toBeLessThan(3_200);
  });

  test("is no reason to wait at all where its add knows nothing, as a test double's", async () => {
    const store = { get: () => undefined, set: () => undefined, add: () => undefined as never };
    const { all, clock } = fleet(2, {}, { store });
    await all();
    expect(clock.elapsedMs).toBe(0);
  });
});

describe("a store that misbehaves never costs a call its token:", () => {
  const never = () => new Promise<never>(() => {});
  const faults = {
    throws: () => {
      throw new Error("the store is down");
    },
    rejects: () => Promise.reject(new Error("the store is down")),
    hangs: never,
    "gives undefined": () => undefined,
    "gives an object": () => ({}),
    "says true": () => true,
    "says false": () => false,
    "says null": () => null,
  } as const;
  const cases = (["get", "set", "add"] as const).flatMap((operation) =>
    Object.entries(faults).map(([kind, fault]) => [operation, kind, fault] as const),
  );

  test.each(cases)("%s %s", async (operation, _, fault) => {
    const clock = new FakeClock();
    const store = new AddingStore(clock);
    Object.assign(store, { [operation]: fault });
    const { all, tokenRequests } = fleet(4, {}, { store, clock, timeoutMs: 10_000 });
    await expect(all()).resolves.toHaveLength(4);
    expect(tokenRequests.length).toBeLessThanOrEqual(4);
    expect(clock.elapsedMs).toBeLessThan(10_000);

    clock.advance(lifetimeMs);
    await expect(all()).resolves.toHaveLength(4);
    expect(tokenRequests.length).toBeLessThanOrEqual(8);
  });

  test.each(Object.entries(faults))("every operation %s", async (_, fault) => {
    const clock = new FakeClock();
    const { all, tokenRequests } = fleet(4, {}, { store: { get: fault, set: fault, add: fault as never }, clock });
    await expect(all()).resolves.toHaveLength(4);
    expect(tokenRequests).toHaveLength(4);
    expect(clock.elapsedMs).toBeLessThan(10_000);
  });

  test("one that hangs is waited for once, and then left alone for a while", async () => {
    const store = { get: vi.fn(never), set: vi.fn(never) };
    const { clock, mint } = fleet(1, { tokens: [tokenAnswer("t", 5)] }, { store, operationTimeoutMs: 700 });
    await clock.run(mint());
    expect(clock.elapsedMs).toBe(700);
    clock.advance(5_000);
    await clock.run(mint());
    expect([store.get.mock.calls.length, store.set.mock.calls.length]).toEqual([1, 0]);
    clock.advance(5_000);
    await clock.run(mint());
    expect(store.get).toHaveBeenCalledTimes(2);
  });

  test("one that hangs takes a quarter of a short call's time at most", async () => {
    const { clock, mint } = fleet(1, {}, { store: { get: never, set: never }, timeoutMs: 400 });
    await expect(clock.run(mint())).resolves.toBeDefined();
    expect(clock.elapsedMs).toBe(100);
  });

  test.each([
    [999, 10_000],
    [900, 4_000],
    [240, 1_000],
    [20, 1_000],
  ])(
    "one that takes %i ms for each operation takes a quarter of %i ms at most, for all of them",
    async (ms, timeoutMs) => {
      const clock = new FakeClock();
      const fast = new AddingStore(clock);
      const slowly = async <T>(result: () => T): Promise<T> => {
        await new Promise<void>((resolve) => void clock.setTimeout(resolve, ms));
        return result();
      };
      const store: KeyValueStore = {
        get: (key) => slowly(() => fast.get(key)),
        set: (key, value, ttlMs) => slowly(() => fast.set(key, value, ttlMs)),
        add: (key, value, ttlMs) => slowly(() => fast.add(key, value, ttlMs)),
      };
      const { mint, tokenRequests } = fleet(1, {}, { store, clock, timeoutMs });
      await expect(clock.run(mint())).resolves.toBeDefined();
      expect(tokenRequests).toHaveLength(1);
      expect(clock.elapsedMs).toBeLessThanOrEqual(timeoutMs / 4);
    },
  );

  test("one that fails long after it was given up", async () => {
    let fail!: (value: Error) => void;
    const { clock, mint } = fleet(
      1,
      {},
      { store: { get: () => new Promise((_, reject) => (fail = reject)), set() {} } },
    );
    await clock.run(mint());
    fail(new Error("too late")); // would fail the test as an unhandled rejection
    await settle();
  });

  test("one whose values outlive their time", async () => {
    const { all, clock, tokenRequests, mints } = fleet(2, {}, { store: new Map<string, string>() });
    await all();
    clock.advance(lifetimeMs);
    await all();
    expect(tokenRequests).toHaveLength(4);
    expect(mints.slice(2).map(bearerOf)).not.toContain("Bearer bank-1");
  });
});

describe("clocks that disagree:", () => {
  /** The same time, seen by a machine whose wall clock is wrong. */
  const skewed = (clock: FakeClock, skewMs: number) => ({
    now: () => clock.now() + skewMs,
    monotonic: clock.monotonic,
    setTimeout: clock.setTimeout,
  });

  test.each([-3600_000, 24 * 3600_000])("a machine off by %i ms costs a request of its own", async (skewMs) => {
    const { clock, start, tokenRequests } = fleet(0, { tokens: [tokenAnswer("a", 600), tokenAnswer("b", 600)] });
    const right = start(0);
    const wrong = start(0, { clock: skewed(clock, skewMs) });
    for (let round = 0; round < 20; round++) {
      await clock.run(right());
      await clock.run(wrong());
    }
    expect(tokenRequests).toHaveLength(2);
  });

  // As if the service's clock were wrong: all machines agree, and are ahead of it by more than a token lives.
  test.each([-3600_000, 3600_000])("all machines off by %i ms share one token", async (skewMs) => {
    const { clock, start, tokenRequests } = fleet(0, {
      tokens: [
        tokenAnswer(unsignedJwt({ iat: new FakeClock().wallMs / 1000, exp: new FakeClock().wallMs / 1000 + 1800 })),
      ],
    });
    const each = Array.from({ length: 16 }, (_, index) =>
      start(index, { clock: skewed(clock, skewMs), random: () => index / 16 }),
    );
    await clock.run(Promise.all(each.map((mint) => mint())));
    expect(tokenRequests).toHaveLength(1);
    expect(clock.elapsedMs).toBeLessThan(500);
  });

  test("a token that was long on its way is no younger in the store", async () => {
    const clock = new FakeClock();
    const slow = () => (clock.advance(2_000), tokenAnswer(`slow-${clock.elapsedMs}`, 10));
    const { start, mints } = fleet(0, { tokens: [slow, tokenAnswer("next", 3600)] }, { clock, timeoutMs: 20_000 });
    await clock.run(start(0)());
    clock.advance(7_900);
    await clock.run(start(0)());
    clock.advance(100);
    await clock.run(start(0)());
    expect(mints.map(bearerOf)).toEqual(["Bearer slow-2000", "Bearer slow-2000", "Bearer next"]);
  });

  test("a token is replaced though the new one's machine is a little behind", async () => {
    const { clock, start, tokenRequests } = fleet(0, { mints: [...Array(3).fill(refuse("none")), refuse("bank-1")] });
    const ahead = start(0, { clock: skewed(clock, 3_000) });
    const behind = start(0);
    await clock.run(ahead());
    await clock.run(behind());
    clock.advance(60_000);
    await clock.run(ahead());
    clock.advance(2_000);
    await clock.run(behind());
    await clock.run(ahead());
    await clock.run(start(0)());
    // Seen from ahead, the new token looks older than the last success of the old one.
    expect(tokenRequests).toHaveLength(2);
  });
});

describe("a token that is answered 401 authentication_failed", () => {
  test("is replaced for the whole fleet", async () => {
    let refused = "none";
    const { all, clock, tokenRequests, mints } = fleet(8, { mints: [(seen) => refuse(refused)(seen)] });
    await all();
    clock.advance(60_000);
    refused = "bank-1";
    await all();
    await all();
    expect(tokenRequests).toHaveLength(2);
    expect(new Set(mints.slice(-8).map(bearerOf))).toEqual(new Set(["Bearer bank-2"]));
  });

  test("does not give way to another process's that is as old, and likely to be refused as well", async () => {
    const clock = new FakeClock();
    const store = new MemoryStore(clock);
    let refused: unknown[] = [];
    const answer = (seen: Seen) => (refused.includes(bearerOf(seen)) ? stale() : customerToken("c"));
    const { each, all, tokenRequests, mints } = fleet(3, { mints: [answer] }, { store, clock });
    // Each has a token of its own, as after a start without add.
    const { get } = store;
    store.get = vi.fn(() => undefined);
    for (const mint of each) {
      await clock.run(mint());
      clock.advance(5);
    }
    store.get = get;
    clock.advance(10_000);
    await all();
    expect(tokenRequests).toHaveLength(3);

    refused = mints.map(bearerOf);
    clock.advance(60_000);
    await expect(all()).resolves.toHaveLength(3);
    expect(tokenRequests.length).toBeLessThanOrEqual(6);
  });

  test("is not put back by a process that was slow", async () => {
    let answer!: (value: Response) => void;
    const { clock, each, tokenRequests, start, mints } = fleet(
      2,
      { tokens: [() => new Promise((resolve) => (answer = resolve)), tokenAnswer("newer", 3600)] },
      {},
    );
    // The first process asks, and hangs until its claim has ended.
    const slow = each[0]?.();
    await settle();
    clock.advance(3_000);
    await clock.run((each[1] as () => Promise<unknown>)());
    expect(tokenRequests).toHaveLength(2);
    answer(tokenAnswer("older", 3600));
    await expect(slow).resolves.toBeDefined();
    await clock.run(start(0)());
    expect(tokenRequests).toHaveLength(2);
    expect(mints.map(bearerOf)).toEqual(["Bearer newer", "Bearer older", "Bearer newer"]);
  });

  test("does not come back out of the store, not even after a renewal that failed", async () => {
    const { clock, mint, tokenRequests, mints } = fleet(1, {
      mints: [customerToken("c"), refuse("bank-1")],
      tokens: [tokenAnswer("bank-1", 3600), new TypeError("fetch failed"), tokenAnswer("bank-2", 3600)],
    });
    await clock.run(mint());
    clock.advance(60_000);
    await expect(clock.run(mint())).rejects.toMatchObject({ name: "ConnectionError" });
    await expect(clock.run(mint())).resolves.toBeDefined();
    expect(mints.map(bearerOf)).toEqual(["Bearer bank-1", "Bearer bank-1", "Bearer bank-2"]);
    expect(tokenRequests).toHaveLength(3);
  });

  test("gives way to another process's, also where no request would be worth it yet", async () => {
    const { clock, start, mints, tokenRequests } = fleet(0, {
      mints: [customerToken("c"), refuse("bank-1")],
    });
    const [first, second] = [start(0), start(0)];
    await clock.run(first());
    clock.advance(60_000);
    await clock.run(first()); // renews: the token had worked
    const bearer = mints.map(bearerOf);
    expect(bearer).toEqual(["Bearer bank-1", "Bearer bank-1", "Bearer bank-2"]);
    await clock.run(second());
    expect(mints.map(bearerOf).at(-1)).toBe("Bearer bank-2");
    expect(tokenRequests).toHaveLength(2);
  });

  test("burns no quota where the store never takes another one", async () => {
    const clock = new FakeClock();
    const entry = JSON.stringify({
      identity,
      token: "old",
      requestedAt: clock.wallMs - 600_000,
      lifetimeMs: 7_200_000,
    });
    const { mint, tokenRequests } = fleet(1, { mints: [stale()] }, { store: { get: () => entry, set() {} }, clock });
    for (let call = 0; call < 200; call++) {
      await expect(clock.run(mint())).rejects.toMatchObject({ status: 401 });
      clock.advance(1_500);
    }
    expect(tokenRequests.length).toBeLessThanOrEqual(6);
  });
});

describe("the claim to ask", () => {
  test("passes to the next process a second after its holder failed", async () => {
    const { clock, each, tokenRequests } = fleet(16, {
      tokens: [json({ error: "server_error" }, 500), tokenAnswer("t", 3600)],
    });
    const results = await clock.run(Promise.allSettled(each.map((mint) => mint())));
    // The holder's own call, without retries.
    expect(results.filter(({ status }) => status === "rejected")).toHaveLength(1);
    expect(tokenRequests).toHaveLength(2);
    expect(clock.elapsedMs).toBeLessThan(1_500);
  });

  test("is never ended by a holder that was slower than its claim: by then it may be another's", async () => {
    const clock = new FakeClock();
    const store = new AddingStore(clock);
    const answers: ((response: Response) => void)[] = [];
    const { each } = fleet(2, { tokens: [() => new Promise((resolve) => answers.push(resolve))] }, { store, clock });
    const claim = `${key}:claim`;
    const slow = (each[0] as () => Promise<unknown>)();
    await settle();
    clock.advance(2_500);
    const other = (each[1] as () => Promise<unknown>)();
    await settle();
    const ofTheOther = store.entries.get(claim);
    expect(answers).toHaveLength(2);
    answers[0]?.(tokenAnswer("slow", 3600));
    await slow;
    expect(store.entries.get(claim)).toBe(ofTheOther);
    answers[1]?.(tokenAnswer("other", 3600));
    await other;
    expect(store.entries.get(claim)?.endsAt).toBe(clock.elapsedMs + 1_000);
  });

  test("ends with its time where its holder died: one process of the others asks", async () => {
    const { clock, start, all, tokenRequests } = fleet(16);
    start(0, { fetch: () => new Promise(() => {}) })().catch(() => {});
    await settle();
    await all();
    expect(tokenRequests).toHaveLength(1);
    expect(clock.elapsedMs).toBeGreaterThanOrEqual(2_500);
    expect(clock.elapsedMs).toBeLessThan(3_000);
  });

  test("is not waited for beyond three quarters of a call's time, nor by all of a fleet as long", async () => {
    const clock = new FakeClock();
    const { all, tokenRequests } = fleet(
      16,
      {},
      { store: Object.assign(new MemoryStore(clock), { add: () => false }), clock },
    );
    await all();
    expect(clock.elapsedMs).toBeLessThan(7_500);
    expect(tokenRequests.length).toBeLessThanOrEqual(2);
  });

  test("does not keep a process whose own request was refused from another's token", async () => {
    const clock = new FakeClock();
    const store = new AddingStore(clock);
    const { start, tokenRequests } = fleet(
      0,
      { tokens: [json({ error: "invalid_client" }, 401), tokenAnswer("t", 3600)] },
      { store, clock },
    );
    const refused = start(0);
    await expect(clock.run(refused())).rejects.toThrow(TokenRequestError);
    await expect(clock.run(refused())).rejects.toThrow(TokenRequestError);
    // As by a process that could not read the store when it asked.
    store.entries.delete(`${key}:quota`);
    await clock.run(start(0)());
    await expect(clock.run(refused())).resolves.toBeDefined();
    expect(tokenRequests).toHaveLength(2);
  });
});

describe("what the store gets to see", () => {
  test("are keys that reveal nothing, and values without the client secret", async () => {
    const clock = new FakeClock();
    const store = new AddingStore(clock);
    const { all } = fleet(3, {}, { store, clock });
    await all();
    const seen = [store.get, store.set, store.add].flatMap(({ mock }) => mock.calls as unknown[][]);
    expect(seen.length).toBeGreaterThan(5);
    for (const [key, value] of seen) {
      expect(key).toMatch(/^cybrid-customer-tokens:[0-9a-f]{64}(?::claim|:quota)?$/);
      expect(String(value)).not.toContain("s3cret");
    }
    expect([...store.entries.keys()]).toContain(key);
  });

  test("is hashed by the platform", async () => {
    vi.mocked(crypto.subtle.digest).mockRestore();
    const { fetch } = fakeService();
    const store = new Map<string, string>();
    const client = createCustomerTokensClient({
      auth: clientCredentials({ clientId: "bank", clientSecret: "s3cret", store: sharedStore(store) }),
      baseUrl: "https://idp.example",
      fetch,
    });
    await client.createCustomerToken(request);
    expect([...store.keys()]).toEqual([key]);
  });
});
