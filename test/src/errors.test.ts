import { inspect } from "node:util";
import { runInNewContext } from "node:vm";
import fc from "fast-check";
import { describe, expect, test, vi } from "vitest";
import * as library from "../../src/index.js";
import { redact, redactCause } from "../../src/http/redact.js";
import { FakeClock } from "../support/clock.js";
import { customerToken, fakeService, guid, hang, json, stale, tokenAnswer, unsignedJwt } from "../support/service.js";

const { ApiError, ConnectionError, CustomerTokensError, InvalidArgumentError } = library;

describe("instanceof", () => {
  test("tells the kinds apart", () => {
    const error = new ConnectionError("no answer", { attempts: 1 });
    expect(error).toBeInstanceOf(ConnectionError);
    expect(error).toBeInstanceOf(CustomerTokensError);
    expect(error).toBeInstanceOf(Error);
    expect(error).not.toBeInstanceOf(ApiError);
    for (const other of [undefined, null, 0, "ConnectionError", {}, new Error(), { name: "ConnectionError" }]) {
      expect(other instanceof CustomerTokensError).toBe(false);
      expect(other instanceof ConnectionError).toBe(false);
    }
  });

  test("works across two copies of the package", async () => {
    vi.resetModules();
    const copy = await import("../../src/index.js");
    expect(copy.ConnectionError).not.toBe(ConnectionError);
    const error = new copy.ConnectionError("no answer", { attempts: 1 });
    expect(error).toBeInstanceOf(ConnectionError);
    expect(error).toBeInstanceOf(CustomerTokensError);
    expect(error).not.toBeInstanceOf(ApiError);
  });

  test("leaves a caller's own subclass alone", () => {
    class Wrapped extends ConnectionError {}
    class Renamed extends ApiError {
      override get name() {
        return "Renamed" as "ApiError";
      }
    }
    const renamed = new Renamed({}, { status: 500, headers: new Headers(), attempts: 1, retryAfterSeconds: undefined });
    expect(renamed).toBeInstanceOf(Renamed);
    expect(renamed).toBeInstanceOf(ApiError);
    expect(renamed).not.toBeInstanceOf(ConnectionError);
    const plain = new ConnectionError("no answer", { attempts: 1 });
    const wrapped = new Wrapped("no answer", { attempts: 1 });
    expect(plain).not.toBeInstanceOf(Wrapped);
    expect(wrapped).toBeInstanceOf(Wrapped);
    expect(wrapped).toBeInstanceOf(ConnectionError);
  });
});

test("an error can be renamed, and keeps its kind", async () => {
  vi.resetModules();
  const copy = await import("../../src/index.js");
  class Mine extends copy.ConnectionError {
    constructor() {
      super("no answer", { attempts: 1 });
      this.name = "Mine";
    }
  }
  const renamed = new ConnectionError("no answer", { attempts: 1 });
  renamed.name = "renamed";
  expect([renamed.name, String(new Mine())]).toEqual(["renamed", "Mine: no answer"]);
  expect(JSON.parse(JSON.stringify(renamed))).toMatchObject({ name: "renamed" });
  for (const error of [renamed, new Mine()]) {
    expect(error).toBeInstanceOf(ConnectionError);
    expect(error).toBeInstanceOf(copy.ConnectionError);
    expect(error).not.toBeInstanceOf(ApiError);
  }
});

describe("every kind", () => {
  const answer = { status: 500, headers: new Headers(), attempts: 2, retryAfterSeconds: 3 };
  test.each([
    [new library.ApiError({}, answer), "ApiError", "ERR_API"],
    [new library.TokenRequestError({}, answer), "TokenRequestError", "ERR_TOKEN_REQUEST"],
    [new library.ConnectionError("m", { attempts: 1 }), "ConnectionError", "ERR_CONNECTION"],
    [new library.TimeoutError(5, { attempts: 1 }), "TimeoutError", "ERR_TIMEOUT"],
    [new library.InvalidResponseError("m", answer), "InvalidResponseError", "ERR_INVALID_RESPONSE"],
    [new library.InvalidArgumentError("f", "e"), "InvalidArgumentError", "ERR_INVALID_ARGUMENT"],
  ])("%s has a literal name and a stable code", (error, name, code) => {
    expect(error).toMatchObject({ name, code });
    expect(error.stack?.startsWith(`${name}: ${error.message}`)).toBe(true);
    expect(JSON.parse(JSON.stringify(error))).toMatchObject({ name, code, message: error.message });
    expect(Object.keys(library)).toContain(name);
  });

  test("JSON shows the headers", () => {
    const answer = { status: 500, headers: new Headers({ "x-id": "7" }), attempts: 1, retryAfterSeconds: undefined };
    expect(JSON.parse(JSON.stringify(new ApiError("", answer)))).toMatchObject({ headers: { "x-id": "7" } });
  });

  test("an InvalidArgumentError says what was expected, and of what", () => {
    expect(new InvalidArgumentError("customer_guid", "a string of 32 characters", "31").message).toBe(
      "customer_guid: expected a string of 32 characters, got 31",
    );
  });
});

const hex = (character: string) => character.charCodeAt(0).toString(16);

describe("no secret and no token", () => {
  const secret = 'canary"secret/+%';
  const bankToken = "canary-bank-token";
  const jwt = unsignedJwt({ sub: "canary" });
  const spellings = [secret, JSON.stringify(secret).slice(1, -1), encodeURIComponent(secret)];
  const echo = `you sent ${spellings.join(" and ")} and ${bankToken} and ${jwt}`;
  const leaky = Object.assign(new TypeError(`fetch failed: ${echo}`), {
    code: "ECANARY",
    request: { headers: { authorization: bankToken } },
    cause: Object.assign(new Error(echo), { cause: echo, code: bankToken }),
  });
  const leakyHeaders = {
    "x-echo": encodeURIComponent(secret),
    "set-cookie": "session=canary",
    "www-authenticate": `Bearer ${bankToken}`,
  };
  const cut = () =>
    new Response(new ReadableStream({ start: (controller) => controller.error(leaky) }), {
      status: 201,
      headers: leakyHeaders,
    });

  const asBank = library.clientCredentials({ clientId: "bank", clientSecret: secret });
  const tokens = [tokenAnswer(bankToken, 3600)];
  test.each<[string, Parameters<typeof fakeService>[0]]>([
    ["token request refused", { tokens: [json({ error: echo, error_description: echo }, 400, leakyHeaders)] }],
    ["token request answered with HTML", { tokens: [new Response(echo, { status: 502, headers: leakyHeaders })] }],
    [
      "token request answered with no token",
      { tokens: [json({ error_description: echo, id_token: jwt }, 200, leakyHeaders)] },
    ],
    [
      "token request redirected",
      {
        tokens: [
          new Response(null, {
            status: 307,
            headers: { location: `https://evil.example/?${encodeURIComponent(secret)}` },
          }),
        ],
      },
    ],
    ["token request without an answer", { tokens: [leaky] }],
    ["token request cut off", { tokens: [cut] }],
    ["token request that hangs", { tokens: [hang] }],
    [
      "call refused",
      {
        tokens,
        customerTokens: [
          json({ status: 422, error_message: echo, message_code: bankToken, deep: [{ echo }] }, 422, leakyHeaders),
        ],
      },
    ],
    [
      "call refused with text",
      { tokens, customerTokens: [new Response(echo, { status: 500, headers: leakyHeaders })] },
    ],
    ["call refused with 401", { tokens, customerTokens: [stale()] }],
    ["call without an answer", { tokens, customerTokens: [leaky] }],
    ["call cut off", { tokens, customerTokens: [cut] }],
    ["call that hangs", { tokens, customerTokens: [leaky, hang] }],
    [
      "call answered with cut JSON",
      {
        tokens,
        customerTokens: [new Response(`{"access_token":"${jwt}`, { status: 201, headers: leakyHeaders })],
      },
    ],
    ["call answered with the wrong shape", { tokens, customerTokens: [json({ token: jwt, echo }, 201, leakyHeaders)] }],
    ["call redirected", { tokens, customerTokens: [Response.redirect(`https://evil.example/?t=${bankToken}`, 302)] }],
  ])("%s", async (_, script = {}) => {
    const clock = new FakeClock();
    const client = library.createCustomerTokensClient({
      auth: asBank,
      fetch: fakeService(script).fetch,
      clock,
      maxRetries: 1,
    });
    const call = client.createCustomerToken({ customer_guid: guid, scopes: ["customers:read"] });
    const error: unknown = await clock.run(call).catch((reason: unknown) => reason);
    expect(error).toBeInstanceOf(CustomerTokensError);

    const shown: string[] = [];
    for (let link = error; link instanceof Error; link = link.cause) {
      shown.push(link.message, link.stack ?? "", String(link), JSON.stringify(link));
      shown.push(inspect(link, { depth: 20, showHidden: true }), inspect(client, { depth: 20, showHidden: true }));
      const { headers } = link as { headers?: Headers };
      shown.push(JSON.stringify([...(headers ?? [])]));
    }
    // A bank token is known once it has been given.
    const given = script.customerTokens ? [bankToken] : [];
    for (const canary of [...spellings, ...given, jwt, "session=canary"]) {
      expect(shown.join("\n")).not.toContain(canary);
    }
  });

  test("a token that no header can hold", async () => {
    const auth = library.bearer(() => `${bankToken}\n`);
    const client = library.createCustomerTokensClient({ auth, fetch: fakeService().fetch });
    const call = client.createCustomerToken({ customer_guid: guid, scopes: ["customers:read"] });
    await expect(call).rejects.not.toThrow(bankToken);
    await expect(call).rejects.toThrow(InvalidArgumentError);
  });

  test.each<[string, (text: string) => string]>([
    ["JSON that escapes slashes", (text) => text.replaceAll("/", "\\/")],
    ["JSON in code points", (text) => text.replace(/[^A-Za-z0-9]/g, (c) => `\\u${hex(c).padStart(4, "0")}`)],
    ["JSON in JSON", (text) => JSON.stringify(JSON.stringify(text).slice(1, -1)).slice(1, -1)],
    ["a URL", (text) => encodeURIComponent(text)],
    ["a URL in lower case", (text) => encodeURIComponent(text).replace(/%../g, (code) => code.toLowerCase())],
    ["a form", (text) => new URLSearchParams({ x: text }).toString().slice(2)],
    ["HTML", (text) => text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll('"', "&quot;")],
    ["HTML in code points", (text) => text.replace(/[^A-Za-z0-9]/g, (c) => `&#x${hex(c)};`)],
  ])("a secret is struck out as %s spells it", (_, spell) => {
    // What RFC 6749, appendix A, allows in a secret.
    const secret = fc.string({ unit: fc.integer({ min: 0x20, max: 0x7e }).map((code) => String.fromCharCode(code)) });
    fc.assert(
      fc.property(secret, (middle) => {
        const known = `first${middle}last`;
        expect(redact(`a ${spell(known)} b`, [known])).toBe("a [redacted] b");
      }),
    );
  });

  test("secrets that are part of each other, or given often, are struck out once", () => {
    expect(redact("a secret-redacted b", ["redacted", "secret-redacted", ...Array<string>(99).fill("redacted")])).toBe(
      "a [redacted] b",
    );
  });

  test("what is too short to be secret leaves status and codes whole", () => {
    const body = '{"status":422,"message_code":"no_customer"}';
    expect(redact(body, ["2", "no", "er"])).toBe(body);
  });

  test("a secret that begins like another one takes nothing of it", () => {
    expect(redact("long-secret", ["long", "long-secret"])).toBe("[redacted]");
  });

  test("a secret of backslashes costs no time", () => {
    const secret = "\\".repeat(50);
    expect(redact("\\".repeat(49), [secret])).toBe("\\".repeat(49));
    expect(redact(`x${secret}y`, [secret])).toBe("x[redacted]y");
  });

  test("a cause of another realm, or of an odd shape, is shown as far as it goes", () => {
    const foreign: unknown = runInNewContext(
      'Object.assign(new Error("read canary", { cause: { message: "because" } }), { code: "ECONNRESET" })',
    );
    expect(redactCause(foreign, ["canary"])).toMatchObject({
      message: "read [redacted]",
      code: "ECONNRESET",
      cause: { message: "because" },
    });
    expect(redactCause({ message: "m", stack: ["canary"] }, ["canary"])).toMatchObject({ stack: "[redacted]" });
    expect(redactCause(Object.assign(new Error(), { message: undefined }), [])).toBe("[object Error]");
    expect(redactCause(null, [])).toBe("[object Null]");
  });

  test("what is struck out leaves the rest readable", async () => {
    const { fetch } = fakeService({
      customerTokens: [json({ error_message: `token ${bankToken} is unknown`, message_code: "x" }, 401)],
    });
    const client = library.createCustomerTokensClient({ auth: library.bearer(bankToken), fetch });
    await expect(client.createCustomerToken({ customer_guid: guid, scopes: ["customers:read"] })).rejects.toMatchObject(
      {
        errorMessage: "token [redacted] is unknown",
      },
    );
  });

  test("the openapi-fetch client underneath shows none either", async () => {
    const { fetch } = fakeService({
      customerTokens: [json({ echo }, 403, leakyHeaders), customerToken("c")],
    });
    const client = library.createCustomerTokensClient({ auth: library.bearer(bankToken), fetch });
    const { error, response } = await client.api.POST("/api/customer_tokens", {
      body: { customer_guid: guid, scopes: ["customers:read"] },
    });
    expect(JSON.stringify([error, ...response.headers])).not.toContain(bankToken);
  });
});
