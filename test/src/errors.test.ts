import { runInNewContext } from "node:vm";
import fc from "fast-check";
import { describe, expect, test, vi } from "vitest";
import * as library from "../../src/index.js";
import { redact, redactCause } from "../../src/http/redact.js";
import { setUp } from "../support/client.js";
import { refusal } from "../support/service.js";

const { ApiError, ConnectionError, CustomerTokensError } = library;

const noResponse = { attempts: 1 };
const response = { status: 500, headers: new Headers({ "x-id": "7" }), attempts: 2, retryAfterSeconds: 3 };

describe("instanceof", () => {
  test("tells the kinds apart, across two copies of the package", async () => {
    vi.resetModules();
    const copy = await import("../../src/index.js");
    expect(copy.ConnectionError).not.toBe(ConnectionError);
    for (const error of [new ConnectionError("m", noResponse), new copy.ConnectionError("m", noResponse)]) {
      expect(error).toBeInstanceOf(ConnectionError);
      expect(error).toBeInstanceOf(CustomerTokensError);
      expect(error).toBeInstanceOf(Error);
      expect(error).not.toBeInstanceOf(ApiError);
    }
    const json = { constructor: { cybridKind: "ConnectionError" } };
    for (const other of [undefined, null, 0, "ConnectionError", {}, new Error(), { name: "ConnectionError" }, json]) {
      expect(other instanceof CustomerTokensError).toBe(false);
      expect(other instanceof ConnectionError).toBe(false);
    }
  });

  test("leaves a caller's own subclass alone, and an error that is renamed", async () => {
    vi.resetModules();
    const copy = await import("../../src/index.js");
    class Wrapped extends ConnectionError {}
    class Getter extends ApiError {
      override get name() {
        return "Getter" as "ApiError";
      }
    }
    class Mine extends copy.ConnectionError {
      constructor() {
        super("no response", noResponse);
        this.name = "Mine" as "ConnectionError";
      }
    }
    const getter = new Getter({}, response);
    expect([getter instanceof Getter, getter instanceof ApiError, getter instanceof ConnectionError]).toEqual([
      true,
      true,
      false,
    ]);
    class Own extends CustomerTokensError {
      readonly code = "OWN";
    }
    expect(String(new Own("no response", {}))).toBe("CustomerTokensError: no response");
    const plain = new ConnectionError("no response", noResponse);
    expect(plain).not.toBeInstanceOf(Wrapped);
    expect(new Wrapped("no response", noResponse)).toBeInstanceOf(Wrapped);
    plain.name = "named" as "ConnectionError";
    plain.name = "renamed" as "ConnectionError";
    expect([plain.name, String(new Mine())]).toEqual(["renamed", "Mine: no response"]);
    expect(JSON.parse(JSON.stringify(plain))).toMatchObject({ name: "renamed" });
    for (const error of [plain, new Mine(), new Wrapped("no response", noResponse)]) {
      expect(error).toBeInstanceOf(ConnectionError);
      expect(error).toBeInstanceOf(copy.ConnectionError);
      expect(error).not.toBeInstanceOf(ApiError);
    }
  });
});

test.each([
  [new library.ApiError({}, response), "ApiError", "ERR_API"],
  [new library.TokenRequestError({}, response), "TokenRequestError", "ERR_TOKEN_REQUEST"],
  [new library.ConnectionError("m", noResponse), "ConnectionError", "ERR_CONNECTION"],
  [new library.TimeoutError(5, noResponse), "TimeoutError", "ERR_TIMEOUT"],
  [new library.InvalidResponseError("m", response), "InvalidResponseError", "ERR_INVALID_RESPONSE"],
  [new library.InvalidArgumentError("f", "e", "31"), "InvalidArgumentError", "ERR_INVALID_ARGUMENT"],
])("%s has a literal name and a stable code, and shows its headers in JSON", (error, name, code) => {
  expect(error).toMatchObject({ name, code });
  expect(error.stack?.startsWith(`${name}: ${error.message}`)).toBe(true);
  const headers = "headers" in error && { headers: { "x-id": "7" } };
  expect(JSON.parse(JSON.stringify(error))).toMatchObject({ name, code, message: error.message, ...headers });
  expect(Object.keys(library)).toContain(name);
  if (name === "InvalidArgumentError") expect(error.message).toBe("f: expected e, got 31");
});

const hex = (character: string) => character.charCodeAt(0).toString(16);

describe("no secret and no token", () => {
  const bankToken = "canary-bank-token";

  test.each<[string, (text: string) => string]>([
    ["JSON that escapes slashes", (text) => text.replaceAll("/", "\\/")],
    ["JSON in code points", (text) => text.replace(/[^A-Za-z0-9]/g, (c) => `\\u${hex(c).padStart(4, "0")}`)],
    ["JSON in JSON", (text) => JSON.stringify(JSON.stringify(text).slice(1, -1)).slice(1, -1)],
    ["a URL", (text) => encodeURIComponent(text)],
    ["a URL in lower case", (text) => encodeURIComponent(text).replace(/%../g, (code) => code.toLowerCase())],
    ["a form", (text) => new URLSearchParams({ x: text }).toString().slice(2)],
    ["HTML", (text) => text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll('"', "&quot;")],
    ["HTML in code points", (text) => text.replace(/[^A-Za-z0-9]/g, (c) => `&#x${hex(c)};`)],
  ])("a secret is redacted as %s spells it", (_, spell) => {
    // What RFC 6749, appendix A, allows in a secret.
    const secret = fc.string({ unit: fc.integer({ min: 0x20, max: 0x7e }).map((code) => String.fromCharCode(code)) });
    fc.assert(
      fc.property(secret, (middle) => {
        const known = `first${middle}last`;
        expect(redact(`a ${spell(known)} b`, [known])).toBe("a [redacted] b");
      }),
    );
  });

  test.each<[string, string, string[], string]>([
    ["of which one is part of another", "a secret-redacted b", ["redacted", "secret-redacted"], "a [redacted] b"],
    ["of which one begins like another", "long-secret", ["long", "long-secret"], "[redacted]"],
    ["that occur often", "a redacted b", Array<string>(99).fill("redacted"), "a [redacted] b"],
    ["of four characters", "a word b", ["word"], "a [redacted] b"],
    ["too short to be secret", '{"status":422,"x":"no"}', ["2", "no", "er"], '{"status":422,"x":"no"}'],
  ])("secrets %s", (_, text, secrets, expected) => {
    expect(redact(text, secrets)).toBe(expected);
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

  test("redaction leaves the rest readable", async () => {
    const customerTokens = [refusal(422, "x", `token ${bankToken} is unknown`)];
    const { create } = setUp({ customerTokens }, { auth: library.bearer(bankToken) });
    await expect(create()).rejects.toMatchObject({ errorMessage: "token [redacted] is unknown" });
  });
});
