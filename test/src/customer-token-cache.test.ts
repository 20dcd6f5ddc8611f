import { describe, expect, test, vi } from "vitest";
import { customerTokenCache, type CustomerTokenCacheOptions } from "../../src/customer-token-cache.js";
import { bearer, type CustomerTokensClient, TimeoutError } from "../../src/index.js";
import { read, request, secondsOf, setUpCache, startSeconds, tokenByClock, tokenFor, write } from "../support/cache.js";
import { readCases } from "../support/cases.js";
import { setUp } from "../support/client.js";
import { MemoryStore } from "../support/store.js";
import { FakeClock, settle } from "../support/clock.js";
import { claims, customerToken, failureOf, guid, later, unsignedJwt } from "../support/service.js";

interface Case {
  options?: CustomerTokenCacheOptions;
  lasts?: (number | null)[];
  store?: true;
  steps: {
    by?: number;
    advance?: number;
    /** Sets the wall clock by so many milliseconds. */
    jump?: number;
    get?: string[];
    returns?: number[];
    /** While a token of `get` is on its way, if there is one. */
    delete?: string;
    /** The tokens that the store holds at the end of the step. */
    stored?: number[];
  }[];
}

test.each(readCases<Case>("customer-tokens-kept"))("%s", async (_, { options, lasts = [1800], store, steps }) => {
  const clock = new FakeClock();
  const shared = new MemoryStore(clock);
  const numbers = new Map<string, number>();
  const create = () => {
    const seconds = lasts[Math.min(numbers.size, lasts.length - 1)] ?? undefined;
    const exp = seconds && startSeconds + clock.elapsedMs / 1000 + seconds;
    const token = unsignedJwt({ nth: numbers.size, exp });
    numbers.set(token, numbers.size + 1);
    return customerToken(token);
  };
  const processes: ReturnType<typeof setUpCache>[] = [];
  const process = (nth: number) =>
    (processes[nth] ??= setUpCache({ ...options, ...(store && { store: shared }) }, [create], { clock }));

  for (const { by = 0, advance = 0, jump = 0, get = [], returns = [], delete: customer, stored } of steps) {
    clock.advance(advance);
    clock.wallMs += jump;
    const calls = get.map((written) => {
      const [guid = "", ...scopes] = written.split(" ");
      return process(by).get(request(guid.repeat(32), ...scopes.map((scope) => (scope === "read" ? read : write))));
    });
    if (customer !== undefined) await process(by).cache.delete(customer.repeat(32));
    expect((await Promise.all(calls)).map((token) => numbers.get(token))).toEqual(returns);
    const all = JSON.stringify([...shared.entries]);
    if (stored) expect([...numbers].flatMap(([token, nth]) => (all.includes(token) ? [nth] : []))).toEqual(stored);
  }
});

test("a call's headers and time reach the request that it begins, but little time does not cut it short", async () => {
  for (const timeoutMs of [100, 5_000]) {
    const { comes, respond } = later();
    const { get, clock, customerTokenRequests } = setUpCache({}, [comes], { timeoutMs: 1_000 });
    const call = failureOf(get(request(), { headers: { "x-trace": "1" }, timeoutMs }));
    const joined = get(request(), { timeoutMs: 5_000 });
    await settle();
    clock.advance(timeoutMs === 100 ? 900 : 4_000);
    respond(tokenFor(1800)());
    await expect(joined).resolves.toEqual(expect.any(String));
    expect((await call) instanceof TimeoutError).toBe(timeoutMs === 100);
    expect(customerTokenRequests.map(({ headers }) => headers.get("x-trace"))).toEqual(["1"]);
  }
});

test("a call does not join a request that has had its time, and never ended", async () => {
  const clock = new FakeClock();
  const createCustomerToken = vi.fn(() => new Promise<never>(() => {}));
  const cache = customerTokenCache({ ...setUp({}, { clock }).client, createCustomerToken });
  const timedOut = async (waitMs: number): Promise<number> => {
    clock.advance(waitMs);
    await expect(clock.run(cache.get(request(), { timeoutMs: 1_000 }))).rejects.toThrow(TimeoutError);
    return createCustomerToken.mock.calls.length;
  };
  expect(await timedOut(0)).toBe(1);
  // Ten seconds for the request, and a quarter of the call's time for the store.
  expect(await timedOut(9_249)).toBe(1);
  expect(await timedOut(0)).toBe(2);
});

test("a call whose signal is aborted gets nothing, not even a token that is kept", async () => {
  const { get } = setUpCache();
  await get(request());
  await expect(get(request(), { signal: AbortSignal.abort("no need") })).rejects.toBe("no need");
});

test.each<[string, (minute: number) => number, number]>([
  ["right", () => 0, 5],
  ["ten minutes behind", () => -10, 5],
  ["forty minutes ahead", () => 40, 5],
  ["a year behind", () => -525_600, 5],
  ["a year ahead", () => 525_600, 5],
  ["set back in between", (minute) => (minute < 50 ? 40 : -10), 5],
  ["set forward in between", (minute) => (minute < 50 ? -10 : 40), 6],
  ["set back and forth every ten minutes", (minute) => (Math.floor(minute / 10) % 2 ? 40 : 0), 12],
])("no expired token is returned, and few are requested, if the clock is %s", async (_, jumps, most) => {
  const clock = new FakeClock();
  const wrong = clock.skewed(() => 60_000 * jumps(clock.elapsedMs / 60_000));
  const { get, count } = setUpCache({}, [tokenByClock(clock)], { clock: wrong, auth: bearer("t") });
  for (let minute = 0; minute <= 120; minute++) {
    expect(claims(await get(request())).exp - secondsOf(clock)).toBeGreaterThanOrEqual(60);
    clock.advance(60_000);
  }
  expect(count()).toBeLessThanOrEqual(most);
});

describe("another object than the client itself", () => {
  const created = { access_token: "x" };
  const createCustomerToken = async () => created;
  /** Test doubles made by a Proxy: some have every property, others throw at what nobody expects. */
  const doubles: [string, object][] = [
    ["a plain object", { createCustomerToken }],
    ["a Proxy that returns functions", everything(() => () => undefined)],
    ["a Proxy that returns itself", everything((self) => self)],
    ["a Proxy that returns text", everything(() => "text")],
    ["a Proxy that returns numbers", everything(() => 7)],
    [
      "a Proxy that throws",
      everything((_, name) => {
        throw new Error(`nobody expects ${String(name)}`);
      }),
    ],
  ];
  function everything(value: (self: object, name: string | symbol) => unknown): object {
    const self: object = new Proxy(() => undefined, {
      get: (_, name) => (name === "createCustomerToken" ? createCustomerToken : value(self, name)),
      has: () => true,
    });
    return self;
  }

  test.each(doubles)("works in memory: %s", async (_, double) => {
    const cache = customerTokenCache(double as { createCustomerToken: typeof createCustomerToken });
    await expect(cache.get(request())).resolves.toEqual(created);
    await expect(cache.delete(guid)).resolves.toBeUndefined();
  });

  class Metrics {
    readonly inner: CustomerTokensClient;
    constructor(inner: CustomerTokensClient) {
      this.inner = inner;
    }
    createCustomerToken(...args: Parameters<CustomerTokensClient["createCustomerToken"]>) {
      return this.inner.createCustomerToken(...args);
    }
  }
  test.each<[string, (client: CustomerTokensClient) => object]>([
    ["a class", (client) => new Metrics(client)],
    ["another object", (client) => ({ createCustomerToken: client.createCustomerToken })],
    ["a Proxy double", () => everything(() => () => undefined)],
    ["one that has lost its symbols", (client) => Object.fromEntries(Object.entries(client))],
  ])("is refused with a store, which would mix up environments: %s", (_, wrap) => {
    const store = new Map<string, string>();
    const { client } = setUp();
    expect(() => customerTokenCache(wrap(client) as never, { store, namespace: "bank" })).toThrow(
      /^client: expected the client itself, or \{ \.\.\.client \}, with a store$/,
    );
  });

  test.each<[string, (client: CustomerTokensClient) => object]>([
    ["a copy", (client) => ({ ...client })],
    ["an object that inherits", (client) => Object.create(client) as object],
    ["a Proxy around it", (client) => new Proxy(client, {})],
    ["an instance that took it over", (client) => Object.assign(new Metrics(client), client)],
  ])("keeps environments apart in a store if it knows the base URL: %s", async (_, wrap) => {
    const store = new Map<string, string>();
    async function tokenOf(baseUrl: string, wrapIt = wrap): Promise<string> {
      const { client } = setUp({ customerTokens: [tokenFor(1800)] }, { baseUrl, auth: bearer("t") });
      const cache = customerTokenCache(wrapIt(client) as never, { store, namespace: "bank" });
      return (await cache.get(request())).access_token;
    }
    const token = await tokenOf("https://one.example");
    const other = await tokenOf("https://two.example");
    expect(other).not.toBe(token);
    expect(await tokenOf("https://two.example", (client) => client)).toBe(other);
  });
});
