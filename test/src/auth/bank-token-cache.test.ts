import { describe, expect, test } from "vitest";
import { type BankTokenStore, clientCredentials } from "../../../src/index.js";
import { bank, setUpOnce as setUp } from "../../support/client.js";
import { FakeClock } from "../../support/clock.js";
import { customerToken, failureOf, stale } from "../../support/service.js";

describe("a refused token", () => {
  /** A client whose store has others' tokens, and lets this process send one token request. */
  function setUpPaused(found: () => unknown, ...[script, options]: Parameters<typeof setUp>) {
    let requested = 0;
    const clock = new FakeClock();
    const paused = () => ({ kind: "paused" as const, until: clock.elapsedMs + 20_000 });
    const store: BankTokenStore = () => ({
      readShared: async () => found() as never,
      requestToken: async (_, send) => (requested++ === 0 ? send() : paused()),
    });
    return { ...setUp(script, { auth: clientCredentials({ ...bank, store }), clock, ...options }), clock };
  }

  test("stays in use if no other may be requested, and the call gets its 401", async () => {
    const script = { customerTokens: [customerToken("a"), stale(), customerToken("b")] };
    const { create, bankTokens, tokenRequests, clock } = setUpPaused(() => undefined, script);
    await create();
    clock.advance(60_000);
    await expect(create()).rejects.toMatchObject({ name: "ApiError", status: 401, attempts: 1 });
    await expect(create()).resolves.toEqual({ access_token: "b" });
    expect(tokenRequests).toHaveLength(1);
    expect(bankTokens()).toEqual(Array(3).fill("bank-1"));
  });

  test("gives way to another process's, if there is one when no request may be sent", async () => {
    let others: unknown;
    const script = { customerTokens: [customerToken("a"), stale(), stale(), stale(), customerToken("c")] };
    const { create, bankTokens, tokenRequests, clock } = setUpPaused(() => others, script, { maxRetries: 2 });
    await create();
    clock.advance(60_000);
    await expect(create()).rejects.toMatchObject({ status: 401 });
    const life = { requestedAtMonotonic: clock.elapsedMs, requestedAtWall: clock.wallMs, lifetimeMs: 3600_000 };
    others = { value: "others", ...life, isShared: true };
    await expect(create()).resolves.toEqual({ access_token: "c" });
    expect(bankTokens().slice(2)).toEqual(["bank-1", "bank-1", "others"]);
    expect(tokenRequests).toHaveLength(1);
  });
});

test("a call waits for two failures of other processes, and gets the third", async () => {
  const clock = new FakeClock();
  let requested = 0;
  const store: BankTokenStore = () => ({
    readShared: async () => undefined,
    requestToken: async () => {
      requested++;
      return {
        kind: "paused",
        until: clock.elapsedMs + 1_000,
        failure: Object.assign(new Error("503"), { status: 503 }),
      };
    },
  });
  const { create } = setUp({}, { auth: clientCredentials({ ...bank, store }), clock, timeoutMs: 60_000 });
  await expect(clock.run(create())).rejects.toMatchObject({ status: 503, attempts: 0, cause: { message: "503" } });
  expect([requested, clock.elapsedMs]).toEqual([3, 2_000]);
});

test("a token request without a response does not say when the next one may follow", async () => {
  const { create } = setUp({ tokens: [new TypeError("fetch failed")] });
  expect(await failureOf(create())).not.toHaveProperty("retryAfterSeconds");
});

test("a refresh that a Worker abandoned with the request that began it is begun again", async () => {
  let begun = 0;
  const store: BankTokenStore = () => ({
    readShared: async () => undefined,
    requestToken: (_, send) => (begun++ === 0 ? Promise.reject(new Error("another request's I/O")) : send()),
  });
  const { create, clock, tokenRequests } = setUp({}, { auth: clientCredentials({ ...bank, store }) });
  await expect(clock.run(create())).resolves.toBeDefined();
  expect([begun, tokenRequests.length, clock.elapsedMs]).toEqual([2, 1, 0]);
});
