import { describe, expect, test } from "vitest";
import { customerTokenCache } from "../src/customer-token-cache.js";
import { InvalidArgumentError, TimeoutError } from "../src/index.js";
import { mintFor, other, read, request, setUpCache, write } from "./support/cache.js";
import { setUp } from "./support/client.js";
import { settle } from "./support/clock.js";
import { guid, hang, refusal } from "./support/service.js";

describe("in memory", () => {
  test("calls at once for the same customer and scopes, in any order, share one request", async () => {
    const { get, count } = setUpCache();
    const tokens = await Promise.all([
      get(request(guid, read, write)),
      get(request(guid, write, read)),
      get(request(guid, read, write)),
    ]);
    expect([new Set(tokens).size, count()]).toEqual([1, 1]);
    expect(await get(request(guid, write, read))).toBe(tokens[0]);
    expect(count()).toBe(1);
    const others = await Promise.all([get(request(guid, read)), get(request(other, read, write))]);
    expect([new Set([...tokens, ...others]).size, count()]).toEqual([3, 3]);
  });

  test.each([
    [undefined, 60],
    [300, 300],
  ])("with minRemainingSeconds %j a token is given again until %i seconds before its expiry", async (option, rest) => {
    const { get, clock, count } = setUpCache({ minRemainingSeconds: option }, [mintFor(1800)]);
    await get(request());
    clock.advance((1800 - rest) * 1000);
    await get(request());
    expect(count()).toBe(1);
    clock.advance(1);
    await get(request());
    expect(count()).toBe(2);
  });

  test.each([undefined, 59])("a token that lasts for %j seconds is not kept", async (seconds) => {
    const { get, count } = setUpCache({}, [mintFor(seconds)]);
    expect(await get(request())).not.toBe(await get(request()));
    expect(count()).toBe(2);
  });

  test("beyond maxEntries the least recently used token goes", async () => {
    const { get, count } = setUpCache({ maxEntries: 2 });
    const third = "e".repeat(32);
    await get(request(guid));
    await get(request(other));
    await get(request(guid));
    await get(request(third));
    expect(count()).toBe(3);
    await get(request(guid));
    await get(request(third));
    expect(count()).toBe(3);
    await get(request(other));
    expect(count()).toBe(4);
  });

  test("a refusal reaches every call that waits for it, and is not kept", async () => {
    const { get, count } = setUpCache({}, [refusal(422, "no_customer"), mintFor(1800)]);
    const both = await Promise.allSettled([get(request()), get(request())]);
    expect(both).toMatchObject([
      { reason: { messageCode: "no_customer" } },
      { reason: { messageCode: "no_customer" } },
    ]);
    expect(count()).toBe(1);
    await expect(get(request())).resolves.toEqual(expect.any(String));
  });

  test("an abort ends only the call that it belongs to", async () => {
    let answer!: (response: Response) => void;
    const { get, count } = setUpCache({}, [new Promise<Response>((resolve) => (answer = resolve))]);
    const caller = new AbortController();
    const first = get(request(), { signal: caller.signal });
    const second = get(request());
    await settle();
    caller.abort(new Error("no longer wanted"));
    await expect(first).rejects.toThrow("no longer wanted");
    answer(mintFor(1800)());
    await expect(second).resolves.toEqual(expect.any(String));
    await expect(get(request(), { signal: caller.signal })).rejects.toThrow("no longer wanted");
    expect(count()).toBe(1);
  });

  test("each call has its own deadline, and outlives the request that it joined", async () => {
    const { get, clock, count } = setUpCache({}, [hang, mintFor(1800)], { timeoutMs: 1_000, maxRetries: 0 });
    const first = get(request());
    const short = get(request(), { timeoutMs: 100 });
    const rejected = [first, short].map((call) => expect(call).rejects.toThrow(TimeoutError));
    await settle();
    clock.advance(500);
    await rejected[1];
    const late = get(request(), { timeoutMs: 900 });
    await settle();
    clock.advance(500);
    await rejected[0];
    await expect(late).resolves.toEqual(expect.any(String));
    expect(count()).toBe(2);
  });

  test("a call with little time does not cut the request short for the others", async () => {
    let answer!: (response: Response) => void;
    const { get, clock, count } = setUpCache({}, [new Promise<Response>((resolve) => (answer = resolve))]);
    const short = expect(get(request(), { timeoutMs: 100 })).rejects.toThrow(TimeoutError);
    const joined = get(request());
    await settle();
    clock.advance(100);
    await short;
    answer(mintFor(1800)());
    await expect(joined).resolves.toEqual(expect.any(String));
    expect(count()).toBe(1);
  });

  test("delete forgets one customer's tokens, and those that are on their way", async () => {
    const { get, cache, count } = setUpCache();
    await Promise.all([get(request(guid)), get(request(guid, write)), get(request(other))]);
    await cache.delete(guid);
    await get(request(other));
    expect(count()).toBe(3);
    const underWay = get(request(guid));
    await cache.delete(guid);
    const before = await underWay;
    const after = await get(request(guid));
    expect(after).not.toBe(before);
    expect(await get(request(guid))).toBe(after);
    expect(count()).toBe(5);
  });

  test.each<[string, unknown, unknown]>([
    ["customer_guid", { customer_guid: "short", scopes: [read] }, {}],
    ["customer_guid", { scopes: [read] }, {}],
    ["scopes", { customer_guid: guid, scopes: read }, {}],
    ["scopes", { customer_guid: guid, scopes: [read, read] }, {}],
    ["scopes", { customer_guid: guid, scopes: [7n] }, {}],
    ["request", null, {}],
    ["timeout", request(), { timeout: 5 }],
    ["timeoutMs", request(), { timeoutMs: 0 }],
    ["signal", request(), { signal: new AbortController() }],
    ["headers", request(), { headers: { "a b": "c" } }],
  ])("names %s where a call is wrong, and sends nothing", async (field, wrong, options) => {
    const { cache, fetch, clock } = setUpCache();
    const call = cache.get(wrong as ReturnType<typeof request>, options as object);
    await expect(call).rejects.toThrow(InvalidArgumentError);
    await expect(call).rejects.toMatchObject({ field });
    expect(clock.pendingTimers).toBe(0);
    expect(fetch).not.toHaveBeenCalled();
  });

  test("delete takes a guid, so that nobody believes in what it has not done", async () => {
    const wrong = setUpCache().cache.delete(request() as never);
    await expect(wrong).rejects.toMatchObject({ name: "InvalidArgumentError", field: "customer_guid" });
  });

  test.each<[string, unknown]>([
    ["maxEntries", { maxEntries: 0 }],
    ["minRemainingSeconds", { minRemainingSeconds: -1 }],
    ["store", { store: {} }],
    ["namespace", { namespace: "" }],
    ["maxAge", { maxAge: 1 }],
  ])("names %s where an option is wrong", (field, options) => {
    const { client } = setUp();
    expect(() => customerTokenCache(client, options as object)).toThrow(expect.objectContaining({ field }));
    expect(() => customerTokenCache(undefined as unknown as typeof client)).toThrow(InvalidArgumentError);
  });
});
