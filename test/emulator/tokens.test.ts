import { generateKeyPairSync } from "node:crypto";
import { createRemoteJWKSet, jwtVerify } from "jose";
import { expect, test } from "vitest";
import { start, startShared } from "../support/emulator.js";

const shared = startShared();
const pem = (type: "pkcs8" | "pkcs1") =>
  generateKeyPairSync("rsa", { modulusLength: 2048 }).privateKey.export({ type, format: "pem" }).toString();

test.each(["pkcs8", "pkcs1"] as const)("with a signing key (%s), tokens survive a restart", async (type) => {
  const options = { signingKey: pem(type), issuer: "http://identity:4010" };
  const before = await start(options);
  const token = await before.bankToken();
  await before.emulator.close();
  const after = await start(options);
  expect((await after.mint(token)).status).toBe(201);
  await jwtVerify(token, createRemoteJWKSet(new URL(`${after.emulator.url}/.well-known/jwks.json`)));
  // And are revoked with those of this run.
  after.emulator.revokeTokens();
  expect((await after.mint(token)).status).toBe(401);
  expect((await after.mint(await after.bankToken())).status).toBe(201);
});

test("no private part of a key is published", async () => {
  const { emulator, get } = await start({ signingKey: pem("pkcs8") });
  for (let round = 0; round < 2; round++) {
    const { keys } = (await (await get("/.well-known/jwks.json")).json()) as { keys: object[] };
    expect(keys.map((key) => Object.keys(key).sort())).toEqual([["alg", "e", "kid", "kty", "n", "use"]]);
    await emulator.rotateKey();
  }
});

test("the log says more of a refused bank token than the service does", async () => {
  const { emulator, mint, bankToken } = await start({ signingKey: undefined });
  const token = await bankToken();
  emulator.revokeTokens();
  await mint(token);
  await mint(await shared.bankToken());
  await mint("garbage");
  await mint(await emulator.signToken({ aud: "https://elsewhere.example" }));
  const reasons = emulator.requests.slice(1).map(({ code, reason }) => `${code}: ${reason}`);
  expect(reasons).toEqual([
    "authentication_failed: the token was revoked",
    "authentication_failed: signature verification failed",
    "authentication_failed: Invalid Compact JWS",
    "authentication_failed: Invalid audience",
  ]);
});
