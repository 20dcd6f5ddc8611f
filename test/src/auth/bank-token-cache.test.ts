import { describe, expect, test } from "vitest";
import { type BankTokenStore, clientCredentials } from "../../../src/index.js";
import { bank, setUpOnce as setUp } from "../../support/client.js";
import { FakeClock, settle } from "../../support/clock.js";
import {
  bankTokenOf,
  customerToken,
  failureOf,
  hang,
  json,
  later,
  refusal,
  type Seen,
  stale,
  steering,
  tokenAnswer,
  unsignedJwt,
} from "../../support/service.js";

describe("an error by which Next.js steers", () => {
  const steer = () => Promise.reject(steering);

  test("is no token request: it passes through each time, and nothing is held up", async () => {
    const { create, clock, tokenRequests } = setUp({ tokens: [...Array(30).fill(steer), tokenAnswer("bank", 3600)] });
    for (let page = 0; page < 30; page++) await expect(create()).rejects.toBe(steering);
    await expect(create()).resolves.toBeDefined();
    expect([tokenRequests.length, clock.elapsedMs, clock.pendingTimers]).toEqual([31, 0, 0]);
  });

  test("steers the page of the call that sent the request: another one that waits sends its own", async () => {
    const token = later();
    const { create, clock, tokenRequests } = setUp({ tokens: [token.comes, tokenAnswer("bank", 3600)] });
    const [first, second] = [create(), create()];
    await settle();
    token.fail(steering);
    await expect(first).rejects.toBe(steering);
    await settle();
    clock.advance(0);
    await expect(second).resolves.toBeDefined();
    expect(tokenRequests).toHaveLength(2);
  });

  test("leaves the rule as if nothing had been sent: the next replacement follows at once, and is spaced as the first", async () => {
    const { create, clock, tokenRequests } = setUp({
      tokens: [tokenAnswer("bank", 3600), ...Array(20).fill(steer), json({}, 503), tokenAnswer("later", 3600)],
      customerTokens: [customerToken("a"), stale()],
    });
    await create();
    clock.advance(60_000);
    for (let page = 0; page < 20; page++) await expect(create()).rejects.toBe(steering);
    await expect(create()).rejects.toMatchObject({ name: "TokenRequestError", status: 503, retryAfterSeconds: 1 });
    expect(tokenRequests).toHaveLength(22);
    clock.advance(1_000);
    await expect(create()).rejects.toMatchObject({ name: "ApiError", status: 401 });
    expect(tokenRequests).toHaveLength(23);
  });

  test("in a renewal ahead of its time reaches nobody: the token serves", async () => {
    const { create, clock, tokenRequests } = setUp({
      tokens: [tokenAnswer("bank", 3600), steer, tokenAnswer("renewed", 3600)],
    });
    await create();
    clock.advance(3600_000 * 0.81);
    for (let call = 0; call < 2; call++) {
      await expect(create()).resolves.toBeDefined();
      await settle();
    }
    expect(tokenRequests).toHaveLength(3);
  });
});

describe("the life of a token", () => {
  const nowSeconds = new FakeClock().wallMs / 1000;

  test.each([
    ["expires_in 60", tokenAnswer("bank", 60), 60],
    ["expires_in 3600", tokenAnswer("bank", 3600), 3600],
    ["expires_in as a string", tokenAnswer("bank", "60"), 60],
    ["the JWT's exp and iat, by the server's clock", tokenAnswer(unsignedJwt({ iat: 1000, exp: 1600 })), 600],
    ["the JWT's exp alone", tokenAnswer(unsignedJwt({ exp: nowSeconds + 600 })), 600],
    ["a negative expires_in, thus the JWT's exp", tokenAnswer(unsignedJwt({ iat: 1000, exp: 1600 }), -1), 600],
  ])("is renewed ahead of its end, while it serves: %s", async (_, answer, lifetimeSeconds) => {
    const { create, clock, tokenRequests, bankTokens } = setUp({ tokens: [answer, tokenAnswer("renewed", 3600)] });
    await create();
    clock.advance(lifetimeSeconds * 0.75 * 1000 - 1);
    await create();
    expect(tokenRequests).toHaveLength(1);

    clock.advance(1);
    await create(); // still the old one: nobody waits for a renewal
    await settle();
    expect(tokenRequests).toHaveLength(2);
    await create();
    expect(bankTokens().slice(2)).toEqual([bankTokens()[0], "renewed"]);
  });

  test("ends: an expired token is never sent", async () => {
    const { create, clock, bankTokens } = setUp({ tokens: [tokenAnswer("old", 60), tokenAnswer("new", 60)] });
    await create();
    clock.advance(60_000);
    await create();
    expect(bankTokens()).toEqual(["old", "new"]);
  });

  test("begins when it is asked for, not when it comes", async () => {
    const slow = () => (clock.advance(9_000), tokenAnswer("slow", 10));
    const { create, clock, tokenRequests } = setUp({ tokens: [slow] });
    await create();
    clock.advance(1_000);
    await create();
    expect(tokenRequests).toHaveLength(2);
  });

  test("without any stated end lasts until a 401", async () => {
    const { create, clock, tokenRequests } = setUp({
      customerTokens: [customerToken("c"), customerToken("c"), stale(), customerToken("c")],
      tokens: [tokenAnswer("opaque")],
    });
    await create();
    clock.advance(30 * 24 * 3600_000);
    await create();
    expect(tokenRequests).toHaveLength(1);
    await create();
    expect(tokenRequests).toHaveLength(2);
  });

  test("goes on when a renewal fails, and the next try is not the next call's", async () => {
    const { create, clock, tokenRequests } = setUp({
      tokens: [
        tokenAnswer("old", 3600),
        json({ error: "server_error" }, 500),
        new TypeError("fetch failed"),
        json({ error: "invalid_client" }, 401),
        tokenAnswer("new", 3600),
      ],
    });
    await create();
    clock.advance(2_839_000);
    for (const requests of [2, 3, 4, 5, 5]) {
      clock.advance(61_000);
      // An unhandled rejection of a renewal would fail the run.
      for (let call = 0; call < 20; call++) await create();
      await settle();
      expect(tokenRequests).toHaveLength(requests);
    }
  });

  test("a renewal that hangs holds nobody up", async () => {
    const { create, clock, customerTokenRequests } = setUp({ tokens: [tokenAnswer("old", 3600), hang] });
    await create();
    clock.advance(2_900_000);
    await create();
    await create();
    expect(customerTokenRequests).toHaveLength(3);
  });
});

describe("401", () => {
  test("authentication_failed on a token that worked: one renewal for 50 calls, each tried once more", async () => {
    const answer = (seen: Seen) => (bankTokenOf(seen) === "bank-1" ? stale() : customerToken("c"));
    const { create, customerTokenRequests, tokenRequests, clock } = setUp({
      customerTokens: [customerToken("first"), answer],
    });
    await create();
    clock.advance(60_000);
    const tokens = await Promise.all(Array.from({ length: 50 }, () => create()));
    expect(tokens.every(({ access_token }) => access_token === "c")).toBe(true);
    expect([tokenRequests.length, customerTokenRequests.length]).toEqual([2, 1 + 100]);
  });

  test("drops that token, not a newer one", async () => {
    // The first call's 401 comes after the second has already renewed.
    const late = later();
    const { create, tokenRequests, bankTokens, clock } = setUp({
      customerTokens: [customerToken("warm"), late.comes, stale(), customerToken("b"), customerToken("a")],
    });
    await create();
    clock.advance(60_000);
    const first = create();
    await settle();
    await create();
    late.answer(stale());
    await expect(first).resolves.toMatchObject({ access_token: "a" });
    expect([tokenRequests.length, bankTokens().at(-1)]).toEqual([2, "bank-2"]);
  });

  test("again after the renewal is final", async () => {
    const script = { customerTokens: [customerToken("warm"), stale()] };
    const { create, customerTokenRequests, tokenRequests, clock } = setUp(script, { maxRetries: 2 });
    await create();
    clock.advance(60_000);
    const messageCode = "authentication_failed";
    await expect(create()).rejects.toMatchObject({ name: "ApiError", messageCode, attempts: 2 });
    expect([tokenRequests.length, customerTokenRequests.length]).toEqual([2, 3]);
  });

  test.each([
    [401, "invalid_subject"],
    [401, "unauthorized"],
    [401, "authentication_malformed"],
    [403, "invalid_scopes"],
    [422, "no_customer"],
  ])("%i %s is final", async (status, messageCode) => {
    const script = { customerTokens: [customerToken("warm"), refusal(status, messageCode)] };
    const { create, customerTokenRequests, tokenRequests } = setUp(script, { maxRetries: 2 });
    await create();
    await expect(create()).rejects.toMatchObject({ name: "ApiError", status, messageCode, attempts: 1 });
    expect([tokenRequests.length, customerTokenRequests.length]).toEqual([1, 2]);
  });

  test("with the renewal refused is the token request's error", async () => {
    const { create, clock } = setUp({
      customerTokens: [customerToken("warm"), stale()],
      tokens: [tokenAnswer("t", 3600), json({ error: "invalid_client" }, 401)],
    });
    await create();
    clock.advance(60_000);
    await expect(create()).rejects.toMatchObject({ name: "TokenRequestError", error: "invalid_client" });
  });
});

describe("a refused token", () => {
  test("that never worked is not replaced in its first minute, and is after it", async () => {
    const { create, clock, tokenRequests } = setUp({
      customerTokens: [stale(), stale(), stale(), customerToken("c")],
    });
    await expect(create()).rejects.toMatchObject({ status: 401, attempts: 1 });
    clock.advance(59_999);
    await expect(create()).rejects.toMatchObject({ status: 401, attempts: 1 });
    expect(tokenRequests).toHaveLength(1);
    clock.advance(1);
    await expect(create()).resolves.toEqual({ access_token: "c" });
    expect(tokenRequests).toHaveLength(2);
  });

  /** A client whose store has others' tokens, and lets this process ask once. */
  function setUpHeld(found: () => unknown, ...[script, options]: Parameters<typeof setUp>) {
    let asked = 0;
    const clock = new FakeClock();
    const held = () => ({ kind: "held" as const, until: clock.elapsedMs + 20_000 });
    const store: BankTokenStore = () => ({
      readShared: async () => found() as never,
      requestToken: async (_, ask) => (asked++ === 0 ? ask() : held()),
    });
    return { ...setUp(script, { auth: clientCredentials({ ...bank, store }), clock, ...options }), clock };
  }

  test("serves on if no other may be asked for, and the call gets its 401", async () => {
    const script = { customerTokens: [customerToken("a"), stale(), customerToken("b")] };
    const { create, bankTokens, tokenRequests, clock } = setUpHeld(() => undefined, script);
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
    const { create, bankTokens, tokenRequests, clock } = setUpHeld(() => others, script, { maxRetries: 2 });
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

describe("a success that comes late", () => {
  /** A call under way with bank-1, which has worked before. */
  async function setUpLate(...answers: Response[]) {
    const slow = later();
    const tokens = [tokenAnswer("bank-1", 3600), ...answers, tokenAnswer("bank-2", 3600)];
    const context = setUp({ tokens, customerTokens: [customerToken("a"), slow.comes, stale(), customerToken("b")] });
    await context.create();
    context.clock.advance(2_700_000);
    const late = context.create();
    await settle();
    return { ...context, succeed: () => (slow.answer(customerToken("late")), late) };
  }

  test("says nothing about a newer token: its first 401 is final", async () => {
    const { create, succeed, bankTokens } = await setUpLate();
    await expect(succeed()).resolves.toBeDefined();
    await expect(create()).rejects.toMatchObject({ status: 401, attempts: 1 });
    expect(bankTokens()).toEqual(["bank-1", "bank-1", "bank-2"]);
  });

  test("does not bring back a token that was refused since", async () => {
    const { create, succeed, bankTokens, clock } = await setUpLate(json({}, 500), json({}, 500));
    clock.advance(1_000);
    await expect(create()).rejects.toMatchObject({ name: "TokenRequestError", status: 500 });
    await expect(succeed()).resolves.toBeDefined();
    await expect(clock.run(create())).resolves.toEqual({ access_token: "b" });
    expect(bankTokens()).toEqual(["bank-1", "bank-1", "bank-1", "bank-2"]);
  });
});

test("a call waits for another try after the failures of other processes, for as long as it has time", async () => {
  const clock = new FakeClock();
  let asked = 0;
  const store: BankTokenStore = () => ({
    readShared: async () => undefined,
    requestToken: async () => {
      asked++;
      return {
        kind: "held",
        until: clock.elapsedMs + 20_000,
        failure: Object.assign(new Error("503"), { status: 503 }),
      };
    },
  });
  const { create } = setUp({}, { auth: clientCredentials({ ...bank, store }), clock, timeoutMs: 50_000 });
  const expected = { status: 503, attempts: 0, retryAfterSeconds: 20, cause: { message: "503" } };
  await expect(clock.run(create())).rejects.toMatchObject(expected);
  expect([asked, clock.elapsedMs]).toEqual([3, 40_000]);
});

test("a token request without an answer says nothing of when the next may follow", async () => {
  const { create } = setUp({ tokens: [new TypeError("fetch failed")] });
  expect(await failureOf(create())).not.toHaveProperty("retryAfterSeconds");
});

test("a refresh that was abandoned, as Workers do it with the request that began it, is begun again", async () => {
  let begun = 0;
  const store: BankTokenStore = () => ({
    readShared: async () => undefined,
    requestToken: (_, ask) => (begun++ === 0 ? Promise.reject(new Error("another request's I/O")) : ask()),
  });
  const { create, clock, tokenRequests } = setUp({}, { auth: clientCredentials({ ...bank, store }) });
  await expect(clock.run(create())).resolves.toBeDefined();
  expect([begun, tokenRequests.length, clock.elapsedMs]).toEqual([2, 1, 0]);
});

test.each([
  [401, undefined, 60_000],
  [429, "5", 5_000],
  [429, "86400", 300_000],
])(
  "a %i with the Retry-After %s is remembered for %i ms, and the error says so",
  async (status, retryAfter, holdMs) => {
    const headers = { ...(retryAfter && { "retry-after": retryAfter }) };
    const { create, clock, tokenRequests } = setUp({ tokens: [json({}, status, headers), tokenAnswer("t", 3600)] });
    await expect(create()).rejects.toMatchObject({ retryAfterSeconds: holdMs / 1000 });
    clock.advance(holdMs - 1);
    await expect(create({ timeoutMs: 1 })).rejects.toMatchObject({ status, attempts: 0, retryAfterSeconds: 1 });
    expect(tokenRequests).toHaveLength(1);
    clock.advance(1);
    await expect(create()).resolves.toBeDefined();
  },
);
