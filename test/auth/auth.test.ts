import { describe, expect, test } from "vitest";
import {
  bearer,
  clientCredentials,
  InvalidArgumentError,
  InvalidResponseError,
  TimeoutError,
  TokenRequestError,
} from "../../src/index.js";
import { setUp as setUpClient } from "../support/client.js";
import { FakeClock, settle } from "../support/clock.js";
import { customerToken, guid, hang, json, refusal, stale, tokenAnswer, unsignedJwt } from "../support/service.js";

const request = { customer_guid: guid, scopes: ["customers:read" as const] };

/** Without retries: each test counts the requests that it is about. */
const setUp: typeof setUpClient = (script, options) => setUpClient(script, { maxRetries: 0, ...options });

describe("bearer", () => {
  test("sends the token, and asks the token endpoint for nothing", async () => {
    const { mint, mints, tokenRequests } = setUp({}, { auth: bearer("static") });
    await mint();
    expect(mints[0]?.headers.get("authorization")).toBe("Bearer static");
    expect(tokenRequests).toHaveLength(0);
  });

  test("asks a function once per attempt", async () => {
    let given = 0;
    const { mint, mints, clock } = setUp(
      { mints: [json({}, 503), customerToken("c")] },
      { auth: bearer(async () => `token-${++given}`), maxRetries: 2 },
    );
    await clock.run(mint());
    expect(mints.map(({ headers }) => headers.get("authorization"))).toEqual(["Bearer token-1", "Bearer token-2"]);
  });

  test("does not try again after a 401", async () => {
    const { mint, mints } = setUp({ mints: [stale()] }, { auth: bearer(() => "static"), maxRetries: 2 });
    await expect(mint()).rejects.toMatchObject({ status: 401, attempts: 1 });
    expect(mints).toHaveLength(1);
  });

  test("passes on what the function throws", async () => {
    const failure = new Error("the vault is sealed");
    const { mint, fetch } = setUp({}, { auth: bearer(() => Promise.reject(failure)) });
    await expect(mint()).rejects.toBe(failure);
    expect(fetch).not.toHaveBeenCalled();
  });

  test.each(["", "Bearer abc", "a\nb", "schlüssel", undefined, 7])("refuses %j", async (token) => {
    expect(() => bearer(token as string)).toThrow(InvalidArgumentError);
    const { mint, fetch } = setUp({}, { auth: bearer(() => token as string) });
    await expect(mint()).rejects.toMatchObject({ name: "InvalidArgumentError", field: "token" });
    expect(fetch).not.toHaveBeenCalled();
  });
});

describe("clientCredentials: arguments", () => {
  test.each([
    ["clientId", { clientId: "", clientSecret: "s" }],
    ["clientSecret", { clientId: "c", clientSecret: "" }],
    ["clientSecret", { clientId: "c" }],
    ["clientSecret", { clientId: "c", clientSecret: "a\u0000b" }],
    ["scopes", { clientId: "c", clientSecret: "s", scopes: [] }],
    ["scopes", { clientId: "c", clientSecret: "s", scopes: [""] }],
    ["scopes", { clientId: "c", clientSecret: "s", scopes: "customers:read" }],
    ["scopes", { clientId: "c", clientSecret: "s", scopes: [undefined] }],
    ["scopes", { clientId: "c", clientSecret: "s", scopes: ["customers:read customers:write"] }],
    ["scope", { clientId: "c", clientSecret: "s", scope: ["customers:read"] }],
    ["store", { clientId: "c", clientSecret: "s", store: new Map() }],
  ])("refuses a wrong %s: %j", (field, options) => {
    const make = () => clientCredentials(options as never);
    expect(make).toThrow(InvalidArgumentError);
    expect(make).toThrow(field);
  });

  test("refuses to work in a browser, where bearer works", async () => {
    Object.assign(globalThis, { window: globalThis, document: {} });
    try {
      expect(() => clientCredentials({ clientId: "c", clientSecret: "s" })).toThrow(/backend/);
      const { mint } = setUp({}, { auth: bearer("static") });
      await expect(mint()).resolves.toMatchObject({ access_token: "customer-1" });
    } finally {
      Reflect.deleteProperty(globalThis, "window");
      Reflect.deleteProperty(globalThis, "document");
    }
  });
});

describe("clientCredentials: the token request", () => {
  test("is a JSON POST to the API's own host, with the default scopes", async () => {
    const { mint, tokenRequests } = setUp();
    await mint();
    expect(tokenRequests).toMatchObject([
      {
        url: "https://idp.example/oauth/token",
        init: { method: "POST", redirect: "manual" },
        body: {
          grant_type: "client_credentials",
          client_id: "bank",
          client_secret: "s3cret",
          scope: "customers:read customers:write",
        },
      },
    ]);
    expect(tokenRequests[0]?.headers.get("content-type")).toBe("application/json");
  });

  test("asks for the scopes that it is told to, in the caller's order", async () => {
    const scopes = Object.freeze(["customers:write", "accounts:read"]);
    const auth = clientCredentials({ clientId: "bank", clientSecret: "s3cret", scopes });
    const { mint, tokenRequests } = setUp({}, { auth });
    await mint();
    expect(tokenRequests[0]?.body).toMatchObject({ scope: "customers:write accounts:read" });
  });

  test("happens once for 100 cold calls at once", async () => {
    const { mint, tokenRequests } = setUp();
    const tokens = await Promise.all(Array.from({ length: 100 }, mint));
    expect(tokenRequests).toHaveLength(1);
    expect(new Set(tokens.map(({ access_token }) => access_token))).toHaveLength(100);
  });

  test("is each client's own, also for one auth object in two clients", async () => {
    const auth = clientCredentials({ clientId: "bank", clientSecret: "s3cret" });
    const sandbox = setUp({}, { auth });
    const production = setUp({}, { auth, baseUrl: "https://other.example" });
    await Promise.all([sandbox.mint(), production.mint()]);
    expect(sandbox.tokenRequests).toHaveLength(1);
    expect(production.tokenRequests[0]?.url).toBe("https://other.example/oauth/token");
  });

  test.each([
    [
      "400 with an error",
      json({ error: "invalid_scope", error_description: "no" }, 400),
      { status: 400, error: "invalid_scope", errorDescription: "no" },
    ],
    [
      "401 with an error",
      json({ error: "invalid_client" }, 401),
      { status: 401, error: "invalid_client", errorDescription: undefined },
    ],
    ["429", json({}, 429, { "retry-after": "7" }), { status: 429, retryAfterSeconds: 7 }],
    [
      "an HTML 502",
      new Response("<h1>Bad gateway</h1>", {
        status: 502,
        headers: { "content-type": "text/html" },
      }),
      { status: 502, error: undefined },
    ],
  ])("refused with %s is a TokenRequestError", async (_, answer, expected) => {
    const { mint, mints } = setUp({ tokens: [answer] });
    const error: unknown = await mint().catch((reason: unknown) => reason);
    expect(error).toBeInstanceOf(TokenRequestError);
    expect(error).toMatchObject({ code: "ERR_TOKEN_REQUEST", attempts: 1, ...expected });
    expect(mints).toHaveLength(0);
  });

  test.each([
    ["nothing", new Response(null, { status: 200 })],
    ["HTML", new Response("<html>", { status: 200, headers: { "content-type": "text/html" } })],
    ["null", json(null)],
    ["no access_token", json({ token_type: "Bearer", expires_in: 60 })],
    ["an empty access_token", tokenAnswer("", 60)],
    ["an access_token that no header can hold", tokenAnswer("a\r\nb", 60)],
    ["a number for access_token", json({ access_token: 7, token_type: "Bearer" })],
    ["another token type", json({ access_token: "t", token_type: "mac" })],
    ["cut JSON", new Response('{"access_token":"bank-')],
  ])("answered with %s is an InvalidResponseError", async (_, answer) => {
    const { mint, mints } = setUp({ tokens: [answer] });
    await expect(mint()).rejects.toThrow(InvalidResponseError);
    expect(mints).toHaveLength(0);
  });

  test.each(["Bearer", "bearer", "BEARER", undefined])("takes the token type %s", async (token_type) => {
    const { mint } = setUp({ tokens: [json({ access_token: "t", token_type, expires_in: 60 })] });
    await expect(mint()).resolves.toBeDefined();
  });

  test("is not followed to another host", async () => {
    const elsewhere = Response.redirect("https://evil.example/oauth/token", 307);
    const { mint, fetch } = setUp({ tokens: [elsewhere] });
    await expect(mint()).rejects.toThrow(InvalidResponseError);
    expect(fetch).toHaveBeenCalledTimes(1);
  });

  test("that hangs ends in a TimeoutError, and is not remembered", async () => {
    const { mint, clock, tokenRequests } = setUp({ tokens: [hang, tokenAnswer("t", 60)] }, { timeoutMs: 5_000 });
    await expect(clock.run(mint())).rejects.toThrow(TimeoutError);
    expect(clock.elapsedMs).toBe(5_000);
    await settle();
    await expect(mint()).resolves.toBeDefined();
    expect(tokenRequests).toHaveLength(2);
  });

  test("has as much time as the call that needs it", async () => {
    const { client, clock, tokenRequests } = setUp({ tokens: [hang] }, { timeoutMs: 100 });
    const call = client.createCustomerToken(request, { timeoutMs: 5_000 });
    await expect(clock.run(call)).rejects.toMatchObject({ name: "TimeoutError", timeoutMs: 5_000 });
    expect(clock.elapsedMs).toBe(5_000);
    expect(tokenRequests).toHaveLength(1);
  });

  test("goes on for the others when one of the callers gives up", async () => {
    let answer!: (value: Response) => void;
    const { client, mint, tokenRequests } = setUp({
      tokens: [() => new Promise((resolve) => (answer = resolve))],
    });
    const controller = new AbortController();
    const reason = new Error("the user went away");
    const first = client.createCustomerToken(request, { signal: controller.signal });
    const second = mint();
    await settle();
    controller.abort(reason);
    await expect(first).rejects.toBe(reason);
    answer(tokenAnswer("t", 60));
    await expect(second).resolves.toBeDefined();
    expect(tokenRequests).toHaveLength(1);
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
    const { mint, mints, tokenRequests } = setUp({
      mints: [customerToken("first"), isOld(stale())],
    });
    await mint();
    const tokens = await Promise.all(Array.from({ length: 50 }, mint));
    expect(tokens.every(({ access_token }) => access_token === "c")).toBe(true);
    expect(tokenRequests).toHaveLength(2);
    expect(mints).toHaveLength(1 + 100);
  });

  test("drops that token, not a newer one", async () => {
    // The first call's 401 comes after the second has already renewed.
    let late!: (value: Response) => void;
    const { mint, tokenRequests, mints } = setUp({
      mints: [
        customerToken("warm"),
        () => new Promise((resolve) => (late = resolve)),
        stale(),
        customerToken("b"),
        customerToken("a"),
      ],
    });
    await mint();
    const first = mint();
    await settle();
    await mint();
    late(stale());
    await expect(first).resolves.toMatchObject({ access_token: "a" });
    expect(tokenRequests).toHaveLength(2);
    expect(mints.at(-1)?.headers.get("authorization")).toBe("Bearer bank-2");
  });

  test("again after the renewal is final", async () => {
    const { mint, mints, tokenRequests } = setUp({ mints: [customerToken("warm"), stale()] }, { maxRetries: 2 });
    await mint();
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
    const { mint } = setUp({
      mints: [customerToken("warm"), stale()],
      tokens: [tokenAnswer("t", 3600), json({ error: "invalid_client" }, 401)],
    });
    await mint();
    await expect(mint()).rejects.toMatchObject({
      name: "TokenRequestError",
      error: "invalid_client",
    });
  });
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
    [200, {}, 6],
  ])("holds when every token request is answered %i", async (status, body, most) => {
    const run = setUp({ tokens: [json(body, status)] }, { maxRetries: 2 });
    await fiveMinutesOf200Calls(run);
    expect(run.tokenRequests.length).toBeLessThanOrEqual(most);
    expect(run.mints).toHaveLength(0);
  });

  test("a refusal is remembered for a minute, and then no longer", async () => {
    const { mint, clock, tokenRequests } = setUp({
      tokens: [json({ error: "invalid_client" }, 401), tokenAnswer("t", 3600)],
    });
    await expect(mint()).rejects.toMatchObject({ retryAfterSeconds: 60 });
    clock.advance(59_000);
    await expect(mint()).rejects.toThrow(TokenRequestError);
    expect(tokenRequests).toHaveLength(1);
    clock.advance(1_000);
    await expect(mint()).resolves.toBeDefined();
  });

  test.each([
    ["5", 5_000],
    ["86400", 300_000],
  ])("Retry-After %s of the endpoint wins, up to five minutes", async (retryAfter, holdMs) => {
    const { mint, clock, tokenRequests } = setUp({
      tokens: [json({}, 429, { "retry-after": retryAfter }), tokenAnswer("t", 3600)],
    });
    await expect(mint()).rejects.toMatchObject({ retryAfterSeconds: Number(retryAfter) });
    clock.advance(holdMs - 1);
    await expect(mint()).rejects.toThrow(TokenRequestError);
    expect(tokenRequests).toHaveLength(1);
    clock.advance(1);
    await expect(mint()).resolves.toBeDefined();
  });
});
