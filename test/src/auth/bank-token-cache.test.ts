import { describe, expect, test } from "vitest";
import { type BankTokenStore, clientCredentials, TokenRequestError } from "../../../src/index.js";
import { setUp as setUpClient } from "../../support/client.js";
import { FakeClock, settle } from "../../support/clock.js";
import { customerToken, hang, json, refusal, stale, tokenAnswer, unsignedJwt } from "../../support/service.js";

/** Without retries: each test counts the requests that it is about. */
const setUp: typeof setUpClient = (script, options) => setUpClient(script, { maxRetries: 0, ...options });

test("an error by which Next.js steers is no token request: it passes through each time, and nothing is held up", async () => {
  const steering = Object.assign(new Error("dynamic"), { digest: "DYNAMIC_SERVER_USAGE" });
  const steer = () => Promise.reject(steering);
  const { mint, clock, tokenRequests } = setUp({ tokens: [...Array(30).fill(steer), tokenAnswer("bank", 3600)] });
  for (let page = 0; page < 30; page++) await expect(mint()).rejects.toBe(steering);
  await expect(mint()).resolves.toBeDefined();
  expect([tokenRequests.length, clock.elapsedMs, clock.pendingTimers]).toEqual([31, 0, 0]);
});

describe("an error by which Next.js steers", () => {
  const steering = Object.assign(new Error("dynamic"), { digest: "DYNAMIC_SERVER_USAGE" });

  test("steers the page of the call that sent the request: one that waits beside it sends its own", async () => {
    let steer!: () => void;
    const held = new Promise<Response>((_, reject) => (steer = () => reject(steering)));
    const { mint, clock, tokenRequests } = setUp({ tokens: [() => held, tokenAnswer("bank", 3600)] });
    const [first, second] = [mint(), mint()];
    await settle();
    steer();
    await expect(first).rejects.toBe(steering);
    await settle();
    clock.advance(0);
    await expect(second).resolves.toBeDefined();
    expect(tokenRequests).toHaveLength(2);
  });

  test("passes through where it meets a renewal, and the refused token serves on", async () => {
    const { mint, clock, tokenRequests } = setUp({
      tokens: [tokenAnswer("bank", 3600), () => Promise.reject(steering)],
      mints: [customerToken("a"), stale(), customerToken("b")],
    });
    await mint();
    clock.advance(60_000);
    await expect(mint()).rejects.toBe(steering);
    await expect(mint()).resolves.toEqual({ access_token: "b" });
    expect(tokenRequests).toHaveLength(2);
  });

  test("leaves the rule as if nothing had been sent: the next replacement follows at once, and is spaced as the first", async () => {
    const steer = () => Promise.reject(steering);
    const { mint, clock, tokenRequests } = setUp({
      tokens: [tokenAnswer("bank", 3600), ...Array(20).fill(steer), json({}, 503), tokenAnswer("later", 3600)],
      mints: [customerToken("a"), stale()],
    });
    await mint();
    clock.advance(60_000);
    for (let page = 0; page < 20; page++) await expect(mint()).rejects.toBe(steering);
    await expect(mint()).rejects.toMatchObject({ name: "TokenRequestError", status: 503, retryAfterSeconds: 1 });
    expect(tokenRequests).toHaveLength(22);
    clock.advance(1_000);
    await expect(mint()).rejects.toMatchObject({ name: "ApiError", status: 401 });
    expect(tokenRequests).toHaveLength(23);
  });

  test("in a renewal ahead of its time reaches nobody: the token serves", async () => {
    const { mint, clock, tokenRequests } = setUp({
      tokens: [tokenAnswer("bank", 3600), () => Promise.reject(steering), tokenAnswer("renewed", 3600)],
    });
    await mint();
    clock.advance(3600_000 * 0.81);
    await expect(mint()).resolves.toBeDefined();
    await settle();
    await expect(mint()).resolves.toBeDefined();
    await settle();
    expect(tokenRequests).toHaveLength(3);
  });
});

describe("clientCredentials: the life of a token", () => {
  const nowSeconds = new FakeClock().wallMs / 1000;

  test.each([
    ["expires_in 60", tokenAnswer("bank", 60), 60],
    ["expires_in 3600", tokenAnswer("bank", 3600), 3600],
    ["expires_in as a string", tokenAnswer("bank", "60"), 60],
    ["the JWT's exp and iat, by a clock of its own", tokenAnswer(unsignedJwt({ iat: 1000, exp: 1600 })), 600],
    ["the JWT's exp alone", tokenAnswer(unsignedJwt({ exp: nowSeconds + 600 })), 600],
    ["a negative expires_in, thus the JWT's exp", tokenAnswer(unsignedJwt({ iat: 1000, exp: 1600 }), -1), 600],
  ])("is renewed ahead of its end, while it serves: %s", async (_, answer, lifetimeSeconds) => {
    const { mint, clock, tokenRequests, mints } = setUp({
      tokens: [answer, tokenAnswer("renewed", 3600)],
    });
    await mint();
    clock.advance(lifetimeSeconds * 0.74 * 1000);
    await mint();
    expect(tokenRequests).toHaveLength(1);

    clock.advance(lifetimeSeconds * 0.02 * 1000);
    await mint(); // still the old one: nobody waits for a renewal
    await settle();
    expect(tokenRequests).toHaveLength(2);
    await mint();
    expect(mints.slice(2).map(({ headers }) => headers.get("authorization"))).toEqual([
      mints[0]?.headers.get("authorization"),
      "Bearer renewed",
    ]);
  });

  test("is spread, so that the processes of a fleet do not renew at once", async () => {
    for (const [random, share] of [
      [0, 0.7],
      [0.999, 0.8],
    ] as const) {
      const { mint, clock, tokenRequests } = setUp({}, { random: () => random });
      await mint();
      clock.advance(3600_000 * share - 1_000);
      await mint();
      expect(tokenRequests).toHaveLength(1);
      clock.advance(2_000);
      await mint();
      expect(tokenRequests).toHaveLength(2);
    }
  });

  test("ends: an expired token is never sent", async () => {
    const { mint, clock, mints } = setUp({
      tokens: [tokenAnswer("old", 60), tokenAnswer("new", 60)],
    });
    await mint();
    clock.advance(60_000);
    await mint();
    expect(mints.map(({ headers }) => headers.get("authorization"))).toEqual(["Bearer old", "Bearer new"]);
  });

  test("begins when it is asked for, not when it comes", async () => {
    const { mint, clock, tokenRequests } = setUp({
      tokens: [
        () => {
          clock.advance(9_000);
          return tokenAnswer("slow", 10);
        },
      ],
    });
    await mint();
    clock.advance(1_000);
    await mint();
    expect(tokenRequests).toHaveLength(2);
  });

  test("without any stated end lasts until a 401", async () => {
    const { mint, clock, tokenRequests } = setUp({
      mints: [customerToken("c"), customerToken("c"), stale(), customerToken("c")],
      tokens: [tokenAnswer("opaque")],
    });
    await mint();
    clock.advance(30 * 24 * 3600_000);
    await mint();
    expect(tokenRequests).toHaveLength(1);
    await mint();
    expect(tokenRequests).toHaveLength(2);
  });

  test.each([-3600_000, 24 * 3600_000])("does not depend on the wall clock (%i ms)", async (jumpMs) => {
    const { mint, clock, tokenRequests } = setUp({ tokens: [tokenAnswer("t", 600)] });
    await mint();
    clock.wallMs += jumpMs;
    for (let call = 0; call < 50; call++) await mint();
    expect(tokenRequests).toHaveLength(1);
    clock.advance(600_000);
    await mint();
    expect(tokenRequests).toHaveLength(2);
  });

  test("goes on when a renewal fails, and the next try is not the next call's", async () => {
    const { mint, clock, tokenRequests } = setUp({
      tokens: [
        tokenAnswer("old", 3600),
        json({ error: "server_error" }, 500),
        new TypeError("fetch failed"),
        tokenAnswer("new", 3600),
      ],
    });
    await mint();
    clock.advance(2_900_000);
    for (let call = 0; call < 20; call++) await mint();
    expect(tokenRequests).toHaveLength(2);
    clock.advance(61_000);
    for (let call = 0; call < 20; call++) await mint();
    expect(tokenRequests).toHaveLength(3);
    clock.advance(61_000);
    for (let call = 0; call < 20; call++) await mint();
    expect(tokenRequests).toHaveLength(4);
  });

  test("a renewal that hangs holds nobody up", async () => {
    const { mint, clock, mints } = setUp({ tokens: [tokenAnswer("old", 3600), hang] });
    await mint();
    clock.advance(2_900_000);
    await mint();
    await mint();
    expect(mints).toHaveLength(3);
  });
});

describe("clientCredentials: 401", () => {
  test("authentication_failed on a token that worked: one renewal for 50 calls, each tried once more", async () => {
    const isOld = (answer: Response) => (seen: { headers: Headers }) =>
      seen.headers.get("authorization") === "Bearer bank-1" ? answer.clone() : customerToken("c");
    const { mint, mints, tokenRequests, clock } = setUp({
      mints: [customerToken("first"), isOld(stale())],
    });
    await mint();
    clock.advance(60_000);
    const tokens = await Promise.all(Array.from({ length: 50 }, mint));
    expect(tokens.every(({ access_token }) => access_token === "c")).toBe(true);
    expect(tokenRequests).toHaveLength(2);
    expect(mints).toHaveLength(1 + 100);
  });

  test("drops that token, not a newer one", async () => {
    // The first call's 401 comes after the second has already renewed.
    let late!: (value: Response) => void;
    const { mint, tokenRequests, mints, clock } = setUp({
      mints: [
        customerToken("warm"),
        () => new Promise((resolve) => (late = resolve)),
        stale(),
        customerToken("b"),
        customerToken("a"),
      ],
    });
    await mint();
    clock.advance(60_000);
    const first = mint();
    await settle();
    await mint();
    late(stale());
    await expect(first).resolves.toMatchObject({ access_token: "a" });
    expect(tokenRequests).toHaveLength(2);
    expect(mints.at(-1)?.headers.get("authorization")).toBe("Bearer bank-2");
  });

  test("again after the renewal is final", async () => {
    const { mint, mints, tokenRequests, clock } = setUp({ mints: [customerToken("warm"), stale()] }, { maxRetries: 2 });
    await mint();
    clock.advance(60_000);
    await expect(mint()).rejects.toMatchObject({
      name: "ApiError",
      messageCode: "authentication_failed",
      attempts: 2,
    });
    expect(tokenRequests).toHaveLength(2);
    expect(mints).toHaveLength(3);
  });

  test.each([
    [401, "invalid_subject"],
    [401, "unauthorized"],
    [401, "authentication_malformed"],
    [403, "invalid_scopes"],
    [422, "no_customer"],
  ])("%i %s is final", async (status, messageCode) => {
    const { mint, mints, tokenRequests } = setUp(
      { mints: [customerToken("warm"), refusal(status, messageCode)] },
      { maxRetries: 2 },
    );
    await mint();
    await expect(mint()).rejects.toMatchObject({
      name: "ApiError",
      status,
      messageCode,
      attempts: 1,
    });
    expect(tokenRequests).toHaveLength(1);
    expect(mints).toHaveLength(2);
  });

  test("with the renewal refused is the token request's error", async () => {
    const { mint, clock } = setUp({
      mints: [customerToken("warm"), stale()],
      tokens: [tokenAnswer("t", 3600), json({ error: "invalid_client" }, 401)],
    });
    await mint();
    clock.advance(60_000);
    await expect(mint()).rejects.toMatchObject({
      name: "TokenRequestError",
      error: "invalid_client",
    });
  });
});

describe("clientCredentials: a refused token", () => {
  test("that never worked is not replaced in its first minute, and is after it", async () => {
    const { mint, clock, tokenRequests } = setUp({ mints: [stale(), stale(), stale(), customerToken("c")] });
    await expect(mint()).rejects.toMatchObject({ status: 401, attempts: 1 });
    clock.advance(59_999);
    await expect(mint()).rejects.toMatchObject({ status: 401, attempts: 1 });
    expect(tokenRequests).toHaveLength(1);
    clock.advance(1);
    await expect(mint()).resolves.toEqual({ access_token: "c" });
    expect(tokenRequests).toHaveLength(2);
  });

  /** A store with others' tokens, which lets this process ask once. */
  function heldBy(clock: FakeClock, found: () => unknown) {
    let asked = 0;
    const held = () => ({ kind: "held" as const, until: clock.elapsedMs + 20_000, hasFailed: false });
    const store: BankTokenStore = () => ({
      readShared: async () => found() as never,
      requestToken: async (_, ask) => (asked++ === 0 ? ask() : held()),
    });
    return clientCredentials({ clientId: "bank", clientSecret: "s3cret", store });
  }

  test("serves on if no other may be asked for, and the call gets its 401", async () => {
    const clock = new FakeClock();
    const auth = heldBy(clock, () => undefined);
    const { mint, mints, tokenRequests } = setUp(
      { mints: [customerToken("a"), stale(), customerToken("b")] },
      { auth, clock },
    );
    await mint();
    clock.advance(60_000);
    await expect(mint()).rejects.toMatchObject({ name: "ApiError", status: 401, attempts: 1 });
    await expect(mint()).resolves.toEqual({ access_token: "b" });
    expect(tokenRequests).toHaveLength(1);
    expect(mints.map(({ headers }) => headers.get("authorization"))).toEqual(Array(3).fill("Bearer bank-1"));
  });

  test("gives way to another process's, if there is one when no request may be sent", async () => {
    const clock = new FakeClock();
    let others: unknown;
    const auth = heldBy(clock, () => others);
    const script = { mints: [customerToken("a"), stale(), stale(), stale(), customerToken("c")] };
    const { mint, mints, tokenRequests } = setUp(script, { auth, clock, maxRetries: 2 });
    await mint();
    clock.advance(60_000);
    await expect(mint()).rejects.toMatchObject({ status: 401 });
    const life = { requestedAtMonotonic: clock.elapsedMs, requestedAtWall: clock.wallMs, lifetimeMs: 3600_000 };
    others = { value: "others", ...life, isShared: true };
    await expect(mint()).resolves.toEqual({ access_token: "c" });
    const sent = mints.map(({ headers }) => headers.get("authorization"));
    expect(sent.slice(2)).toEqual(["Bearer bank-1", "Bearer bank-1", "Bearer others"]);
    expect(tokenRequests).toHaveLength(1);
  });
});

test("a refresh that was abandoned, as Workers do it with the request that began it, is begun again", async () => {
  let begun = 0;
  const store: BankTokenStore = () => ({
    readShared: async () => undefined,
    requestToken: (_, ask) => (begun++ === 0 ? Promise.reject(new Error("another request's I/O")) : ask()),
  });
  const auth = clientCredentials({ clientId: "bank", clientSecret: "s3cret", store });
  const { mint, clock, tokenRequests } = setUp({}, { auth });
  await expect(clock.run(mint())).resolves.toBeDefined();
  expect([begun, tokenRequests.length, clock.elapsedMs]).toEqual([2, 1, 0]);
});

describe("clientCredentials: the quota of 20 token requests in five minutes", () => {
  const fiveMinutesOf200Calls = async ({ mint, clock }: ReturnType<typeof setUp>) => {
    for (let call = 0; call < 200; call++) {
      await expect(clock.run(mint())).rejects.toThrow();
      clock.advance(1_500);
    }
  };

  test("holds when every call is answered 401 authentication_failed", async () => {
    const run = setUp({ mints: [stale()] }, { maxRetries: 2 });
    await fiveMinutesOf200Calls(run);
    expect(run.tokenRequests.length).toBeLessThanOrEqual(6);
    expect(run.mints.length).toBeLessThanOrEqual(206);
  });

  test.each([
    [400, { error: "invalid_request" }, 6],
    [401, { error: "invalid_client" }, 6],
    [429, {}, 15],
    [502, "<html>", 15],
    [200, {}, 15],
  ])("holds when every token request is answered %i", async (status, body, most) => {
    const sentAt: number[] = [];
    const answer = () => {
      sentAt.push(run.clock.elapsedMs);
      return json(body, status);
    };
    const run = setUp({ tokens: [answer] }, { maxRetries: 2 });
    await fiveMinutesOf200Calls(run);
    for (const from of sentAt) {
      expect(sentAt.filter((at) => at >= from && at <= from + 300_000).length).toBeLessThanOrEqual(most);
    }
    expect(run.mints).toHaveLength(0);
  });

  test("a refusal is remembered for a minute, and then no longer", async () => {
    const { mint, clock, tokenRequests } = setUp({
      tokens: [json({ error: "invalid_client" }, 401), tokenAnswer("t", 3600)],
    });
    await expect(mint()).rejects.toMatchObject({ retryAfterSeconds: 60 });
    clock.advance(59_000);
    await expect(mint({ timeoutMs: 1_000 })).rejects.toThrow(TokenRequestError);
    expect(tokenRequests).toHaveLength(1);
    clock.advance(1_000);
    await expect(mint()).resolves.toBeDefined();
  });

  test.each([
    ["5", 5_000],
    ["86400", 300_000],
  ])("Retry-After %s of the endpoint wins, up to five minutes, and the error says so", async (retryAfter, holdMs) => {
    const { mint, clock, tokenRequests } = setUp({
      tokens: [json({}, 429, { "retry-after": retryAfter }), tokenAnswer("t", 3600)],
    });
    await expect(mint()).rejects.toMatchObject({ retryAfterSeconds: holdMs / 1000 });
    clock.advance(holdMs - 1);
    await expect(mint({ timeoutMs: 1 })).rejects.toThrow(TokenRequestError);
    expect(tokenRequests).toHaveLength(1);
    clock.advance(1);
    await expect(mint()).resolves.toBeDefined();
  });
});
