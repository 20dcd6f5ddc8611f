import { createPrivateKey, createPublicKey, generateKeyPair } from "node:crypto";
import { promisify } from "node:util";
import { calculateJwkThumbprint, exportJWK, type JWTPayload, jwtVerify, SignJWT, errors as joseErrors } from "jose";
import { apiError, type Reply } from "./replies.js";
import type { EmulatorOptions } from "./types.js";

async function createKey(pem?: string) {
  const generate = () => promisify(generateKeyPair)("rsa", { modulusLength: 2048 });
  const privateKey = pem === undefined ? (await generate()).privateKey : createPrivateKey(pem);
  const publicKey = createPublicKey(privateKey);
  const jwk = await exportJWK(publicKey);
  return { privateKey, publicKey, jwk: { ...jwk, kid: await calculateJwkThumbprint(jwk) } };
}

/** Issues and checks tokens, and publishes how others can check them. */
export async function createTokens(options: EmulatorOptions, now: () => number) {
  const { algorithm = "RS256", signingKey } = options;
  let { issuer = "" } = options;
  const firstKey = await createKey(signingKey);
  let key = firstKey;
  // The number of a token shows whether it is revoked. Numbers go on rising after a restart, since tokens stay valid if the
  // key is given.
  let issued = Date.now() * 1000;
  let revoked = 0;

  /** A bank token's claims. @throws {Refusal} with the service's message */
  async function verify(jwt: string): Promise<JWTPayload> {
    const failed = (message: string, reason?: string) =>
      apiError(401, "authentication_failed", message, "invalid_token", reason);
    const options = { algorithms: [algorithm], issuer, audience: issuer };
    const { payload } = await jwtVerify(jwt, key.publicKey, { ...options, currentDate: new Date(now()) }).catch(
      (error: unknown) => {
        if (error instanceof joseErrors.JWTExpired) throw failed("Signature has expired");
        const claim = error instanceof joseErrors.JWTClaimValidationFailed ? error.claim : undefined;
        if (claim === "aud") throw failed("Invalid audience");
        if (claim === "iss") throw failed("Invalid issuer");
        throw failed("Signature verification raised", (error as Error).message);
      },
    );
    const { exp = 0, jti } = payload;
    // jose counts in whole seconds.
    if (exp * 1000 <= now()) throw failed("Signature has expired");
    if (Number(jti) <= revoked) throw failed("Signature verification raised", "the token was revoked");
    return payload;
  }

  return {
    /** Sets the issuer if the options name none: it is known once the server listens. */
    setUrl(url: string): void {
      issuer ||= url;
    },

    sign(claims: Readonly<Record<string, unknown>>, lifetimeSeconds: number): Promise<string> {
      const iat = Math.floor(now() / 1000);
      const times = { iat, exp: iat + lifetimeSeconds };
      return new SignJWT({ iss: issuer, aud: [issuer], ...times, ...claims, jti: String(++issued) })
        .setProtectedHeader({ alg: algorithm, typ: "JWT", kid: key.jwk.kid })
        .sign(key.privateKey);
    },

    /**
     * Checks that a request comes with a bank token that has these scopes.
     *
     * @returns the token's claims
     * @throws {Refusal} with the service's message
     */
    async requireBankToken(authorization: string | undefined, ...scopes: readonly string[]): Promise<JWTPayload> {
      if (authorization === undefined) throw apiError(401, "unauthorized", "Unauthorized");
      const [, jwt] = /^Bearer ([\w.~+/=-]+)$/i.exec(authorization) ?? [];
      if (jwt === undefined) {
        const message = "Authorization header is malformed";
        throw apiError(401, "authentication_malformed", message, "invalid_request");
      }
      const claims = await verify(jwt);
      const { sub_type, scope } = claims;
      if (sub_type !== "bank") {
        throw apiError(401, "invalid_subject", "Invalid Subject type. Required: bank", "invalid_token");
      }
      const missing = scopes.find((required) => !Array.isArray(scope) || !scope.includes(required));
      if (missing === undefined) return claims;
      throw apiError(403, "invalid_scopes", `Invalid scopes. Required: ${missing}`, "insufficient_scope");
    },

    revoke(): void {
      revoked = issued;
    },

    async rotate(): Promise<void> {
      key = await createKey();
    },

    reset(): void {
      key = firstKey;
      revoked = 0;
    },

    /** RFC 7517. */
    keys: (): Reply => ({ status: 200, body: { keys: [{ ...key.jwk, alg: algorithm, use: "sig" }] } }),

    /** RFC 8414, with the additions of OpenID Connect Discovery 1.0. */
    metadata(): Reply {
      const base = issuer.replace(/\/+$/, "");
      return {
        status: 200,
        body: {
          issuer,
          token_endpoint: `${base}/oauth/token`,
          jwks_uri: `${base}/.well-known/jwks.json`,
          grant_types_supported: ["client_credentials"],
          token_endpoint_auth_methods_supported: ["client_secret_basic", "client_secret_post"],
          response_types_supported: [],
          subject_types_supported: ["public"],
          id_token_signing_alg_values_supported: [algorithm],
        },
      };
    },
  };
}

export type Tokens = Awaited<ReturnType<typeof createTokens>>;
