import fc from "fast-check";
import { createRemoteJWKSet, decodeJwt, jwtVerify, SignJWT, generateKeyPair } from "jose";
import { afterEach, describe, expect, test } from "vitest";
import { type Emulator, type EmulatorOptions, startEmulator } from "../src/emulator.js";

const running: Emulator[] = [];
afterEach(async () => {
  await Promise.all(running.splice(0).map((emulator) => emulator.close()));
});

async function start(options: EmulatorOptions = {}) {
  const emulator = await startEmulator(options);
  running.push(emulator);
  const post = (path: string, body: unknown, headers: Record<string, string> = {}) =>
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
  const bankToken = async (change: object = {}) =>
    ((await (await requestToken(change)).json()) as { access_token: string }).access_token;
  const mint = (token?: string, change: object = {}) =>
    post(
      "/api/customer_tokens",
      { customer_guid: emulator.customerGuid, scopes: ["customers:read"], ...change },
      token === undefined ? {} : { authorization: `Bearer ${token}` },
    );
  return { emulator, post, credentials, requestToken, bankToken, mint };
}

describe("POST /oauth/token", () => {
  test("gives a signed bank token, not to be cached (RFC 6749, section 5.1)", async () => {
    const { emulator, requestToken } = await start();
    const response = await requestToken({ scope: "customers:read customers:write" });
    expect(response.status).toBe(200);
    expect(response.headers.get("cache-control")).toBe("no-store");
    const body = (await response.json()) as { access_token: string };
    expect(body).toMatchObject({ token_type: "Bearer", expires_in: 1800, scope: "customers:read customers:write" });
    const keys = createRemoteJWKSet(new URL(`${emulator.url}/.well-known/jwks.json`));
    const { payload, protectedHeader } = await jwtVerify(body.access_token, keys, {
      issuer: emulator.url,
      audience: emulator.url,
    });
    expect(protectedHeader.alg).toBe("RS512");
    expect(payload).toMatchObject({
      sub: "emulator-client",
      sub_type: "bank",
      scope: ["customers:read", "customers:write"],
    });
    expect((payload.exp ?? 0) - (payload.iat ?? 0)).toBe(1800);
  });

  test("takes a form, and the client in an HTTP Basic header (RFC 6749, section 2.3.1)", async () => {
    const { credentials, post } = await start({ clients: [{ clientId: "a b", clientSecret: "c:d%" }] });
    const form = { "content-type": "application/x-www-form-urlencoded" };
    const whole = await post("/oauth/token", new URLSearchParams(credentials).toString(), form);
    expect(whole.status).toBe(200);
    const basic = Buffer.from("a+b:c%3Ad%25").toString("base64");
    const split = await post("/oauth/token", "grant_type=client_credentials", {
      ...form,
      authorization: `Basic ${basic}`,
    });
    expect(split.status).toBe(200);
  });

  test.each([
    [{ client_secret: "wrong" }, 401, "invalid_client"],
    [{ client_id: "nobody" }, 401, "invalid_client"],
    [{ grant_type: "password" }, 400, "unsupported_grant_type"],
    [{ grant_type: undefined }, 400, "invalid_request"],
    [{ scope: 7 }, 400, "invalid_request"],
    [{ scope: "accounts:read" }, 400, "invalid_scope"],
  ])("answers %j with %i %s (RFC 6749, section 5.2)", async (change, status, error) => {
    const clients = [{ clientId: "c", clientSecret: "canary", scopes: ["customers:read", "customers:write"] }];
    const { requestToken } = await start({ clients });
    const response = await requestToken(change);
    expect(response.status).toBe(status);
    const text = await response.text();
    expect(JSON.parse(text)).toMatchObject({ error });
    expect(text).not.toContain("canary");
  });

  test("can leave expires_in out, and sign with RS256", async () => {
    const { requestToken } = await start({ omitExpiresIn: true, algorithm: "RS256" });
    expect(await (await requestToken()).json()).not.toHaveProperty("expires_in");
  });
});

describe("POST /api/customer_tokens", () => {
  test("gives a customer token with the scopes asked for", async () => {
    const { emulator, bankToken, mint } = await start();
    const response = await mint(await bankToken());
    expect(response.status).toBe(201);
    const { access_token } = (await response.json()) as { access_token: string };
    expect(decodeJwt(access_token)).toMatchObject({
      sub: emulator.customerGuid,
      sub_type: "customer",
      scope: ["customers:read"],
    });
  });

  test("never gives the same token twice", async () => {
    const { bankToken, mint } = await start();
    const token = await bankToken();
    const minted = await Promise.all(Array.from({ length: 50 }, async () => (await mint(token)).text()));
    expect(new Set(minted).size).toBe(50);
  });

  const expectRefusal = async (response: Response, status: number, message_code: string, error_message?: string) => {
    expect(response.status).toBe(status);
    const body: unknown = await response.json();
    expect(body).toMatchObject({ status, message_code, ...(error_message && { error_message }) });
  };

  test("401 without a token, with a malformed header, with no token at all", async () => {
    const { post, mint, emulator } = await start();
    await expectRefusal(await mint(), 401, "unauthorized", "Unauthorized");
    const body = { customer_guid: emulator.customerGuid, scopes: ["customers:read"] };
    await expectRefusal(
      await post("/api/customer_tokens", body, { authorization: "Token x" }),
      401,
      "authentication_malformed",
      "Authorization header is malformed",
    );
    await expectRefusal(await mint("garbage"), 401, "authentication_failed", "Signature verification raised");
  });

  test("401 for another signature, issuer, audience, subject and after expiry", async () => {
    let nowMs = Date.now();
    const { emulator, bankToken, mint } = await start({ now: () => nowMs });
    const other = await start();
    const foreign = await other.bankToken();
    await expectRefusal(await mint(foreign), 401, "authentication_failed", "Signature verification raised");
    const token = await bankToken();
    const customer = ((await (await mint(token)).json()) as { access_token: string }).access_token;
    await expectRefusal(await mint(customer), 401, "invalid_subject", "Invalid Subject type. Required: bank");
    nowMs += 1800_000;
    await expectRefusal(await mint(token), 401, "authentication_failed", "Signature has expired");
    const { privateKey } = await generateKeyPair("RS512");
    const forged = await new SignJWT({ ...decodeJwt(token) }).setProtectedHeader({ alg: "RS512" }).sign(privateKey);
    await expectRefusal(await mint(forged), 401, "authentication_failed", "Signature verification raised");
    expect(emulator.counts["/api/customer_tokens"]).toBe(5);
  });

  test("401 for tokens that were revoked", async () => {
    const { emulator, bankToken, mint } = await start();
    const token = await bankToken();
    expect((await mint(token)).status).toBe(201);
    emulator.revokeTokens();
    await expectRefusal(await mint(token), 401, "authentication_failed");
    expect((await mint(await bankToken())).status).toBe(201);
  });

  test.each(["customers:write", "customers:read"])("403 without %s", async (scope) => {
    const { bankToken, mint } = await start();
    const rest = ["customers:write", "customers:read"].filter((name) => name !== scope).join(" ");
    await expectRefusal(
      await mint(await bankToken({ scope: rest })),
      403,
      "invalid_scopes",
      `Invalid scopes. Required: ${scope}`,
    );
  });

  test("422 for an unknown customer", async () => {
    const { bankToken, mint } = await start();
    await expectRefusal(
      await mint(await bankToken(), { customer_guid: "f".repeat(32) }),
      422,
      "no_customer",
      "Unknown customer",
    );
  });

  test("any customer exists where the option says so", async () => {
    const { bankToken, mint } = await start({ customers: "any" });
    expect((await mint(await bankToken(), { customer_guid: "f".repeat(32) })).status).toBe(201);
  });

  test.each([
    { customer_guid: "short" },
    { customer_guid: undefined },
    { scopes: [] },
    { scopes: ["customers:read", "customers:read"] },
    { scopes: ["rewards:read"] },
    { scopes: "customers:read" },
  ])("422 for a body that breaks the schema: %j", async (change) => {
    const { bankToken, mint } = await start();
    await expectRefusal(await mint(await bankToken(), change), 422, "invalid_parameter");
  });
});

describe("HTTP", () => {
  test("404, 405, CORS and OPTIONS", async () => {
    const { emulator } = await start();
    expect((await fetch(`${emulator.url}/none`)).status).toBe(404);
    const wrong = await fetch(`${emulator.url}/oauth/token`);
    expect([wrong.status, wrong.headers.get("allow")]).toEqual([405, "POST, OPTIONS"]);
    const preflight = await fetch(`${emulator.url}/api/customer_tokens`, { method: "OPTIONS" });
    expect(preflight.status).toBe(204);
    expect(preflight.headers.get("access-control-allow-origin")).toBe("*");
    expect(preflight.headers.get("access-control-allow-headers")).toContain("Authorization");
    expect(emulator.counts["/api/customer_tokens"]).toBe(0);
  });

  test("a body that is too large is refused", async () => {
    const { post } = await start();
    expect((await post("/oauth/token", "x".repeat(200_000))).status).toBe(413);
  });

  test("the log and the callback tell what was answered, without secrets", async () => {
    const seen: unknown[] = [];
    const { emulator, requestToken, bankToken, mint } = await start({ onRequest: (request) => seen.push(request) });
    await requestToken({ client_secret: "canary" });
    await mint(await bankToken());
    expect(emulator.requests).toEqual([
      { method: "POST", path: "/oauth/token", status: 401, code: "invalid_client" },
      { method: "POST", path: "/oauth/token", status: 200, code: undefined },
      { method: "POST", path: "/api/customer_tokens", status: 201, code: undefined },
    ]);
    expect(seen).toEqual(emulator.requests);
    expect(emulator.counts).toEqual({ "/oauth/token": 2, "/api/customer_tokens": 1, "/.well-known/jwks.json": 0 });
  });

  test("whatever is sent, it answers, and never with a 5xx", async () => {
    const { emulator } = await start();
    await fc.assert(
      fc.asyncProperty(
        fc.constantFrom("/oauth/token", "/api/customer_tokens"),
        fc.oneof(
          fc.string(),
          fc.json(),
          fc.uint8Array().map((bytes) => Buffer.from(bytes).toString("latin1")),
        ),
        fc.constantFrom("application/json", "application/x-www-form-urlencoded", "text/plain", ""),
        fc.stringMatching(/^(?:Bearer |Basic |)[\x21-\x7e]{0,40}$/),
        async (path, body, type, authorization) => {
          const headers = { authorization, ...(type && { "content-type": type }) };
          const response = await fetch(`${emulator.url}${path}`, { method: "POST", headers, body });
          expect(response.status).toBeGreaterThanOrEqual(400);
          expect(response.status).toBeLessThan(500);
          await response.arrayBuffer();
        },
      ),
    );
  });
});

describe("faults", () => {
  test("a status with headers and a body, for the nth request", async () => {
    const { requestToken } = await start({
      faults: [
        { path: "/oauth/token", nth: 2, status: 429, headers: { "retry-after": "7" }, body: "<h1>Slow down</h1>" },
      ],
    });
    expect((await requestToken()).status).toBe(200);
    const second = await requestToken();
    expect([second.status, second.headers.get("retry-after"), await second.text()]).toEqual([
      429,
      "7",
      "<h1>Slow down</h1>",
    ]);
    expect((await requestToken()).status).toBe(200);
  });

  test("several times in a row, from the next request on", async () => {
    const { emulator, requestToken } = await start();
    emulator.play(
      { path: "/oauth/token", times: 2, status: 503 },
      { path: "/oauth/token", status: 502, body: { a: 1 } },
    );
    const statuses = [];
    for (let count = 0; count < 4; count++) statuses.push((await requestToken()).status);
    expect(statuses).toEqual([503, 503, 502, 200]);
  });

  test.each(["before", "after"] as const)("a connection that is cut %s the request is processed", async (reset) => {
    const { emulator, bankToken, mint } = await start();
    const token = await bankToken();
    emulator.play({ path: "/api/customer_tokens", reset });
    await expect(mint(token)).rejects.toThrow("fetch failed");
    expect(emulator.counts["/api/customer_tokens"]).toBe(1);
    expect((await mint(token)).status).toBe(201);
  });

  test.each([0, 10])("an answer cut after %i bytes", async (truncateBytes) => {
    const { emulator, bankToken, mint } = await start();
    const token = await bankToken();
    emulator.play({ path: "/api/customer_tokens", truncateBytes });
    const response = await mint(token);
    expect(response.status).toBe(201);
    await expect(response.text()).rejects.toThrow("terminated");
  });

  test("a delay, which closing ends", async () => {
    const { emulator, requestToken } = await start({ faults: [{ path: "/oauth/token", delayMs: Infinity }] });
    const hanging = requestToken();
    hanging.catch(() => {});
    await expect.poll(() => emulator.counts["/oauth/token"]).toBe(1);
    await emulator.close();
    await expect(hanging).rejects.toThrow("fetch failed");
  });

  test("the documented quota, as a gateway answers it", async () => {
    let nowMs = 0;
    const quotas = { tokenRequests: 2, mints: 200, windowSeconds: 300 };
    const { requestToken } = await start({ quotas, now: () => nowMs });
    expect([(await requestToken()).status, (await requestToken()).status]).toEqual([200, 200]);
    nowMs += 100_000;
    const over = await requestToken();
    expect([over.status, over.headers.get("retry-after")]).toEqual([429, "200"]);
    nowMs += 200_000;
    expect((await requestToken()).status).toBe(200);
  });
});

test.each([
  ["port", { port: 70_000 }],
  ["clients", { clients: [] }],
  ["clients", { clients: [{ clientId: "c", clientSecret: "" }] }],
  ["customers", { customers: ["short"] }],
  ["bankTokenLifetimeSeconds", { bankTokenLifetimeSeconds: 0 }],
  ["algorithm", { algorithm: "HS256" }],
  ["faults", { faults: [{ path: "/elsewhere" }] }],
  ["faults", { faults: [{ path: "/oauth/token", status: 99 }] }],
])("a wrong %s is refused: %j", async (field, options) => {
  await expect(startEmulator(options as EmulatorOptions)).rejects.toThrow(new RegExp(`^${field}: expected `));
});

test("two run side by side, and closing twice does no harm", async () => {
  const [a, b] = await Promise.all([start(), start()]);
  expect(a.emulator.url).not.toBe(b.emulator.url);
  await a.emulator.close();
  await a.emulator.close();
  expect((await b.requestToken()).status).toBe(200);
});
