import fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { KeyValueStore } from "../src/customer-token-cache.js";
import { bearer, clientCredentials } from "../src/index.js";
import { mintFor, other, read, request, setUpCache, startSeconds, write } from "./support/cache.js";
import { guid, unsignedJwt } from "./support/service.js";

/** A store in memory, which a test may look into. */
function memoryStore() {
  const entries = new Map<string, string>();
  const store = {
    get: (key: string): unknown => entries.get(key),
    set: (key: string, value: string, _ttlMs: number): unknown => entries.set(key, value),
  } satisfies KeyValueStore;
  return { entries, store };
}

describe("with a store", () => {
  test("another process finds the tokens there: one key for each customer, which reveals nothing", async () => {
    const { store, entries } = memoryStore();
    const one = setUpCache({ store });
    const tokens = [await one.get(request(guid, read, write)), await one.get(request(guid, read))];
    await one.get(request(other));
    expect(entries.size).toBe(2);
    for (const key of entries.keys()) expect(key).toMatch(/^cybrid-customer-tokens:[0-9a-f]{64}$/);
    const two = setUpCache({ store });
    expect([await two.get(request(guid, write, read)), await two.get(request(guid, read))]).toEqual(tokens);
    expect(two.count()).toBe(0);
    two.clock.advance(1741 * 1000);
    await two.get(request(guid));
    expect(two.count()).toBe(1);
  });

  test("it keeps them no longer than they last", async () => {
    const { store } = memoryStore();
    const ttls: number[] = [];
    const set = (key: string, value: string, ttlMs: number) => ttls.push(ttlMs) && store.set(key, value, ttlMs);
    const { get } = setUpCache({ store: { ...store, set } }, [mintFor(1800), mintFor(1e9)]);
    await get(request());
    await get(request(other));
    expect(ttls).toEqual([1_800_000, 24 * 60 * 60 * 1000]);
  });

  const bank = (clientId: string, baseUrl = "https://idp.example") => ({
    baseUrl,
    auth: clientCredentials({ clientId, clientSecret: "s3cret" }),
  });

  test.each([
    ["client id", bank("other"), {}],
    ["base URL", bank("bank", "https://elsewhere.example"), {}],
    ["namespace", bank("bank"), { namespace: "other" }],
  ])("another %s finds none of them", async (_, client, options) => {
    const { store } = memoryStore();
    await setUpCache({ store }, undefined, bank("bank")).get(request());
    const { get, count } = setUpCache({ store, ...options }, undefined, client);
    await get(request());
    expect(count()).toBe(1);
  });

  test("bearer knows no client id, so it wants a namespace", async () => {
    const { store } = memoryStore();
    const client = { auth: bearer("token") };
    expect(() => setUpCache({ store }, undefined, client)).toThrow(/^namespace: expected a name for the bank/);
    const token = await setUpCache({ store, namespace: "a" }, undefined, client).get(request());
    expect(await setUpCache({ store, namespace: "a" }, undefined, client).get(request())).toBe(token);
    expect(await setUpCache({ store, namespace: "b" }, undefined, client).get(request())).not.toBe(token);
  });

  test("delete overwrites the tokens there, and rejects where it could not", async () => {
    const { store, entries } = memoryStore();
    const { cache, get } = setUpCache({ store });
    const token = await get(request());
    await cache.delete(guid);
    expect(JSON.stringify([...entries])).not.toContain(token);
    const { get: getElsewhere, count } = setUpCache({ store });
    expect(await getElsewhere(request())).not.toBe(token);
    expect(count()).toBe(1);
    const set = () => Promise.reject(new Error("read only"));
    await expect(setUpCache({ store: { ...store, set } }).cache.delete(guid)).rejects.toThrow("read only");
  });

  test("a token that is on its way into the store comes too late after delete", async () => {
    const { store, entries } = memoryStore();
    let deleted = Promise.resolve();
    let reads = 0;
    const get = (key: string) => {
      // The second one is the one before the token is written.
      if (++reads === 2) deleted = cache.delete(guid);
      return deleted.then(() => store.get(key));
    };
    const { cache, get: getToken } = setUpCache({ store: { ...store, get } });
    const token = await getToken(request());
    expect(reads).toBe(2);
    expect(JSON.stringify([...entries])).not.toContain(token);
  });

  const fails = () => {
    throw new Error("no connection");
  };
  let wait = () => {};
  /** Never ends; the time that a store has passes meanwhile. */
  const hangs = () => {
    setImmediate(() => wait());
    return new Promise(() => {});
  };
  test.each<[string, KeyValueStore, number]>([
    ["throws", { get: fails, set: fails }, 0],
    ["rejects", { get: async () => fails(), set: async () => fails() }, 0],
    // After it hung, it is not asked again for a while.
    ["hangs", { get: hangs, set: hangs }, 500],
    ["hangs when written to", { get: () => undefined, set: hangs }, 500],
  ])("one that %s costs no call its token", async (_, store, waitedMs) => {
    const { get, clock, count } = setUpCache({ store });
    wait = () => clock.advance(500);
    const token = await get(request(), { timeoutMs: 2_000 });
    expect(await get(request())).toBe(token);
    expect([count(), clock.elapsedMs]).toEqual([1, waitedMs]);
  });

  test("one that mixes up its keys gives away no other customer's token", async () => {
    const { entries, store } = memoryStore();
    const token = await setUpCache({ store }).get(request(other));
    const mixed = { ...store, get: () => [...entries.values()][0] };
    expect(await setUpCache({ store: mixed }).get(request(guid))).not.toBe(token);
  });

  test("whatever it gives, the call gets a token that is valid for long enough", async () => {
    const { entries, store } = memoryStore();
    await setUpCache({ store }).get(request());
    const [key = ""] = entries.keys();
    const token = fc.oneof(
      fc.jsonValue(),
      fc.record({ exp: fc.oneof(fc.jsonValue(), fc.integer({ min: -1e12, max: 1e12 })) }).map(unsignedJwt),
    );
    const tokens = fc.oneof(fc.jsonValue(), fc.dictionary(fc.constantFrom('["customers:read"]', "__proto__"), token));
    const entry = fc
      .record({ key: fc.oneof(fc.constant(key), fc.string()), tokens })
      .map((value) => JSON.stringify(value));
    await fc.assert(
      fc.asyncProperty(fc.oneof(fc.anything(), fc.string(), fc.json(), entry), async (value) => {
        const { get } = setUpCache({ store: { ...store, get: () => value } });
        const given = await get(request());
        const { exp } = JSON.parse(Buffer.from(given.split(".")[1] ?? "", "base64url").toString()) as { exp: number };
        expect(exp - startSeconds).toBeGreaterThanOrEqual(60);
      }),
    );
  });
});
