import fc from "fast-check";
import { Keyv } from "keyv";
import { describe, expect, test, vi } from "vitest";
import type { KeyValueStore } from "../../src/customer-token-cache.js";
import { bearer, clientCredentials, type Clock } from "../../src/index.js";
import { other, read, request, secondsOf, setUpCache, tokenByClock, tokenFor, write } from "../support/cache.js";
import { FakeClock, hashAtOnce, settle } from "../support/clock.js";
import { claims, customerToken, guid, unsignedJwt } from "../support/service.js";
import { giving, MemoryStore, slow, ways } from "../support/store.js";

const fails = () => {
  throw new Error("no connection");
};

describe("with a store", () => {
  test("its keys reveal nothing, and no token is kept under another key", async () => {
    const store = new MemoryStore();
    const { get } = setUpCache({ store });
    for (const each of [request(guid, read, write), request(guid, read), request(other)]) await get(each);
    // A generation for each customer, and three tokens.
    expect(store.entries.size).toBe(5);
    for (const key of store.entries.keys()) expect(key).toMatch(/^cybrid-customer-tokens:[0-9a-f]{64}$/);
  });

  test("it keeps them no longer than they last", async () => {
    const store = new MemoryStore();
    const { get } = setUpCache({ store }, [tokenFor(1800), tokenFor(1e9)]);
    await get(request());
    await get(request(other));
    // A token that is found there can still be used, so no clock decides. A generation outlives all of its tokens.
    const day = 24 * 60 * 60 * 1000;
    expect(store.set.mock.calls.map(([, , ttlMs]) => ttlMs)).toEqual([day, 1_740_000, day, day]);
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
    const store = new MemoryStore();
    await setUpCache({ store }, undefined, bank("bank")).get(request());
    const { get, count } = setUpCache({ store, ...options }, undefined, client);
    await get(request());
    expect(count()).toBe(1);
  });

  test("bearer has no client id, so it needs a namespace", async () => {
    const store = new MemoryStore();
    const client = { auth: bearer("token") };
    expect(() => setUpCache({ store }, undefined, client)).toThrow(/^namespace: expected a name for the bank/);
    const token = await setUpCache({ store, namespace: "a" }, undefined, client).get(request());
    expect(await setUpCache({ store, namespace: "a" }, undefined, client).get(request())).toBe(token);
    expect(await setUpCache({ store, namespace: "b" }, undefined, client).get(request())).not.toBe(token);
  });

  test.each<[string, () => unknown, string]>([
    ["throws", () => fails(), "no connection"],
    ["rejects", () => Promise.reject(new Error("read only")), "read only"],
    ["returns false, as Keyv does", () => false, "set() returned false"],
    ["returns false later", async () => false, "set() returned false"],
  ])("delete rejects if the store %s, and this process forgets them all the same", async (_, set, message) => {
    const store = new MemoryStore();
    const { cache, get } = setUpCache({ store });
    const token = await get(request());
    Object.assign(store, { set });
    await expect(cache.delete(guid)).rejects.toThrow(message);
    expect(await get(request())).not.toBe(token);
  });

  test("delete rejects if a Keyv adapter could not write", async () => {
    const data = new Map<string, unknown>();
    const adapter = Object.assign(new Map(), {
      get: (key: string) => data.get(key),
      set: (key: string, value: unknown) => void data.set(key, value),
    });
    const keyv = new Keyv({ store: adapter });
    keyv.on("error", () => {});
    const { cache, get } = setUpCache({ store: keyv });
    const token = await get(request());
    expect(await setUpCache({ store: keyv }).get(request())).toBe(token);
    adapter.set = () => {
      throw new Error("READONLY You can't write against a read only replica");
    };
    await expect(cache.delete(guid)).rejects.toThrow("set() returned false");
  });

  test("a token that is on its way into the store comes too late after delete", async () => {
    const store = new MemoryStore();
    const { set } = store;
    const { cache, get } = setUpCache({ store });
    // The first is the generation, the second would be the token.
    store.set = vi.fn(async (...entry: Parameters<typeof set>) => {
      store.set = set;
      await cache.delete(guid);
      return set(...entry);
    });
    const token = await get(request());
    expect(JSON.stringify([...store.entries])).not.toContain(token);
  });

  test("a token that is on its way out of the store comes too late after delete", async () => {
    hashAtOnce();
    const [store, clock] = [new MemoryStore(), new FakeClock()];
    const token = await setUpCache({ store }).get(request());
    const { cache, get } = setUpCache({ store: slow(store, clock, 10) }, undefined, { clock });
    const underWay = get(request());
    await settle();
    // The generation has been read, the token has not.
    clock.advance(10);
    await clock.run(cache.delete(guid));
    await clock.run(underWay);
    expect(await clock.run(get(request()))).not.toBe(token);
  });

  test("a token that a call finds while delete is under way is not kept", async () => {
    const store = new MemoryStore();
    const { cache, get } = setUpCache({ store });
    const token = await get(request());
    const { get: read } = store;
    store.get = vi.fn(async (key) => {
      store.get = read;
      expect(await get(request())).toBe(token);
      return read(key);
    });
    await cache.delete(guid);
    expect(await get(request())).not.toBe(token);
  });

  test("deleted tokens do not come back when the store has lost the generation", async () => {
    const [store, clock] = [new MemoryStore(), new FakeClock()];
    const process = () => setUpCache({ store }, undefined, { clock });
    const token = await process().get(request());
    const [generation = ""] = store.entries.keys();
    await process().cache.delete(guid);
    store.entries.delete(generation);
    clock.advance(1);
    expect(await process().get(request())).not.toBe(token);
  });

  test("delete leaves the tokens of other customers in the store", async () => {
    const store = new MemoryStore();
    const { cache, get } = setUpCache({ store });
    await get(request());
    const token = await get(request(other));
    await cache.delete(guid);
    expect(await setUpCache({ store }).get(request(other))).toBe(token);
  });

  test("a token without a stated expiry is not kept", async () => {
    const store = new MemoryStore();
    await setUpCache({ store }, [customerToken("opaque")]).get(request());
    expect(JSON.stringify([...store.entries])).not.toContain("opaque");
  });

  // One process deletes a customer's tokens, with any timing, while another stores one with other scopes.
  test("deleted tokens do not come back, however slow the store, and however far its replica lags", async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.nat(400),
        fc.nat(60),
        fc.nat(60),
        fc.nat(60),
        fc.constantFrom(0, 90, 200),
        fc.integer({ min: -4_000, max: 4_000 }),
        async (deleteAfterMs, readMs, writeMs, createMs, lagMs, skewMs) => {
          hashAtOnce();
          const clock = new FakeClock();
          const wait = clock.sleep;
          const writes: { key: string; value: string; at: number }[] = [];
          const slowStore = {
            async get(key: string) {
              await wait(readMs);
              const found = writes.filter((each) => each.key === key && each.at <= clock.elapsedMs - lagMs).at(-1);
              await wait(readMs);
              return found?.value;
            },
            async set(key: string, value: string) {
              await wait(writeMs);
              writes.push({ key, value, at: clock.elapsedMs });
              await wait(writeMs);
            },
          };
          const slowly = async () => (await wait(createMs), tokenFor(1800)());
          const start = (own: Clock) => setUpCache({ store: slowStore }, [slowly], { clock: own });
          const [one, two] = [start(clock), start(clock.skewed(() => skewMs))];
          const first = await clock.run(one.get(request(guid, read)));
          await clock.run(wait(lagMs));
          const other = two.get(request(guid, write));
          await clock.run(wait(deleteAfterMs));
          await clock.run(one.cache.delete(guid));
          expect(await clock.run(one.get(request(guid, read)))).not.toBe(first);
          await clock.run(other);
          await clock.run(wait(lagMs));
          for (const process of [one, two, start(clock)]) {
            expect(await clock.run(process.get(request(guid, read)))).not.toBe(first);
          }
        },
      ),
      { numRuns: 60 },
    );
  });

  test.each(ways)("that returns values %s, another process finds the tokens, and delete works", async (_, way) => {
    const store = giving(new MemoryStore(), way);
    const [one, two] = [setUpCache({ store }), setUpCache({ store })];
    const token = await one.get(request());
    expect(await two.get(request())).toBe(token);
    await two.cache.delete(guid);
    expect(await setUpCache({ store }).get(request())).not.toBe(token);
  });

  test("a token in the store that no header or JSON of ours would hold is not used", async () => {
    const store = new MemoryStore();
    const token = await setUpCache({ store }).get(request());
    for (const entry of store.entries.values()) entry.value = entry.value.replace(token, `${token}\\n`);
    expect(await setUpCache({ store }).get(request())).not.toContain("\n");
  });

  // The store's own clock ends a token in time: it is not written for as long as it lasts, but as it may be given.
  test.each([-1200, -600, -10, 3, 1200])(
    "a machine whose clock is %i s off uses no expired token of another's",
    async (offSeconds) => {
      const clock = new FakeClock();
      const store = new MemoryStore(clock);
      const [right, wrong] = [0, offSeconds].map((seconds) =>
        setUpCache({ store }, [tokenByClock(clock)], { clock: clock.skewed(() => seconds * 1000) }),
      );
      for (let minute = 0; minute <= 120; minute++) {
        // It starts when the other's first token is old enough not to look as if from the future.
        for (const process of [...(minute % 3 === 0 ? [right!] : []), ...(minute >= 15 ? [wrong!] : [])]) {
          expect(claims(await process.get(request())).exp).toBeGreaterThan(secondsOf(clock));
        }
        clock.advance(60_000);
      }
      expect(right!.count() + wrong!.count()).toBeLessThanOrEqual(12);
    },
  );

  let wait = () => {};
  /** Never ends; the time that a store has passes meanwhile. */
  const hangs = () => {
    setImmediate(() => wait());
    return new Promise(() => {});
  };
  test.each<[string, KeyValueStore, number]>([
    ["throws", { get: fails, set: fails }, 0],
    ["rejects", { get: async () => fails(), set: async () => fails() }, 0],
    // After it hung, it is not used again for a while.
    ["hangs", { get: hangs, set: hangs }, 500],
    ["hangs when written to", { get: () => undefined, set: hangs }, 500],
  ])("one that %s costs no call its token", async (_, store, waitedMs) => {
    const { get, clock, count } = setUpCache({ store });
    wait = () => clock.advance(500);
    const token = await get(request(), { timeoutMs: 2_000 });
    expect(await get(request())).toBe(token);
    expect([count(), clock.elapsedMs]).toEqual([1, waitedMs]);
  });

  test("nothing is written to one that cannot be read: a token of another generation may be there", async () => {
    const store = Object.assign(new MemoryStore(), { get: fails });
    await setUpCache({ store }).get(request());
    expect(store.set).not.toHaveBeenCalled();
  });

  test("one that mixes up its keys gives away no other customer's token", async () => {
    const store = new MemoryStore();
    const token = await setUpCache({ store }).get(request(other));
    const found = [...store.entries.values()].at(-1)?.value;
    store.get = vi.fn(() => found);
    expect(await setUpCache({ store }).get(request(guid))).not.toBe(token);
  });

  test("whatever it returns, the call gets a token that is valid for long enough", async () => {
    const store = new MemoryStore();
    await setUpCache({ store }).get(request());
    // The first is the generation's.
    const [, key = ""] = store.entries.keys();
    const { wallMs } = new FakeClock();
    const exp = fc.integer({ min: wallMs / 1000 - 120, max: wallMs / 1000 + 120 });
    const entry = fc.record({
      identity: fc.oneof({ weight: 5, arbitrary: fc.constant([key]) }, fc.jsonValue()),
      token: fc.record({ exp }).map(unsignedJwt),
      requestedAt: fc.integer({ min: wallMs - 100_000, max: wallMs + 10_000 }),
      lifetimeMs: fc.oneof(fc.constant(null), fc.integer({ min: 1, max: 200_000 }), fc.jsonValue()),
    });
    const written = { weight: 5, arbitrary: entry.map((value) => JSON.stringify(value)) };
    await fc.assert(
      fc.asyncProperty(fc.oneof(written, fc.anything(), fc.string(), fc.json()), async (value) => {
        store.get = vi.fn(() => value);
        const { get, clock } = setUpCache({ store });
        expect(claims(await get(request())).exp - secondsOf(clock)).toBeGreaterThanOrEqual(60);
      }),
    );
  });
});
