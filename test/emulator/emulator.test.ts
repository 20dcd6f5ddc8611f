import { execFile } from "node:child_process";
import { EventEmitter, once } from "node:events";
import { connect } from "node:net";
import { setImmediate } from "node:timers/promises";
import { promisify } from "node:util";
import { Ajv } from "ajv";
import fc from "fast-check";
import { createRemoteJWKSet, decodeJwt, generateKeyPair, jwtVerify, SignJWT } from "jose";
import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";
import { spec } from "../../generated/spec.js";
import {
  type Emulator,
  type EmulatorOptions,
  type EmulatorRequest,
  startEmulator,
} from "../../src/emulator/emulator.js";

type Path = keyof typeof spec.paths;

const running: Emulator[] = [];
afterEach(async () => {
  await Promise.all(running.splice(0).map((emulator) => emulator.close()));
});

async function start(options: EmulatorOptions = {}) {
  const emulator = await startEmulator(options);
  running.push(emulator);
  return talkTo(emulator);
}

function talkTo(emulator: Emulator) {
  const post = (path: Path, body: unknown, headers: Record<string, string> = {}) =>
    fetch(`${emulator.url}${path}`, {
      method: "POST",
      headers: { "content-type": "application/json", ...headers },
      body: typeof body === "string" ? body : JSON.stringify(body),
    });
  const credentials = {
    grant_type: "client_credentials",
    client_id: emulator.client.clientId,
    client_secret: emulator.client.clientSecret,
  };
  const requestToken = (change: object = {}) => post("/oauth/token", { ...credentials, ...change });
  const bankToken = async (change: object = {}) => accessToken(await requestToken(change));
  const order = { customer_guid: emulator.customerGuid, scopes: ["customers:read"] };
  const mint = (token?: string, change: object = {}) =>
    post(
      "/api/customer_tokens",
      { ...order, ...change },
      token === undefined ? {} : { authorization: `Bearer ${token}` },
    );
  return { emulator, post, credentials, requestToken, bankToken, mint, order };
}

async function accessToken(response: Response): Promise<string> {
  return ((await response.json()) as { access_token: string }).access_token;
}

/** One emulator for every test that leaves it as it was. Making a key takes longer than most of them. */
let shared: ReturnType<typeof talkTo>;
beforeAll(async () => {
  shared = talkTo(await startEmulator());
});
afterAll(() => shared.emulator.close());

const ajv = new Ajv({ strict: false, validateFormats: false }).addSchema({ ...spec, $id: "spec" });

/** The body of an answer that has to be one of the description's. */
async function documented(path: Path, response: Response): Promise<unknown> {
  const responses: Record<string, { content: { "application/json": { schema: { $ref: string } } } }> =
    spec.paths[path].post.responses;
  const media = responses[response.status]?.content["application/json"];
  expect(media, `${path} with ${response.status} in the description`).toBeDefined();
  expect(response.headers.get("content-type")).toBe("application/json");
  const body: unknown = await response.json();
  expect(ajv.validate(`spec${media?.schema.$ref}`, body), ajv.errorsText()).toBe(true);
  return body;
}

describe("POST /oauth/token", () => {
  test("gives a signed bank token, not to be cached (RFC 6749, section 5.1)", async () => {
    const { emulator, requestToken } = shared;
    const response = await requestToken({ scope: "customers:read customers:write" });
    expect(response.status).toBe(200);
    expect(response.headers.get("cache-control")).toBe("no-store");
    const body = (await documented("/oauth/token", response)) as { access_token: string };
    expect(body).toMatchObject({ token_type: "Bearer", expires_in: 1800, scope: "customers:read customers:write" });
    const keys = createRemoteJWKSet(new URL(`${emulator.url}/.well-known/jwks.json`));
    const { payload, protectedHeader } = await jwtVerify(body.access_token, keys);
    expect(protectedHeader.alg).toBe("RS256");
    const iat = expect.any(Number) as number;
    expect(payload).toEqual({
      sub: "emulator-client",
      sub_type: "bank",
      scope: ["customers:read", "customers:write"],
      aud: [emulator.url],
      iss: emulator.url,
      iat,
      exp: Number(payload.iat) + 1800,
      jti: expect.any(String) as string,
    });
  });

  test("without a scope, gives those that the mint needs", async () => {
    expect(decodeJwt(await shared.bankToken())["scope"]).toEqual(["customers:write", "customers:read"]);
    expect(decodeJwt(await shared.bankToken({ scope: "" }))["scope"]).toEqual(["customers:write", "customers:read"]);
  });

  const formType = { "content-type": "application/x-www-form-urlencoded; charset=UTF-8" };

  test("takes a form, and the client in an HTTP Basic header (RFC 6749, section 2.3.1)", async () => {
    const { credentials, post } = await start({ clients: [{ clientId: "a b", clientSecret: "c:d%" }] });
    const whole = await post("/oauth/token", new URLSearchParams(credentials).toString(), formType);
    expect(whole.status).toBe(200);
    // The colon as the RFC wants it, and as curl sends it.
    for (const encoded of ["a+b:c%3Ad%25", "a+b:c:d%25"]) {
      const authorization = `Basic ${Buffer.from(encoded).toString("base64")}`;
      const split = await post("/oauth/token", "grant_type=client_credentials", { ...formType, authorization });
      expect(split.status, encoded).toBe(200);
    }
    const wrong = `Basic ${Buffer.from("a+b:d").toString("base64")}`;
    const refused = await post("/oauth/token", "grant_type=client_credentials", { ...formType, authorization: wrong });
    expect([refused.status, refused.headers.get("www-authenticate")]).toEqual([401, 'Basic realm="emulator"']);
  });

  test.each([
    [{ client_secret: "wrong" }, 401, "invalid_client"],
    [{ client_secret: undefined }, 401, "invalid_client"],
    [{ client_id: "nobody" }, 401, "invalid_client"],
    [{ client_id: 7 }, 401, "invalid_client"],
    [{ grant_type: "password" }, 400, "unsupported_grant_type"],
    [{ grant_type: undefined }, 400, "invalid_request"],
    [{ scope: 7 }, 400, "invalid_request"],
    [{ scope: "accounts:read" }, 400, "invalid_scope"],
    [{ scope: "customers:read  customers:write" }, 400, "invalid_scope"],
    [{ scope: 'customers:"read' }, 400, "invalid_scope"],
  ])("answers %j with %i %s (RFC 6749, section 5.2)", async (change, status, error) => {
    const { requestToken } = limited;
    const response = await requestToken(change);
    expect([response.status, response.headers.get("cache-control")]).toEqual([status, "no-store"]);
    const body = await documented("/oauth/token", response);
    expect(body).toMatchObject({ error });
    expect(JSON.stringify(body)).not.toMatch(/canary|wrong|nobody/);
  });
  let limited: typeof shared;
  beforeAll(async () => {
    const scopes = ["customers:read", "customers:write"];
    limited = talkTo(await startEmulator({ clients: [{ clientId: "c", clientSecret: "canary", scopes }] }));
  });
  afterAll(() => limited.emulator.close());

  const twice = Buffer.from("emulator-client:emulator-secret").toString("base64");
  test.each([
    ["nothing", "", {}],
    ["broken JSON", '{"grant_type":', {}],
    ["JSON that is no object", "[]", {}],
    ["JSON under another name", '{"grant_type":"client_credentials"}', { "content-type": "text/plain" }],
    ["a parameter given twice", "grant_type=client_credentials&grant_type=client_credentials", formType],
    [
      "two ways to authenticate",
      "grant_type=client_credentials&client_secret=x",
      { ...formType, authorization: `Basic ${twice}` },
    ],
  ])("answers %s with 400 invalid_request", async (_, body, headers) => {
    const response = await shared.post("/oauth/token", body, headers);
    expect(response.status).toBe(400);
    expect(await documented("/oauth/token", response)).toMatchObject({ error: "invalid_request" });
  });

  test("can leave expires_in out, and sign with RS512", async () => {
    const { emulator, requestToken } = await start({ omitExpiresIn: true, algorithm: "RS512" });
    const body = await documented("/oauth/token", await requestToken());
    expect(body).not.toHaveProperty("expires_in");
    const keys = createRemoteJWKSet(new URL(`${emulator.url}/.well-known/jwks.json`));
    const { access_token } = body as { access_token: string };
    expect((await jwtVerify(access_token, keys)).protectedHeader.alg).toBe("RS512");
  });
});

describe("POST /api/customer_tokens", () => {
  test("gives a customer token with the scopes asked for", async () => {
    const { emulator, bankToken, mint } = shared;
    const response = await mint(await bankToken());
    expect(response.status).toBe(201);
    const { access_token } = (await documented("/api/customer_tokens", response)) as { access_token: string };
    expect(decodeJwt(access_token)).toMatchObject({
      sub: emulator.customerGuid,
      sub_type: "customer",
      scope: ["customers:read"],
    });
  });

  test("never gives the same token twice", async () => {
    const { emulator, mint } = shared;
    const token = await emulator.signToken();
    const minted = await Promise.all(Array.from({ length: 50 }, async () => accessToken(await mint(token))));
    expect(new Set(minted).size).toBe(50);
  });

  const refusals: Record<string, () => Promise<Response>> = {
    "401 unauthorized: Unauthorized": () => shared.mint(),
    "401 authentication_malformed: Authorization header is malformed": () =>
      shared.post("/api/customer_tokens", shared.order, { authorization: "Token x" }),
    "401 authentication_failed: Signature verification raised": async () => {
      const { privateKey } = await generateKeyPair("RS256");
      const claims = decodeJwt(await shared.emulator.signToken());
      return shared.mint(await new SignJWT(claims).setProtectedHeader({ alg: "RS256" }).sign(privateKey));
    },
    "401 authentication_failed: Invalid audience": () => mintWith({ aud: "https://elsewhere.example" }),
    "401 authentication_failed: Invalid issuer": () => mintWith({ iss: "https://elsewhere.example" }),
    "401 authentication_failed: Signature has expired": () => mintWith({ exp: 1 }),
    "401 invalid_subject: Invalid Subject type. Required: bank": async () =>
      shared.mint(await accessToken(await shared.mint(await shared.bankToken()))),
    "403 invalid_scopes: Invalid scopes. Required: customers:write": () => mintWith({ scope: ["customers:read"] }),
    "403 invalid_scopes: Invalid scopes. Required: customers:read": () => mintWith({ scope: ["customers:write"] }),
    "422 no_customer: Unknown customer": async () =>
      shared.mint(await shared.bankToken(), { customer_guid: "f".repeat(32) }),
  };
  const mintWith = async (claims: Record<string, unknown>) => shared.mint(await shared.emulator.signToken(claims));

  test.each(Object.entries(refusals))("%s", async (name, provoke) => {
    const response = await provoke();
    const { status, message_code, error_message } = (await documented("/api/customer_tokens", response)) as {
      [field in "status" | "message_code" | "error_message"]: string;
    };
    expect(`${status} ${message_code}: ${error_message}`).toBe(name);
    expect(response.status).toBe(Number(status));
  });

  test("every example of the description is one of these refusals, word for word", () => {
    const { responses } = spec.paths["/api/customer_tokens"].post;
    const examples = [responses[401], responses[403], responses[422]].flatMap(({ content }) =>
      Object.values<{ value: { status: number; message_code: string; error_message: string } }>(
        content["application/json"].examples,
      ),
    );
    const texts = examples.map(({ value: { status, message_code, error_message } }) => {
      return `${status} ${message_code}: ${error_message}`;
    });
    // Nothing is known to bring about a bare "Forbidden": a fault can play it.
    expect(texts.filter((text) => !Object.hasOwn(refusals, text))).toEqual(["403 forbidden: Forbidden"]);
  });

  test.each([
    ["no JWT", "garbage"],
    ["an unsigned one", `${Buffer.from('{"alg":"none"}').toString("base64url")}.e30.`],
  ])("401 for %s", async (_, token) => {
    const response = await shared.mint(token);
    expect(await documented("/api/customer_tokens", response)).toMatchObject({ message_code: "authentication_failed" });
  });

  test.each([
    [{ exp: undefined }, "authentication_failed"],
    [{ sub_type: undefined }, "invalid_subject"],
    [{ scope: "customers:read customers:write" }, "invalid_scopes"],
  ])("refuses a bank token with %j: %s", async (claims, message_code) => {
    expect(await documented("/api/customer_tokens", await mintWith(claims))).toMatchObject({ message_code });
  });

  test("refuses a token once it has expired, also one that it has seen before", async () => {
    let nowMs = Date.now();
    const { bankToken, mint } = await start({ now: () => nowMs, bankTokenLifetimeSeconds: 60 });
    nowMs = Math.ceil(nowMs / 1000) * 1000;
    const token = await bankToken();
    nowMs += 59_999;
    expect((await mint(token)).status).toBe(201);
    nowMs += 1;
    expect(await (await mint(token)).json()).toMatchObject({ error_message: "Signature has expired" });
  });

  test.each(["revokeTokens", "rotateKey"] as const)("after %s, refuses every token given before", async (name) => {
    const { emulator, bankToken, mint } = await start();
    const seen = await bankToken();
    expect((await mint(seen)).status).toBe(201);
    const unseen = await bankToken();
    await emulator[name]();
    for (const token of [seen, unseen]) {
      const body = await documented("/api/customer_tokens", await mint(token));
      expect(body).toMatchObject({ status: 401, message_code: "authentication_failed" });
    }
    const customerToken = await accessToken(await mint(await bankToken()));
    const keys = createRemoteJWKSet(new URL(`${emulator.url}/.well-known/jwks.json`));
    await jwtVerify(customerToken, keys);
  });

  test("any customer exists where the option says so", async () => {
    const { bankToken, mint } = await start({ customers: "any" });
    expect((await mint(await bankToken(), { customer_guid: "f".repeat(32) })).status).toBe(201);
  });

  test.each([
    [{ customer_guid: "short" }, "customer_guid must NOT have fewer than 32 characters"],
    [{ customer_guid: undefined }, "body must have required property 'customer_guid'"],
    [{ scopes: [] }, "scopes must NOT have fewer than 1 items"],
    [
      { scopes: ["customers:read", "customers:read"] },
      "scopes must NOT have duplicate items (items ## 1 and 0 are identical)",
    ],
    [{ scopes: ["rewards:read"] }, "scopes/0 must be equal to one of the allowed values"],
    [{ scopes: {} }, "scopes must be array"],
  ])("422 for a body that breaks the schema: %j", async (change, what) => {
    const body = await documented("/api/customer_tokens", await shared.mint(await shared.bankToken(), change));
    expect(body).toEqual({
      status: 422,
      message_code: "invalid_parameter",
      error_message: `Invalid parameter: ${what}`,
    });
  });

  test.each([
    ["broken JSON", "{", "application/json"],
    ["JSON under another name", JSON.stringify({ scopes: ["customers:read"] }), "text/plain"],
  ])("422 for %s", async (_, body, type) => {
    const authorization = `Bearer ${await shared.emulator.signToken()}`;
    const response = await shared.post("/api/customer_tokens", body, { authorization, "content-type": type });
    expect(await documented("/api/customer_tokens", response)).toMatchObject({
      error_message: "Invalid parameter: body must be object",
    });
  });
});

describe("HTTP", () => {
  test("404, 405, CORS and OPTIONS", async () => {
    const { emulator } = await start();
    expect((await fetch(`${emulator.url}/none`)).status).toBe(404);
    const wrong = await fetch(`${emulator.url}/oauth/token`);
    expect([wrong.status, wrong.headers.get("allow")]).toEqual([405, "POST, OPTIONS"]);
    expect(wrong.headers.get("access-control-allow-origin")).toBe("*");
    expect(wrong.headers.get("access-control-expose-headers")).toContain("Retry-After");
    const preflight = await fetch(`${emulator.url}/api/customer_tokens`, { method: "OPTIONS" });
    expect(preflight.status).toBe(204);
    expect(preflight.headers.get("access-control-allow-origin")).toBe("*");
    expect(preflight.headers.get("access-control-allow-methods")).toBe("POST, OPTIONS");
    expect(preflight.headers.get("access-control-allow-headers")).toContain("Authorization");
    expect(emulator.counts).toEqual({ "/oauth/token": 0, "/api/customer_tokens": 0, "/.well-known/jwks.json": 0 });
  });

  test.each([100_001, 20_000_000])("a body of %i bytes is refused", async (bytes) => {
    expect((await shared.post("/oauth/token", "x".repeat(bytes))).status).toBe(413);
  });

  test("the log and the callback tell what was answered, without secrets", async () => {
    const seen: EmulatorRequest[] = [];
    const { emulator, requestToken, bankToken, mint } = await start({
      now: () => 1_700_000_000_000,
      onRequest: (request) => seen.push(request),
    });
    await requestToken({ client_secret: "canary" });
    await mint(await bankToken());
    await fetch(`${emulator.url}/none?secret=canary`);
    const timeMs = 1_700_000_000_000;
    expect(emulator.requests).toEqual([
      { method: "POST", path: "/oauth/token", timeMs, status: 401, code: "invalid_client" },
      { method: "POST", path: "/oauth/token", timeMs, status: 200, code: undefined },
      { method: "POST", path: "/api/customer_tokens", timeMs, status: 201, code: undefined },
      { method: "GET", path: "/none", timeMs, status: 404, code: "not_found" },
    ]);
    expect(seen).toEqual(emulator.requests);
    expect(emulator.counts).toEqual({ "/oauth/token": 2, "/api/customer_tokens": 1, "/.well-known/jwks.json": 0 });
  });

  test("whatever is sent, it answers, and never with a 5xx", async () => {
    const token = await shared.emulator.signToken();
    const headerText = fc.stringMatching(/^[\x21-\x7e\xa1-\xff]{0,40}$/);
    const body = fc.oneof(
      fc.string(),
      fc.json(),
      fc.uint8Array(),
      fc.record({ customer_guid: fc.jsonValue(), scopes: fc.jsonValue() }).map((value) => JSON.stringify(value)),
      fc
        .record({ grant_type: fc.constant("client_credentials"), client_id: fc.jsonValue(), scope: fc.jsonValue() })
        .map((value) => JSON.stringify(value)),
    );
    await fc.assert(
      fc.asyncProperty(
        fc.constantFrom("/oauth/token", "/api/customer_tokens"),
        body,
        fc.oneof(fc.constantFrom("application/json", "application/x-www-form-urlencoded"), headerText),
        fc.oneof(
          fc.constant(`Bearer ${token}`),
          headerText,
          headerText.map((text) => `Bearer ${text}`),
          headerText.map((text) => `Basic ${text}`),
        ),
        async (path, sent, type, authorization) => {
          const headers = { authorization, "content-type": type };
          const response = await fetch(`${shared.emulator.url}${path}`, { method: "POST", headers, body: sent });
          expect(response.status).toBeGreaterThanOrEqual(400);
          expect(response.status).toBeLessThan(500);
          await response.arrayBuffer();
        },
      ),
      { numRuns: 200 },
    );
  });

  test("what is not HTTP does it no harm", async () => {
    const port = Number(new URL(shared.emulator.url).port);
    const opening = fc.constantFrom("", "POST /oauth/token HTTP/1.1\r\n", "POST /oauth/token HTTP/1.1\r\nhost: a\r\n");
    await fc.assert(
      fc.asyncProperty(opening, fc.uint8Array(), async (begin, rest) => {
        const socket = connect(port, "127.0.0.1").resume();
        socket.on("error", () => {});
        socket.end(Buffer.concat([Buffer.from(begin), rest]));
        await once(socket, "close");
      }),
    );
    expect((await shared.requestToken()).status).toBe(200);
  });

  test("a client that goes away in the middle of its request is logged with status 0", async () => {
    const log = new EventEmitter();
    const logged = once(log, "request");
    const { emulator, requestToken } = await start({ onRequest: (request) => log.emit("request", request) });
    const socket = connect(Number(new URL(emulator.url).port), "127.0.0.1");
    socket.write("POST /oauth/token HTTP/1.1\r\nhost: a\r\ncontent-length: 100\r\n\r\n{", () => socket.destroy());
    expect(await logged).toMatchObject([{ path: "/oauth/token", status: 0 }]);
    expect((await requestToken()).status).toBe(200);
  });

  test("many requests at once all get an answer", async () => {
    const { emulator, requestToken } = await start({ clients: [{ clientId: "c", clientSecret: "s" }] });
    const statuses = await Promise.all(
      Array.from({ length: 1001 }, async (_, index) => {
        const response = await requestToken(index % 10 === 0 ? {} : { client_secret: "wrong" });
        await response.arrayBuffer();
        return response.status;
      }),
    );
    expect(statuses.filter((status) => status === 200)).toHaveLength(101);
    expect(statuses.filter((status) => status === 401)).toHaveLength(900);
    expect(emulator.counts["/oauth/token"]).toBe(1001);
    // The log keeps the last 1000.
    expect(emulator.requests).toHaveLength(1000);
  });
});

describe("faults", () => {
  test("a status with headers and a body, for the nth request", async () => {
    const { requestToken } = await start({
      faults: [
        {
          path: "/oauth/token",
          nth: 2,
          status: 429,
          headers: { "Retry-After": "7", "Content-Type": "text/html" },
          body: "<h1>Slow down</h1>",
        },
      ],
    });
    expect((await requestToken()).status).toBe(200);
    const second = await requestToken();
    expect(second.status).toBe(429);
    expect([second.headers.get("retry-after"), second.headers.get("content-type")]).toEqual(["7", "text/html"]);
    expect(await second.text()).toBe("<h1>Slow down</h1>");
    expect((await requestToken()).status).toBe(200);
  });

  test("one after the other, each as often as it says, the nth before all others", async () => {
    const { emulator, requestToken } = await start();
    emulator.play(
      { path: "/oauth/token", times: 2, status: 503 },
      { path: "/oauth/token", status: 502 },
      { path: "/oauth/token", nth: 2, times: 2, status: 429 },
      { path: "/api/customer_tokens", status: 500 },
    );
    const statuses = [];
    for (let count = 0; count < 6; count++) statuses.push((await requestToken()).status);
    expect(statuses).toEqual([503, 429, 429, 503, 502, 200]);
  });

  test("two for the same request: one after the other", async () => {
    const { emulator, requestToken } = await start();
    emulator.play({ path: "/oauth/token", nth: 1, status: 503 }, { path: "/oauth/token", nth: 1, status: 502 });
    const statuses = [];
    for (let count = 0; count < 3; count++) statuses.push((await requestToken()).status);
    expect(statuses).toEqual([503, 502, 200]);
  });

  test("for ever", async () => {
    const { requestToken } = await start({ faults: [{ path: "/oauth/token", times: Infinity, status: 503 }] });
    for (let count = 0; count < 3; count++) expect((await requestToken()).status).toBe(503);
  });

  test.each([
    [undefined, "", null],
    ["", "", "text/plain; charset=utf-8"],
    [null, "null", "application/json"],
    [{ a: 1 }, '{"a":1}', "application/json"],
  ])("a body of %j", async (body, text, type) => {
    shared.emulator.play({ path: "/oauth/token", status: 200, body });
    const response = await shared.requestToken();
    expect([await response.text(), response.headers.get("content-type")]).toEqual([text, type]);
  });

  test("headers alone go with the usual answer", async () => {
    shared.emulator.play({ path: "/oauth/token", headers: { date: "Thu, 01 Jan 1970 00:00:00 GMT" } });
    const response = await shared.requestToken();
    expect([response.status, response.headers.get("date")]).toEqual([200, "Thu, 01 Jan 1970 00:00:00 GMT"]);
  });

  test.each([
    ["before", 0],
    ["after", 1],
  ] as const)("a connection that is cut %s the request is processed", async (reset, accepted) => {
    const quotas = { tokenRequests: 1, mints: 1, windowSeconds: 300 };
    const { emulator, mint } = await start({ quotas });
    const token = await emulator.signToken();
    emulator.play({ path: "/api/customer_tokens", reset });
    await expect(mint(token)).rejects.toThrow("fetch failed");
    expect(emulator.counts["/api/customer_tokens"]).toBe(1);
    expect(emulator.requests).toMatchObject([{ status: 0 }]);
    // Only what is processed uses up quota.
    expect((await mint(token)).status).toBe(accepted === 0 ? 201 : 429);
  });

  test.each([0, 10])("an answer cut after %i bytes", async (truncateBytes) => {
    const { emulator, mint } = shared;
    const token = await emulator.signToken();
    emulator.play({ path: "/api/customer_tokens", truncateBytes });
    const response = await mint(token);
    expect(response.status).toBe(201);
    await expect(response.text()).rejects.toThrow("terminated");
  });

  test("a delay, and the answer after it", async () => {
    shared.emulator.play({ path: "/oauth/token", delayMs: 1 });
    expect((await shared.requestToken()).status).toBe(200);
  });

  test("a delay, which closing ends", async () => {
    const { emulator, requestToken } = await start({ faults: [{ path: "/oauth/token", delayMs: Infinity }] });
    const hanging = expect(requestToken()).rejects.toThrow("fetch failed");
    await expect.poll(() => emulator.counts["/oauth/token"]).toBe(1);
    await emulator.close();
    await hanging;
    expect(emulator.requests).toMatchObject([{ path: "/oauth/token", status: 0 }]);
  });

  test("a delay, which ends when the client goes away", async () => {
    const log = new EventEmitter();
    const logged = once(log, "request");
    const { emulator } = await start({
      faults: [{ path: "/.well-known/jwks.json", delayMs: Infinity }],
      onRequest: (request) => log.emit("request", request),
    });
    const caller = new AbortController();
    const hanging = fetch(`${emulator.url}/.well-known/jwks.json`, { signal: caller.signal });
    const rejected = expect(hanging).rejects.toThrow("aborted");
    await expect.poll(() => emulator.counts["/.well-known/jwks.json"]).toBe(1);
    caller.abort();
    await rejected;
    expect(await logged).toMatchObject([{ status: 0 }]);
  });

  test("the documented quota, as a gateway answers it", async () => {
    let nowMs = 0;
    const quotas = { tokenRequests: 2, mints: 1, windowSeconds: 300 };
    const { requestToken, mint } = await start({ quotas, now: () => nowMs });
    expect([(await requestToken()).status, (await requestToken()).status]).toEqual([200, 200]);
    expect([(await mint()).status, (await mint()).status]).toEqual([401, 429]);
    nowMs += 100_000;
    const over = await requestToken();
    expect([over.status, over.headers.get("retry-after")]).toEqual([429, "200"]);
    nowMs += 200_000;
    expect((await requestToken()).status).toBe(200);
  });
});

const path = "/oauth/token";
test.each([
  ["port: expected a port number, or 0", { port: 70_000 }],
  ["host: expected an IP address", { host: "localhost" }],
  ["clients: expected at least one", { clients: [] }],
  ["clients: expected at least one", { clients: [null] }],
  ["clients: expected at least one", { clients: [{ clientId: "c", clientSecret: "" }] }],
  ["clients: expected at least one", { clients: [{ clientId: "c", clientSecret: "s", scopes: "customers:read" }] }],
  ["clients: expected at least one", { clients: [{ clientId: "c", clientSecret: "s", scope: ["customers:read"] }] }],
  [
    "clients: expected .* each clientId once",
    {
      clients: [
        { clientId: "c", clientSecret: "s" },
        { clientId: "c", clientSecret: "t" },
      ],
    },
  ],
  ["customers: expected", { customers: ["short"] }],
  ["bankTokenLifetimeSeconds: expected seconds above 0", { bankTokenLifetimeSeconds: 0 }],
  ["customerTokenLifetimeSeconds: expected seconds above 0", { customerTokenLifetimeSeconds: NaN }],
  ["algorithm: expected RS256 or RS512", { algorithm: "HS256" }],
  ["omitExpiresIn: expected true or false", { omitExpiresIn: "no" }],
  ["now: expected a function", { now: 0 }],
  ["onRequest: expected a function", { onRequest: true }],
  ["quotas: expected tokenRequests, mints and windowSeconds", { quotas: { tokenRequests: 20 } }],
  [
    "quotas: expected tokenRequests, mints and windowSeconds",
    { quotas: { tokenRequests: 20, mints: 200, windowSeconds: 300, perClient: 1 } },
  ],
  ["options: expected only host, port, clients", { lifetime: 60 }],
  ["options: expected an object", null],
  ["faults: expected a list", { faults: {} }],
  ["faults: expected an object", { faults: [null] }],
  ["faults: expected the path of an operation .*jwks.json\\)$", { faults: [{ path: "/elsewhere" }] }],
  ["faults: expected the path of an operation .*jwks.json\\)$", { faults: [{ status: 503 }] }],
  ["faults: expected a status from 200 to 599 in fault 2$", { faults: [{ path }, { path, status: 99 }] }],
  ["faults: expected nth as a whole number from 1", { faults: [{ path, nth: 0 }] }],
  ["faults: expected times as a whole number from 1", { faults: [{ path, times: 1.5 }] }],
  ["faults: expected delayMs from 0", { faults: [{ path, delayMs: -1 }] }],
  ['faults: expected reset as "before" or "after"', { faults: [{ path, reset: true }] }],
  ["faults: expected headers with names", { faults: [{ path, headers: { "a b": "c" } }] }],
  ["faults: expected headers with names", { faults: [{ path, headers: { a: "b\nc" } }] }],
  ["faults: expected headers with .* no Trailer", { faults: [{ path, headers: { Trailer: "a" } }] }],
  ["faults: expected a body of text or JSON", { faults: [{ path, status: 200, body: 1n }] }],
  ["faults: expected truncateBytes", { faults: [{ path, truncateBytes: -1 }] }],
  ["faults: expected only path, nth, times", { faults: [{ path, delay: 10 }] }],
  ["faults: expected a status with the body", { faults: [{ path, body: "" }] }],
  ["faults: expected reset without status", { faults: [{ path, reset: "after", status: 503 }] }],
])("%s: what is wrong is refused, and named", async (message, options) => {
  const refused = startEmulator(options as EmulatorOptions);
  await expect(refused).rejects.toThrow(TypeError);
  await expect(refused).rejects.toThrow(new RegExp(`^${message}`));
});

test("a fault for a request that has been is refused, and none of its list added", async () => {
  const { emulator, requestToken } = await start();
  await requestToken();
  const late = () => emulator.play({ path, status: 503 }, { path, nth: 1, status: 503 });
  expect(late).toThrow("faults: expected nth to be a request yet to come; there were 1 in fault 2");
  expect((await requestToken()).status).toBe(200);
});

test("a port in use rejects", async () => {
  const port = Number(new URL(shared.emulator.url).port);
  await expect(startEmulator({ port })).rejects.toMatchObject({ code: "EADDRINUSE" });
});

test("listens where it is told", async () => {
  const { emulator, requestToken } = await start({ host: "0.0.0.0" });
  expect(emulator.url).toMatch(/^http:\/\/127\.0\.0\.1:\d+$/);
  expect((await requestToken()).status).toBe(200);
});

test("two run side by side, and closing twice does no harm", async () => {
  const [a, b] = await Promise.all([start(), start()]);
  expect(a.emulator.url).not.toBe(b.emulator.url);
  const foreign = await (await b.mint(await a.bankToken())).json();
  expect(foreign).toMatchObject({ error_message: "Signature verification raised" });
  await a.emulator.close();
  await a.emulator.close();
  expect((await b.requestToken()).status).toBe(200);
});

test("closing ends connections that have asked for nothing yet, and gives the port back", async () => {
  const { emulator } = await start();
  const port = Number(new URL(emulator.url).port);
  const socket = connect(port, "127.0.0.1").resume();
  await once(socket, "connect");
  await setImmediate();
  const closed = once(socket, "close");
  await emulator.close();
  await closed;
  const { emulator: next } = await start({ port });
  expect(new URL(next.url).port).toBe(String(port));
});

test("a process that has closed it ends by itself; what onRequest throws is not caught, and cuts the connection", async () => {
  const run = (body: string) => {
    const program = `const { startEmulator } = await import("./src/emulator/emulator.ts"); ${body}`;
    const node = ["--import", "tsx", "--input-type=module", "--eval", program];
    return promisify(execFile)(process.execPath, node, { timeout: 20_000 });
  };
  const closes = run(`
    const emulator = await startEmulator({ faults: [{ path: "/.well-known/jwks.json", delayMs: 1e6 }] });
    const hanging = fetch(emulator.url + "/.well-known/jwks.json").catch(() => console.log("ended"));
    while (emulator.counts["/.well-known/jwks.json"] === 0) await new Promise(setImmediate);
    await emulator.close();
    await hanging;
  `);
  const throws = run(`
    process.once("unhandledRejection", (error) => console.log(error.message));
    const emulator = await startEmulator({ onRequest({ status }) { if (status === 404) throw new Error("thrown"); } });
    await fetch(emulator.url).catch(() => console.log("cut"));
    await emulator.close();
  `);
  await Promise.all([
    expect(closes).resolves.toMatchObject({ stdout: "ended\n" }),
    expect(throws).resolves.toMatchObject({ stdout: "thrown\ncut\n" }),
  ]);
});
