import { createPrivateKey, generateKeyPairSync } from "node:crypto";
import { createRemoteJWKSet, decodeJwt, jwtVerify, SignJWT } from "jose";
import { expect, test } from "vitest";
import { start } from "../../support/emulator.js";

const pem = (type: "pkcs8" | "pkcs1") =>
  generateKeyPairSync("rsa", { modulusLength: 2048 }).privateKey.export({ type, format: "pem" }).toString();

test.each(["pkcs8", "pkcs1"] as const)("with a signing key (%s), tokens survive a restart", async (type) => {
  const options = { signingKey: pem(type), issuer: "http://identity:4010" };
  const before = await start(options);
  for (let count = 0; count < 5; count++) await before.bankToken();
  const token = await before.bankToken();
  await before.emulator.close();
  const after = await start(options);
  expect((await after.create(token)).status).toBe(201);
  await jwtVerify(token, createRemoteJWKSet(new URL(`${after.emulator.url}/.well-known/jwks.json`)));
  // And are revoked with those of this run.
  after.emulator.revokeTokens();
  expect((await after.create(token)).status).toBe(401);
  expect((await after.create(await after.bankToken())).status).toBe(201);
});

test("a bank token of another algorithm is refused", async () => {
  const { emulator, create } = await start({ signingKey: pem("pkcs8"), algorithm: "RS512" });
  expect((await create(await emulator.signToken())).status).toBe(201);
  const signingKey = pem("pkcs8");
  const other = await start({ signingKey });
  const claims = decodeJwt(await other.emulator.signToken());
  for (const [alg, status] of [
    ["RS256", 201],
    ["RS512", 401],
    ["PS256", 401],
  ] as const) {
    const jwt = await new SignJWT(claims).setProtectedHeader({ alg }).sign(createPrivateKey(signingKey));
    expect([alg, (await other.create(jwt)).status]).toEqual([alg, status]);
  }
});

test("the key set verifies the tokens of a key, and has no private part of it", async () => {
  const { emulator, get } = await start({ signingKey: pem("pkcs8") });
  for (let round = 0; round < 2; round++) {
    const { keys } = (await (await get("/.well-known/jwks.json")).json()) as { keys: object[] };
    expect(keys.map((key) => Object.keys(key).sort())).toEqual([["alg", "e", "kid", "kty", "n", "use"]]);
    const keySet = createRemoteJWKSet(new URL(`${emulator.url}/.well-known/jwks.json`));
    await expect(jwtVerify(await emulator.signToken(), keySet)).resolves.toBeDefined();
    await emulator.rotateKey();
  }
});
