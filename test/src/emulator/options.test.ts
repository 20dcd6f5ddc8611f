import { generateKeyPairSync, type KeyObject } from "node:crypto";
import { expect, test } from "vitest";
import { type EmulatorOptions, startEmulator } from "../../../src/emulator/emulator.js";

const path = "/oauth/token";
const client = { clientId: "c", clientSecret: "s" };
/** A private key, as PEM. */
const privateKey = (type: string, options: object): string =>
  (generateKeyPairSync as (type: string, options: object) => { privateKey: KeyObject })(type, options)
    .privateKey.export({ type: "pkcs8", format: "pem" })
    .toString();

test.each<[message: string, options: unknown]>([
  ["port: expected a port number, or 0", { port: 70_000 }],
  ["host: expected an IP address or localhost", { host: "identity" }],
  ...["identity:4010", "http://", "http://a/?b", "http://a/#", "http://b:c@a", "http://a b", 7].map(
    (issuer): [string, unknown] => ["issuer: expected an http: or https: URL without", { issuer }],
  ),
  ["control: expected true or false", { control: "yes" }],
  ["clients: expected at least one", { clients: [] }],
  ["clients: expected at least one", { clients: [null] }],
  ["clients: expected at least one", { clients: [{ ...client, clientSecret: "" }] }],
  ["clients: expected at least one", { clients: [{ ...client, scopes: "customers:read" }] }],
  ["clients: expected at least one", { clients: [{ ...client, scope: ["customers:read"] }] }],
  ["clients: expected .* each clientId once", { clients: [client, { ...client, clientSecret: "t" }] }],
  ["customers: expected", { customers: ["short"] }],
  ["bankTokenLifetimeSeconds: expected seconds above 0", { bankTokenLifetimeSeconds: 0 }],
  ["customerTokenLifetimeSeconds: expected seconds above 0", { customerTokenLifetimeSeconds: NaN }],
  ["algorithm: expected RS256 or RS512", { algorithm: "HS256" }],
  ["host: expected an IP address", { host: ["127.0.0.1"] }],
  ["issuer: expected an http: or https: URL", { issuer: new URL("http://identity:4010") }],
  ["omitExpiresIn: expected true or false", { omitExpiresIn: "no" }],
  ["now: expected a function", { now: 0 }],
  ["onRequest: expected a function", { onRequest: true }],
  ...[{ tokenRequests: 0 }, { windowSeconds: "5" }, { perClient: 1 }, [], true, null].map(
    (quotas): [string, unknown] => [
      "quotas: expected at most tokenRequests, customerTokens, windowSeconds, each from 1",
      { quotas },
    ],
  ),
  ...[
    7,
    "",
    "-----BEGIN PRIVATE KEY-----",
    privateKey("ec", { namedCurve: "P-256" }),
    privateKey("rsa", { modulusLength: 1024 }),
    privateKey("rsa-pss", { modulusLength: 2048 }),
  ].map((signingKey): [string, unknown] => [
    "signingKey: expected an RSA private key of at least 2048 bits, as PEM",
    { signingKey },
  ]),
  ["lifetime: expected a known option: host, port, issuer, clients", { lifetime: 60 }],
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
  ["faults: expected a known option: path, nth, times", { faults: [{ path, delay: 10 }] }],
  ["faults: expected a status with the body", { faults: [{ path, body: "" }] }],
  ["faults: expected reset without status", { faults: [{ path, reset: "after", status: 503 }] }],
])("%s: a wrong option is refused by name", async (message, options) => {
  const refused = startEmulator(options as EmulatorOptions);
  await expect(refused).rejects.toThrow(TypeError);
  await expect(refused).rejects.toThrow(new RegExp(`^${message}`));
});
