import { createRemoteJWKSet, decodeJwt, jwtVerify } from "jose";
import { describe, expect, test } from "vitest";
import { accessToken, documented, scope, start, startShared } from "../../support/emulator.js";

const shared = startShared();
describe("POST /oauth/token", () => {
  test("returns a signed bank token, not to be cached (RFC 6749, section 5.1)", async () => {
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

  test("without a scope, grants those that customer tokens need", async () => {
    expect(decodeJwt(await shared.bankToken())["scope"]).toEqual(["customers:write", "customers:read"]);
    expect(decodeJwt(await shared.bankToken({ scope: "" }))["scope"]).toEqual(["customers:write", "customers:read"]);
  });
});

describe("POST /api/customer_tokens", () => {
  test("returns a customer token with the requested scopes", async () => {
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

  test("never returns the same token twice", async () => {
    const { emulator, create } = shared;
    const token = await emulator.signToken();
    const created = await Promise.all(Array.from({ length: 50 }, async () => accessToken(await create(token))));
    expect(new Set(created).size).toBe(50);
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
