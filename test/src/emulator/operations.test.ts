import { readFile } from "node:fs/promises";
import { createRemoteJWKSet, decodeJwt, generateKeyPair, jwtVerify, SignJWT } from "jose";
import { describe, expect, test } from "vitest";
import { parse } from "yaml";
import { accessToken, documented, scope, start, startShared } from "../../support/emulator.js";

const shared = startShared();
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

  test("without a scope, gives those that customer tokens need", async () => {
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
    // As many clients send it: the halves as they are, and a JSON body.
    const authorization = `Basic ${Buffer.from("a b:c:d%").toString("base64")}`;
    const json = await post("/oauth/token", { grant_type: "client_credentials" }, { authorization });
    expect(json.status).toBe(200);
    const named = new URLSearchParams({ grant_type: "client_credentials", client_id: "a b" }).toString();
    expect((await post("/oauth/token", named, { ...formType, authorization })).status).toBe(200);
    const wrong = `Basic ${Buffer.from("a+b:d").toString("base64")}`;
    const refused = await post("/oauth/token", "grant_type=client_credentials", { ...formType, authorization: wrong });
    expect([refused.status, refused.headers.get("www-authenticate")]).toEqual([401, 'Basic realm="emulator"']);
  });

  const limited = startShared({
    clients: [{ clientId: "c", clientSecret: "canary", scopes: ["customers:read", "customers:write"] }],
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
  ])("responds to %j with %i %s (RFC 6749, section 5.2)", async (change, status, error) => {
    const response = await limited.requestToken(change);
    expect([response.status, response.headers.get("cache-control")]).toEqual([status, "no-store"]);
    const body = await documented("/oauth/token", response);
    expect(body).toMatchObject({ error });
    expect(JSON.stringify(body)).not.toMatch(/canary|wrong|nobody/);
  });
  const twice = Buffer.from("emulator-client:emulator-secret").toString("base64");
  test.each([
    ["nothing", "", {}],
    ["broken JSON", '{"grant_type":', {}],
    ["JSON that is no object", "[]", {}],
    ["JSON under another name", '{"grant_type":"client_credentials"}', { "content-type": "text/plain" }],
    [
      "JSON with two ways to authenticate",
      { grant_type: "client_credentials", client_secret: "x" },
      { authorization: `Basic ${twice}` },
    ],
    ["a parameter given twice", "grant_type=client_credentials&grant_type=client_credentials", formType],
    [
      "two ways to authenticate",
      "grant_type=client_credentials&client_secret=x",
      { ...formType, authorization: `Basic ${twice}` },
    ],
    [
      "another client than in HTTP Basic",
      "grant_type=client_credentials&client_id=x",
      { ...formType, authorization: `Basic ${twice}` },
    ],
  ])("responds to %s with 400 invalid_request", async (_, body, headers) => {
    const response = await shared.post("/oauth/token", body, headers);
    expect(response.status).toBe(400);
    expect(await documented("/oauth/token", response)).toMatchObject({ error: "invalid_request" });
  });
});

describe("POST /api/customer_tokens", () => {
  test("gives a customer token with the scopes asked for", async () => {
    const { emulator, bankToken, create } = shared;
    const response = await create(await bankToken());
    expect(response.status).toBe(201);
    const { access_token } = (await documented("/api/customer_tokens", response)) as { access_token: string };
    expect(decodeJwt(access_token)).toMatchObject({
      sub: emulator.customerGuid,
      sub_type: "customer",
      scope: [scope],
    });
  });

  test("never gives the same token twice", async () => {
    const { emulator, create } = shared;
    const token = await emulator.signToken();
    const created = await Promise.all(Array.from({ length: 50 }, async () => accessToken(await create(token))));
    expect(new Set(created).size).toBe(50);
  });

  const refusals: Record<string, () => Promise<Response>> = {
    "401 unauthorized: Unauthorized": () => shared.create(),
    "401 authentication_malformed: Authorization header is malformed": () =>
      shared.post("/api/customer_tokens", shared.order, { authorization: "Token x" }),
    "401 authentication_failed: Signature verification raised": async () => {
      const { privateKey } = await generateKeyPair("RS256");
      const claims = decodeJwt(await shared.emulator.signToken());
      return shared.create(await new SignJWT(claims).setProtectedHeader({ alg: "RS256" }).sign(privateKey));
    },
    "401 authentication_failed: Invalid audience": () => createWith({ aud: "https://elsewhere.example" }),
    "401 authentication_failed: Invalid issuer": () => createWith({ iss: "https://elsewhere.example" }),
    "401 authentication_failed: Signature has expired": () => createWith({ exp: 1 }),
    "401 invalid_subject: Invalid Subject type. Required: bank": async () =>
      shared.create(await accessToken(await shared.create(await shared.bankToken()))),
    "403 invalid_scopes: Invalid scopes. Required: customers:write": () => createWith({ scope: ["customers:read"] }),
    "403 invalid_scopes: Invalid scopes. Required: customers:read": () => createWith({ scope: ["customers:write"] }),
    "422 no_customer: Unknown customer": async () =>
      shared.create(await shared.bankToken(), { customer_guid: "f".repeat(32) }),
  };
  const createWith = async (claims: Record<string, unknown>) => shared.create(await shared.emulator.signToken(claims));

  // RFC 6750, section 3.1: without any credentials, no error.
  const challenges: Record<string, string | null> = {
    unauthorized: 'Bearer realm="emulator"',
    authentication_malformed: 'Bearer realm="emulator", error="invalid_request"',
    authentication_failed: 'Bearer realm="emulator", error="invalid_token"',
    invalid_subject: 'Bearer realm="emulator", error="invalid_token"',
    invalid_scopes: 'Bearer realm="emulator", error="insufficient_scope"',
    no_customer: null,
  };

  test.each(Object.entries(refusals))("%s", async (name, provoke) => {
    const response = await provoke();
    const { status, message_code, error_message } = (await documented("/api/customer_tokens", response)) as {
      [field in "status" | "message_code" | "error_message"]: string;
    };
    expect(`${status} ${message_code}: ${error_message}`).toBe(name);
    expect(response.status).toBe(Number(status));
    expect(response.headers.get("www-authenticate")).toBe(challenges[message_code]);
  });

  test("every example that the service has shown is one of these refusals, word for word", async () => {
    // The committed description may show others, such as those of codes that nobody has seen.
    const shown = await readFile("test/fixtures/customer-tokens.yaml", "utf8");
    const texts: string[] = [];
    parse(shown, (_, value: unknown) => {
      const { status, message_code, error_message } = Object(value) as Record<string, unknown>;
      if (typeof status === "number") texts.push(`${status} ${String(message_code)}: ${String(error_message)}`);
      return value;
    });
    expect(texts.length).toBeGreaterThan(5);
    // Nothing is known to bring about a bare "Forbidden": a fault can play it.
    expect([...Object.keys(refusals), "403 forbidden: Forbidden"]).toEqual(expect.arrayContaining(texts));
  });

  test.each([
    ["garbage", "authentication_failed"],
    [`${Buffer.from('{"alg":"none"}').toString("base64url")}.e30.`, "authentication_failed"],
    [{ exp: undefined }, "authentication_failed"],
    [{ sub_type: undefined }, "invalid_subject"],
    [{ scope: "customers:read customers:write" }, "invalid_scopes"],
  ])("refuses a bank token with %j: %s", async (wrong, message_code) => {
    const response = await (typeof wrong === "string" ? shared.create(wrong) : createWith(wrong));
    expect(await documented("/api/customer_tokens", response)).toMatchObject({ message_code });
  });

  test.each([0.5, 60])(
    "refuses a token of %d s once it has expired, also one that it has seen before",
    async (seconds) => {
      const { emulator, bankToken, create } = await start({
        now: () => 1_700_000_000_000,
        bankTokenLifetimeSeconds: seconds,
      });
      const token = await bankToken();
      emulator.advanceClock(seconds * 1000 - 1);
      expect((await create(token)).status).toBe(201);
      emulator.advanceClock(1);
      expect(await (await create(token)).json()).toMatchObject({ error_message: "Signature has expired" });
    },
  );

  test.each(["revokeTokens", "rotateKey"] as const)("after %s, refuses every token given before", async (name) => {
    const { emulator, bankToken, create } = await start();
    const seen = await bankToken();
    expect((await create(seen)).status).toBe(201);
    const unseen = await bankToken();
    await emulator[name]();
    for (const token of [seen, unseen]) {
      const body = await documented("/api/customer_tokens", await create(token));
      expect(body).toMatchObject({ status: 401, message_code: "authentication_failed" });
    }
    const customerToken = await accessToken(await create(await bankToken()));
    const keys = createRemoteJWKSet(new URL(`${emulator.url}/.well-known/jwks.json`));
    await jwtVerify(customerToken, keys);
  });

  test("any customer exists if the option says so", async () => {
    const { bankToken, create } = await start({ customers: "any" });
    expect((await create(await bankToken(), { customer_guid: "f".repeat(32) })).status).toBe(201);
  });

  test.each([
    [{ customer_guid: "short" }, "customer_guid must NOT have fewer than 32 characters"],
    [{ customer_guid: undefined }, "body must have required property 'customer_guid'"],
    [{ scopes: [] }, "scopes must NOT have fewer than 1 items"],
    [{ scopes: [scope, scope] }, "scopes must NOT have duplicate items (items ## 1 and 0 are identical)"],
    [{ scopes: ["rewards:read"] }, "scopes/0 must be equal to one of the allowed values"],
    [{ scopes: {} }, "scopes must be array"],
  ])("422 for a body that breaks the schema: %j", async (change, what) => {
    const body = await documented("/api/customer_tokens", await shared.create(await shared.bankToken(), change));
    expect(body).toEqual({
      status: 422,
      message_code: "invalid_parameter",
      error_message: `Invalid parameter: ${what}`,
    });
  });

  test.each([
    ["broken JSON", "{", "application/json", "body must be JSON"],
    [
      "JSON under another name",
      JSON.stringify({ scopes: [scope] }),
      "text/plain",
      "Content-Type must be application/json",
    ],
    ["JSON that is no object", "[]", "application/json; charset=utf-8", "body must be object"],
  ])("422 for %s", async (_, body, type, what) => {
    const authorization = `Bearer ${await shared.emulator.signToken()}`;
    const response = await shared.post("/api/customer_tokens", body, { authorization, "content-type": type });
    expect(await documented("/api/customer_tokens", response)).toMatchObject({
      error_message: `Invalid parameter: ${what}`,
    });
  });
});

describe("discovery", () => {
  const documents = ["/.well-known/openid-configuration", "/.well-known/oauth-authorization-server"];

  test.each(documents)("%s gives every address (RFC 8414)", async (path) => {
    const response = await shared.get(path);
    expect(response.status).toBe(200);
    const { url } = shared.emulator;
    expect(await response.json()).toEqual({
      issuer: url,
      token_endpoint: `${url}/oauth/token`,
      jwks_uri: `${url}/.well-known/jwks.json`,
      grant_types_supported: ["client_credentials"],
      token_endpoint_auth_methods_supported: ["client_secret_basic", "client_secret_post"],
      response_types_supported: [],
      subject_types_supported: ["public"],
      id_token_signing_alg_values_supported: ["RS256"],
    });
  });

  test("with another issuer, tokens and documents name it, and the emulator's own URL stays", async () => {
    const issuer = "http://identity:4010/";
    const { emulator, get, bankToken, create } = await start({ issuer });
    expect(emulator.url).toMatch(/^http:\/\/127\.0\.0\.1:\d+$/);
    expect(await (await get("/.well-known/openid-configuration")).json()).toMatchObject({
      issuer,
      token_endpoint: "http://identity:4010/oauth/token",
      jwks_uri: "http://identity:4010/.well-known/jwks.json",
    });
    const customerToken = await accessToken(await create(await bankToken()));
    expect(decodeJwt(customerToken)).toMatchObject({ iss: issuer, aud: [issuer] });
    const keys = createRemoteJWKSet(new URL(`${emulator.url}/.well-known/jwks.json`));
    await jwtVerify(customerToken, keys, { issuer, audience: issuer });
    const ofUrl = await emulator.signToken({ iss: emulator.url });
    expect(await (await create(ofUrl)).json()).toMatchObject({ error_message: "Invalid issuer" });
  });
});
