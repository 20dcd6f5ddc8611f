import fc from "fast-check";
import { describe, expect, test, vi } from "vitest";
import {
  bearer,
  clientCredentials,
  PostCustomerTokenIdpModelScopesEnum as Scopes,
  TimeoutError,
  type CustomerTokensClientOptions,
} from "../../src/index.js";
import { setUp as setUpClient } from "../support/client.js";
import { settle } from "../support/clock.js";
import { hosts } from "../support/fixture.js";
import {
  customerToken,
  cutOff,
  failureOf,
  fakeService,
  guid,
  hang,
  json,
  refusal,
  request,
  type Script,
} from "../support/service.js";

const setUp: typeof setUpClient = (script, options) => setUpClient(script, { auth: bearer("bank-token"), ...options });
const bank = clientCredentials({ clientId: "bank", clientSecret: "s3cret" });

describe("the request", () => {
  test("is a JSON POST with the bank token", async () => {
    const { create, customerTokenRequests } = setUp({}, { baseUrl: undefined });
    await create();
    expect(customerTokenRequests).toMatchObject([
      {
        url: `${hosts["sandbox"]}/api/customer_tokens`,
        body: request,
        init: { method: "POST", redirect: "manual" },
      },
    ]);
    expect(Object.fromEntries(customerTokenRequests[0]?.headers ?? [])).toEqual({
      accept: "application/json",
      authorization: "Bearer bank-token",
      "content-type": "application/json",
    });
    // Cloudflare's Workers refuse both.
    expect(customerTokenRequests[0]?.init).not.toHaveProperty("credentials");
    expect(customerTokenRequests[0]?.init).not.toHaveProperty("mode");
  });

  test("is JSON and says so, whatever media type a caller's header names", async () => {
    const headers = { "content-type": "application/x-www-form-urlencoded" };
    const { create, customerTokenRequests } = setUp({}, { headers });
    await create();
    await create({ headers });
    for (const { body, headers: sent } of customerTokenRequests) {
      expect([body, sent.get("content-type")]).toEqual([request, "application/json"]);
    }
    expect(customerTokenRequests).toHaveLength(2);
  });

  test("carries the client's and the call's headers, but never their Authorization", async () => {
    const headers = { "user-agent": "bank/1", "x-both": "client", authorization: "Basic x" };
    const { create, customerTokenRequests } = setUp({}, { headers });
    await create({ headers: [["x-both", "call"]] });
    expect(Object.fromEntries(customerTokenRequests[0]?.headers ?? [])).toMatchObject({
      "user-agent": "bank/1",
      "x-both": "call",
      authorization: "Bearer bank-token",
    });
  });

  test("sends a scope that this version does not know: the server decides", async () => {
    const { client, customerTokenRequests } = setUp();
    await client.createCustomerToken({
      customer_guid: guid,
      scopes: ["rewards:read" as typeof Scopes.CustomersRead],
    });
    expect(customerTokenRequests[0]?.body).toMatchObject({ scopes: ["rewards:read"] });
  });

  test("uses the global fetch as it is at the time of the call", async () => {
    const { create } = setUp({}, { fetch: undefined as never });
    const { fetch, customerTokenRequests } = fakeService();
    vi.stubGlobal("fetch", fetch);
    await create();
    expect(customerTokenRequests).toHaveLength(1);
  });
});

test("the response is the service's, with its access_token", async () => {
  const { create } = setUp({ customerTokens: [json({ access_token: "jwt", later: 1 }, 201)] });
  await expect(create()).resolves.toEqual({ access_token: "jwt", later: 1 });
});

describe("base URL", () => {
  test.each([
    ["https://idp.example", "https://idp.example"],
    ["https://idp.example/", "https://idp.example"],
    ["https://idp.example/cybrid", "https://idp.example/cybrid"],
    ["https://idp.example/cybrid/", "https://idp.example/cybrid"],
    [new URL("https://idp.example:8443/a/b//"), "https://idp.example:8443/a/b"],
    ["http://127.0.0.1:8080", "http://127.0.0.1:8080"],
    ["http://[::1]:8080", "http://[::1]:8080"],
    ["http://localhost", "http://localhost"],
    ["http://idp.localhost", "http://idp.localhost"],
  ])("%s is the base of the API and of the token endpoint", async (baseUrl, expected) => {
    const { create, customerTokenRequests, tokenRequests } = setUp({}, { auth: bank, baseUrl });
    await create();
    expect(tokenRequests[0]?.url).toBe(`${expected}/oauth/token`);
    expect(customerTokenRequests[0]?.url).toBe(`${expected}/api/customer_tokens`);
  });

  test.each(["sandbox", "production"] as const)(
    "of %s is that of the description, as is the token host",
    async (name) => {
      const { create, fetch } = setUp({}, { auth: bank, baseUrl: undefined, environment: name });
      await create();
      const urls = fetch.mock.calls.map(([url]) => url);
      expect(urls).toEqual(["/oauth/token", "/api/customer_tokens"].map((path) => `${hosts[name]}${path}`));
    },
  );

  test("may be http: on another machine if the caller says so", async () => {
    const { create, customerTokenRequests } = setUp({}, { baseUrl: "http://emulator:8080", allowInsecureHttp: true });
    await create();
    expect(customerTokenRequests[0]?.url).toBe("http://emulator:8080/api/customer_tokens");
  });
});

describe("a wait for", () => {
  const never = () => new Promise<Response>(() => {});
  const endless = (status: number) => () => new Response(new ReadableStream(), { status });
  const waits: [string, Script, Partial<CustomerTokensClientOptions>?][] = [
    ["the response", { customerTokens: [hang] }],
    ["its body", { customerTokens: [endless(201)] }],
    ["the body of an error", { customerTokens: [endless(422)] }],
    ["a fetch that takes no notice of its signal", { customerTokens: [never] }],
    ["the caller's token function", {}, { auth: bearer(() => new Promise<string>(() => {})) }],
    ["another attempt", { customerTokens: [json({}, 429, { "retry-after": "2" }), hang] }],
  ];

  test.each(waits)("%s ends with the call's time or its caller's abort, of api too", async (_, script, options) => {
    const reason = { whatever: "the caller says" };
    for (const method of ["create", "post"] as const) {
      const { clock, [method]: call } = setUp(script, options);
      await expect(clock.run<unknown>(call({ timeoutMs: 3_000 }))).rejects.toThrow(TimeoutError);
      expect([clock.elapsedMs, clock.pendingTimers]).toEqual([3_000, 0]);

      const aborted = setUp(script, options);
      const controller = new AbortController();
      const pending = aborted[method]({ signal: controller.signal });
      await settle();
      controller.abort(reason);
      await expect(pending).rejects.toBe(reason);
      await settle();
      expect(aborted.clock.pendingTimers).toBe(0);
    }
  });

  test("a token says how long the call had, and that it sent nothing", async () => {
    const { create, clock, fetch } = setUp({}, { auth: bearer(() => new Promise<string>(() => {})), timeoutMs: 50 });
    const expected = { name: "TimeoutError", code: "ERR_TIMEOUT", timeoutMs: 50, attempts: 0 };
    await expect(clock.run(create())).rejects.toMatchObject(expected);
    expect(fetch).not.toHaveBeenCalled();
  });
});

describe("a signal", () => {
  test("that is aborted sends nothing", async () => {
    const { create, fetch } = setUp();
    await expect(create({ signal: AbortSignal.abort("no need") })).rejects.toBe("no need");
    expect(fetch).not.toHaveBeenCalled();
  });

  test("has one listener, however many calls share it, and none afterwards", async () => {
    const { create, clock } = setUp({ customerTokens: [customerToken("c"), hang] });
    const controller = new AbortController();
    const { signal } = controller;
    const [add, remove] = [vi.spyOn(signal, "addEventListener"), vi.spyOn(signal, "removeEventListener")];
    await create({ signal });
    expect([add.mock.calls.length, remove.mock.calls.length, clock.pendingTimers]).toEqual([1, 1, 0]);
    const calls = Array.from({ length: 60 }, () => failureOf(create({ signal })));
    await settle();
    expect(add).toHaveBeenCalledTimes(2);
    controller.abort("enough");
    expect(await Promise.all(calls)).toEqual(Array(60).fill("enough"));
    expect(remove).toHaveBeenCalledTimes(2);
  });

  test("may be a polyfill", async () => {
    const polyfill = { aborted: false, addEventListener() {}, removeEventListener() {} } as unknown as AbortSignal;
    await expect(setUp().create({ signal: polyfill })).resolves.toBeDefined();
  });
});

describe("retries", () => {
  const cause = Object.assign(new Error("reset"), { code: "ECONNRESET" });
  const reset = Object.assign(new TypeError("fetch failed"), { cause });
  const cut = (status: number): [string, () => Response, object] => [
    `a ${status} that breaks off`,
    () => cutOff(status),
    {
      name: "ConnectionError",
      message: `the connection to idp.example closed before the response (${status}) was complete (terminated)`,
      cause: { message: "terminated" },
    },
  ];

  test.each<[string, Response | Error | (() => Response), object]>([
    ["a network error", reset, { code: "ERR_CONNECTION", cause: { cause: { code: "ECONNRESET" } } }],
    ["429", json({}, 429), { name: "ApiError", status: 429 }],
    ["502", json({}, 502), { name: "ApiError", status: 502 }],
    ["503", new Response("<html>", { status: 503 }), { name: "ApiError", status: 503 }],
    ["504", new Response(null, { status: 504 }), { name: "ApiError", status: 504 }],
    ...[201, 200, 401, 422, 500].map(cut),
  ])("after %s, with the same body and full-jitter backoff, up to maxRetries", async (_, failure, expected) => {
    const { create, customerTokenRequests, clock } = setUp({ customerTokens: [failure, failure, customerToken("c")] });
    await expect(clock.run(create())).resolves.toEqual({ access_token: "c" });
    expect(customerTokenRequests.map(({ body }) => body)).toEqual([request, request, request]);
    expect(clock.elapsedMs).toBe(0.5 * 250 + 0.5 * 500);
    for (const maxRetries of [0, 2]) {
      const failing = setUp({ customerTokens: [failure] }, { maxRetries });
      const attempts = maxRetries + 1;
      await expect(failing.clock.run(failing.create())).rejects.toMatchObject({ ...expected, attempts });
      expect(failing.fetch).toHaveBeenCalledTimes(attempts);
    }
  });

  test("that run out of time do not blame a failure that a response has followed", async () => {
    const { create, clock } = setUp({ customerTokens: [reset, json({}, 503), hang] });
    const error = await failureOf(clock.run(create()));
    expect(error).toMatchObject({ name: "TimeoutError", attempts: 3 });
    expect(error).not.toHaveProperty("cause");
  });
});

describe("the openapi-fetch client underneath", () => {
  test("returns bytes as they came", async () => {
    const bytes = new Uint8Array([0xff, 0xfe, 0x00, 0x80]);
    const { post } = setUp({ customerTokens: [new Response(bytes, { status: 201 })] });
    const { data } = await post({ parseAs: "arrayBuffer" });
    expect(new Uint8Array(data as unknown as ArrayBuffer)).toEqual(bytes);
  });

  test.each(["text/html", "APPLICATION/JSON"])("shows no text that is not JSON: %s", async (type) => {
    const response = new Response('{"access_token":canary', { status: 201, headers: { "content-type": type } });
    const { post } = setUp({ customerTokens: [response] });
    const expected = { name: "InvalidResponseError", responseStatus: 201, contentLength: 22 };
    await expect(post()).rejects.toMatchObject(expected);
    await expect(post()).rejects.not.toThrow("canary");
    await expect(post({ parseAs: "text" })).resolves.toMatchObject({ data: '{"access_token":canary' });
  });

  test("returns values, with the same authentication and retries", async () => {
    const customerTokens = [json({}, 503), customerToken("c"), refusal(422, "no_customer")];
    const { post, clock, customerTokenRequests, tokenRequests } = setUp({ customerTokens }, { auth: bank });
    const good = await clock.run(post());
    expect(good.data).toEqual({ access_token: "c" });
    const bad = await post();
    expect([bad.error, bad.response.status]).toMatchObject([{ message_code: "no_customer" }, 422]);
    expect(customerTokenRequests.map(({ body }) => body)).toEqual([request, request, request]);
    expect(tokenRequests).toHaveLength(1);
  });

  test("runs middleware, for createCustomerToken too", async () => {
    const customerTokens = [json({}, 503), customerToken("c")];
    const { client, customerTokenRequests, create, clock } = setUp({ customerTokens });
    const seen: string[] = [];
    client.api.use({
      async onRequest({ request: original, schemaPath }) {
        seen.push(`${original.method} ${schemaPath} ${await original.clone().text()}`);
        const changed = new Request(original);
        changed.headers.set("x-trace", "1");
        return changed;
      },
      async onResponse({ response }) {
        seen.push(await response.clone().text());
      },
    });
    await expect(clock.run(create())).resolves.toEqual({ access_token: "c" });
    expect(seen).toEqual([`POST /api/customer_tokens ${JSON.stringify(request)}`, '{"access_token":"c"}']);
    expect(customerTokenRequests.map(({ headers }) => headers.get("x-trace"))).toEqual(["1", "1"]);
    expect(customerTokenRequests.map(({ body }) => body)).toEqual([request, request]);
  });

  test("runs the middleware of one call, which sees a Request", async () => {
    const seen: unknown[] = [];
    const onRequest = ({ request }: { request: Request }) => void seen.push(request);
    await setUp().post({ middleware: [{ onRequest }] });
    expect(seen).toEqual([expect.any(Request)]);
  });

  test("lets middleware send something else, without the body", async () => {
    const { client, post, customerTokenRequests } = setUp();
    client.api.use({ onRequest: ({ request: { url } }) => new Request(url) });
    await post();
    expect(customerTokenRequests).toMatchObject([{ init: { method: "GET" }, body: "" }]);
  });

  test("lets middleware respond, passes on its errors, and removes it", async () => {
    const { client, create, fetch } = setUp();
    const failure = new Error("not today");
    let response: () => Response = () => customerToken("from middleware");
    const middleware = { onRequest: () => response() };
    client.api.use(middleware);
    await expect(create()).resolves.toEqual({ access_token: "from middleware" });
    response = () => {
      throw failure;
    };
    await expect(create()).rejects.toBe(failure);
    expect(fetch).not.toHaveBeenCalled();
    client.api.eject(middleware);
    await expect(create()).resolves.toEqual({ access_token: "customer-1" });
  });
});

test("whatever the service responds, a call ends with a token or a documented error", async () => {
  const header = fc.constantFrom(
    "content-type",
    "content-length",
    "retry-after",
    "location",
    "transfer-encoding",
    "x-any",
  );
  await fc.assert(
    fc.asyncProperty(
      fc.integer({ min: 200, max: 599 }),
      fc.dictionary(header, fc.stringMatching(/^[\x21-\x7e]{0,20}$/)),
      fc.oneof(fc.json(), fc.string(), fc.constant('{"access_token":"jwt"}'), fc.constant(null)),
      fc.integer({ min: 200, max: 599 }),
      async (status, headers, body, tokenStatus) => {
        const response = (code: number) =>
          new Response([204, 205, 304].includes(code) ? null : body, { status: code, headers });
        const tokens = tokenStatus % 2 === 0 ? [() => response(tokenStatus)] : undefined;
        const { create, clock, fetch } = setUp({ customerTokens: [() => response(status)], tokens }, { auth: bank });
        const outcome: unknown = await clock.run(create()).catch((reason: unknown) => reason);
        const name = (outcome as Error).name;
        if (name === undefined) expect(outcome).toMatchObject({ access_token: expect.stringMatching(/./) });
        else expect(["ApiError", "TokenRequestError", "InvalidResponseError", "TimeoutError"]).toContain(name);
        expect(fetch.mock.calls.length).toBeLessThanOrEqual(6);
        expect(clock.elapsedMs).toBeLessThanOrEqual(20_000);
      },
    ),
  );
});
