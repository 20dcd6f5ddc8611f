import { afterEach, describe, expect, test, vi } from "vitest";
import {
  bearer,
  clientCredentials,
  InvalidArgumentError,
  InvalidResponseError,
  TimeoutError,
  TokenRequestError,
} from "../../../src/index.js";
import { setUp as setUpClient } from "../../support/client.js";
import { settle } from "../../support/clock.js";
import { guid, hang, json, tokenAnswer } from "../../support/service.js";

const request = { customer_guid: guid, scopes: ["customers:read" as const] };

/** Without retries: each test counts the requests that it is about. */
const setUp: typeof setUpClient = (script, options) => setUpClient(script, { maxRetries: 0, ...options });

describe("clientCredentials: arguments", () => {
  test.each([
    ["clientId", { clientId: "", clientSecret: "s" }],
    ["clientSecret", { clientId: "c", clientSecret: "" }],
    ["clientSecret", { clientId: "c" }],
    ["clientSecret", { clientId: "c", clientSecret: "a\u0000b" }],
    ["scopes", { clientId: "c", clientSecret: "s", scopes: [] }],
    ["scopes", { clientId: "c", clientSecret: "s", scopes: [""] }],
    ["scopes", { clientId: "c", clientSecret: "s", scopes: ["customers:read", ""] }],
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

  test.each([
    ["clientSecret", { clientId: "c", clientSecret: "canary\n" }],
    ["clientSecret", { clientId: "c", clientSecret: "canary\r\n" }],
    ["clientId", { clientId: "canary\n", clientSecret: "s" }],
  ])(
    "says that a %s ends in a line break, as what is read from a file does, and shows nothing of it",
    (field, options) => {
      const make = () => clientCredentials(options);
      expect(make).toThrow(`${field}: expected a string of printable ASCII, got a line break at its end`);
      expect(make).not.toThrow("canary");
      expect(() => bearer("canary\n")).toThrow(/^token: .*, got a line break at its end$/);
    },
  );

  describe("where everybody can read the secret", () => {
    afterEach(() => void vi.unstubAllGlobals());
    const make = () => clientCredentials({ clientId: "c", clientSecret: "s" });
    const stub = (globals: Record<string, unknown>) => {
      for (const [name, value] of Object.entries(globals)) vi.stubGlobal(name, value);
    };

    test("it refuses to work in a browser, where bearer works", async () => {
      stub({ window: globalThis, document: {} });
      expect(make).toThrow(/backend/);
      const { create } = setUp({}, { auth: bearer("static") });
      await expect(create()).resolves.toMatchObject({ access_token: "customer-1" });
    });

    test("it refuses to work in React Native, which has a window and no document", async () => {
      stub({ window: globalThis, navigator: { product: "ReactNative" } });
      expect(make).toThrow(/backend.*an app/);
      const { create } = setUp({}, { auth: bearer("static") });
      await expect(create()).resolves.toMatchObject({ access_token: "customer-1" });
    });

    // As jsdom and happy-dom do: both define a window and a document.
    test("it says to tests with a simulated browser what to do", () => {
      stub({ window: {}, document: {}, navigator: { product: "Gecko" } });
      expect(make).toThrow(/jsdom or happy-dom.*`@vitest-environment node`.*`@jest-environment node`/);
    });

    test.each([
      ["a window alone", { window: globalThis }],
      ["a document alone", { document: {} }],
      ["a navigator, as Node 21 has it", { navigator: { userAgent: "Node.js/22" } }],
      ["no navigator at all", { navigator: undefined }],
    ])("it works on Node with %s", (_, globals) => {
      stub(globals);
      expect(make).not.toThrow();
    });
  });
});

describe("clientCredentials: the token request", () => {
  test("is a JSON POST to the API's own host, with the default scopes", async () => {
    const { create, tokenRequests } = setUp();
    await create();
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
    const { create, tokenRequests } = setUp({}, { auth });
    await create();
    expect(tokenRequests[0]?.body).toMatchObject({ scope: "customers:write accounts:read" });
  });

  test("happens once for 100 cold calls at once", async () => {
    const { create, tokenRequests } = setUp();
    const tokens = await Promise.all(Array.from({ length: 100 }, create));
    expect(tokenRequests).toHaveLength(1);
    expect(new Set(tokens.map(({ access_token }) => access_token))).toHaveLength(100);
  });

  test("is each client's own, also for one auth object in two clients", async () => {
    const auth = clientCredentials({ clientId: "bank", clientSecret: "s3cret" });
    const sandbox = setUp({}, { auth });
    const production = setUp({}, { auth, baseUrl: "https://other.example" });
    await Promise.all([sandbox.create(), production.create()]);
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
    const { create, customerTokenRequests } = setUp({ tokens: [answer] });
    const error: unknown = await create().catch((reason: unknown) => reason);
    expect(error).toBeInstanceOf(TokenRequestError);
    expect(error).toMatchObject({ code: "ERR_TOKEN_REQUEST", attempts: 1, ...expected });
    expect(customerTokenRequests).toHaveLength(0);
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
    const { create, customerTokenRequests } = setUp({ tokens: [answer] });
    await expect(create()).rejects.toThrow(InvalidResponseError);
    expect(customerTokenRequests).toHaveLength(0);
  });

  test.each(["Bearer", "bearer", "BEARER", undefined])("takes the token type %s", async (token_type) => {
    const { create } = setUp({ tokens: [json({ access_token: "t", token_type, expires_in: 60 })] });
    await expect(create()).resolves.toBeDefined();
  });

  test("is not followed to another host", async () => {
    const elsewhere = Response.redirect("https://evil.example/oauth/token", 307);
    const { create, fetch } = setUp({ tokens: [elsewhere] });
    await expect(create()).rejects.toThrow(InvalidResponseError);
    expect(fetch).toHaveBeenCalledTimes(1);
  });

  test("that hangs ends in a TimeoutError, and is not remembered", async () => {
    const { create, clock, tokenRequests } = setUp({ tokens: [hang, tokenAnswer("t", 60)] }, { timeoutMs: 5_000 });
    await expect(clock.run(create())).rejects.toThrow(TimeoutError);
    expect(clock.elapsedMs).toBe(5_000);
    await settle();
    await expect(create()).resolves.toBeDefined();
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
    const { client, create, tokenRequests } = setUp({
      tokens: [() => new Promise((resolve) => (answer = resolve))],
    });
    const controller = new AbortController();
    const reason = new Error("the user went away");
    const first = client.createCustomerToken(request, { signal: controller.signal });
    const second = create();
    await settle();
    controller.abort(reason);
    await expect(first).rejects.toBe(reason);
    answer(tokenAnswer("t", 60));
    await expect(second).resolves.toBeDefined();
    expect(tokenRequests).toHaveLength(1);
  });
});
