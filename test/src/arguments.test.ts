import { generateKeyPairSync, type KeyObject } from "node:crypto";
import { describe, expect, test } from "vitest";
import { spec } from "../../generated/emulator/spec.js";
import { sharedStore } from "../../src/auth/shared-token-store.js";
import { customerTokenCache } from "../../src/customer-token-cache.js";
import { startEmulator } from "../../src/emulator/emulator.js";
import { bearer, clientCredentials, createCustomerTokensClient, InvalidArgumentError } from "../../src/index.js";
import { checkRequest, isObject } from "../../src/validate.js";
import { readFixture } from "../support/cases.js";
import { bank, setUp } from "../support/client.js";
import { failureOf, request } from "../support/service.js";

/** A private key, as PEM. */
const privateKey = (type: string, options: object): string =>
  (generateKeyPairSync as (type: string, options: object) => { privateKey: KeyObject })(type, options)
    .privateKey.export({ type: "pkcs8", format: "pem" })
    .toString();

const circular: Record<string, unknown> = { ...request };
circular["self"] = circular;

/** The values that YAML has no words for, by their names in the fixture. */
const values: Record<string, unknown> = {
  $undefined: undefined,
  $bigint: 7n,
  $function: () => "token",
  "$function without a result": () => undefined,
  "$auth with a function for a store": clientCredentials({ ...bank, store: (() => new Map()) as never }),
  $circular: circular,
  "$inherited request": Object.create({ ...request, self: true }),
  $Map: new Map(),
  $Set: new Set(["customers:read"]),
  $URL: new URL("http://identity:4010"),
  $AbortController: new AbortController(),
  "$key of an elliptic curve": privateKey("ec", { namedCurve: "P-256" }),
  "$RSA key of 1024 bits": privateKey("rsa", { modulusLength: 1024 }),
  "$RSA-PSS key": privateKey("rsa-pss", { modulusLength: 2048 }),
};

/** A part of the fixture with the values in place of their names. */
function valued(part: unknown): unknown {
  if (typeof part === "string" && part in values) return values[part];
  if (Array.isArray(part)) return part.map(valued);
  return isObject(part) ? Object.fromEntries(Object.entries(part).map(([key, value]) => [key, valued(value)])) : part;
}

const { client, clock, fetch } = setUp();
const cache = customerTokenCache(client);
const constraints = {
  guid: { minLength: 2, maxLength: 2 },
  note: { maxLength: 3 },
  tags: { minItems: 1, uniqueItems: true },
} as const;
/** A request of a made-up operation. */
const checkOrder = (order: object) =>
  checkRequest<{ guid: string; note?: string; tags?: string[]; count?: number }>(order as never, constraints, [
    "note",
    "tags",
  ]);
/** Changes some fields of the right argument; anything but an object replaces it. */
const change = (right: object, wrong: unknown) =>
  (isObject(wrong) && !("self" in wrong) ? { ...right, ...wrong } : wrong) as never;

/** The functions of the fixture. */
const functions: Record<string, (wrong: unknown) => unknown> = {
  createCustomerTokensClient: (wrong) => createCustomerTokensClient(change({ auth: bearer("t") }, wrong)),
  bearer: (wrong) => bearer(wrong as string),
  "the function of bearer": (token) => setUp({}, { auth: bearer(() => token as string), fetch }).create(),
  clientCredentials: (wrong) => clientCredentials(change(bank, wrong)),
  sharedStore: (wrong) => sharedStore(wrong as never),
  "options of sharedStore": (wrong) => sharedStore(new Map(), wrong as never),
  createCustomerToken: (wrong) => client.createCustomerToken(change(request, wrong)),
  "the response of fetch": (wrong) =>
    createCustomerTokensClient({ auth: bearer("t"), fetch: async () => wrong as never }).createCustomerToken(request),
  "the clock's setTimeout": (wrong) => setUp({}, { clock: { ...clock, setTimeout: () => wrong } as never }).create(),
  "options of createCustomerToken": (wrong) => client.createCustomerToken(request, wrong as never),
  "a call of api": (wrong) => client.api.POST("/api/customer_tokens", change({ body: request }, wrong)),
  customerTokenCache: (wrong) => customerTokenCache(client, wrong as never),
  "the client of customerTokenCache": (wrong) => customerTokenCache(wrong as never),
  "a cache's get": (wrong) => cache.get(change(request, wrong)),
  "options of a cache's get": (wrong) => cache.get(request, wrong as never),
  "a cache's delete": (wrong) => cache.delete(wrong as never),
  "a request of a further operation": (wrong) => checkOrder(change({ guid: "ab" }, wrong)),
  startEmulator: (wrong) => startEmulator(wrong as never),
};

/** Wrong arguments by the function that refuses them, and by its message. */
const refusals = readFixture<Record<string, Record<string, unknown[]>>>("arguments");
const paths = Object.keys(spec.paths).join(", ");

describe.each(Object.entries(refusals))("refused by %s:", (name, messages) => {
  const rows = Object.entries(messages).flatMap(([says, all]) => all.map((wrong) => [wrong, says] as const));
  const isOurs = name !== "startEmulator";

  test.each(rows)("%j: %s", async (wrong, says) => {
    const call = Promise.resolve(valued(wrong)).then(functions[name]);
    const error = (await failureOf(call)) as InvalidArgumentError;
    expect(error).toBeInstanceOf(isOurs ? InvalidArgumentError : TypeError);
    expect(error.message).toBe(says.replace("$paths", paths));
    expect(error.message).not.toContain("canary");
    if (isOurs) expect(error).toMatchObject({ code: "ERR_INVALID_ARGUMENT", field: says.split(":")[0] });
    // Nothing is sent, and nothing waits.
    expect([fetch.mock.calls, clock.pendingTimers]).toEqual([[], 0]);
  });
});

test.each([{ guid: "ab" }, { guid: "ab", note: "", tags: ["a", "b"] }, { guid: "ab", note: "abc", count: -1 }])(
  "a request of a further operation passes by its constraints: %j",
  (order) => expect(() => checkOrder(order)).not.toThrow(),
);
