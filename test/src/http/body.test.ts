import { Readable } from "node:stream";
import fc from "fast-check";
import { describe, expect, test, vi } from "vitest";
import { ApiError, InvalidResponseError } from "../../../src/index.js";
import { maxBodyBytes, maxErrorBytes } from "../../../src/http/body.js";
import { redact, redactStart } from "../../../src/http/redact.js";
import { setUp } from "../../support/client.js";
import { customerToken, failureOf, tokenResponse, unsignedJwt } from "../../support/service.js";

/** A body without an end, which counts the bytes that are read of it. */
function endless(text: string) {
  const chunk = new TextEncoder().encode(text.repeat(Math.ceil(16_384 / text.length)));
  const seen = { bytes: 0, canceled: false };
  const stream = () =>
    new ReadableStream<Uint8Array>(
      {
        pull(controller) {
          seen.bytes += chunk.length;
          controller.enqueue(chunk);
        },
        cancel() {
          seen.canceled = true;
        },
      },
      { highWaterMark: 0 },
    );
  return { seen, stream };
}

describe("a response without an end", () => {
  const isCanceledAt = (limit: number, { canceled, bytes }: ReturnType<typeof endless>["seen"]) => {
    expect(canceled).toBe(true);
    expect(bytes).toBeLessThanOrEqual(limit + 2 * 16_384);
  };

  test.each(["json", "text", "blob", "arrayBuffer", "stream"] as const)(
    "is refused by api: parseAs %s",
    async (parseAs) => {
      const { seen, stream } = endless("x");
      const { post } = setUp({ customerTokens: [() => new Response(stream(), { status: 201 })] });
      await expect(post({ parseAs })).rejects.toThrow(InvalidResponseError);
      isCanceledAt(maxBodyBytes, seen);
    },
  );

  test.each(["tokens", "customerTokens"])("is not a valid response, and the next one is right: %s", async (list) => {
    const { seen, stream } = endless(" ");
    const right = list === "tokens" ? tokenResponse("bank", 60) : customerToken("c");
    const { create, clock } = setUp({ [list]: [() => new Response(stream(), { status: 201 }), right] });
    await expect(create()).rejects.toMatchObject({ name: "InvalidResponseError", responseStatus: 201 });
    isCanceledAt(maxBodyBytes, seen);
    await expect(clock.run(create())).resolves.toBeDefined();
  });

  test("keeps status and first part of an error, marked as cut, without a secret", async () => {
    const { seen, stream } = endless("you sent s3cret to us. ");
    const { create } = setUp({ customerTokens: [() => new Response(stream(), { status: 500 })] });
    const error = (await failureOf(create())) as ApiError;
    expect(error).toMatchObject({ name: "ApiError", status: 500 });
    expect(error.body).toMatch(/^you sent \[redacted\] to us\. .*… \[cut off\]$/);
    expect(error.body).not.toContain("s3cr");
    expect(String(error.body).length).toBeLessThan(70_000);
    isCanceledAt(maxErrorBytes, seen);
  });
});

describe("a body comes", () => {
  const text = JSON.stringify({ access_token: "c" });
  const odd = (body: object) => ({ ok: true, status: 201, headers: new Headers(), ...body }) as unknown as Response;
  test.each<[string, () => Response]>([
    ["as a web stream", () => new Response(text, { status: 201 })],
    ["as a stream of Node's", () => odd({ body: Readable.from([Buffer.from(text)]) })],
    ["as an async iterable of strings", () => odd({ body: Readable.from([...text]) })],
    ["by text() alone", () => odd({ text: async () => text })],
    ["by arrayBuffer() alone", () => odd({ arrayBuffer: async () => new TextEncoder().encode(text).buffer })],
  ])("%s", async (_, response) => {
    const { create, post } = setUp({ customerTokens: [response] });
    await expect(create()).resolves.toEqual({ access_token: "c" });
    await expect(post()).resolves.toMatchObject({ data: { access_token: "c" } });
  });

  test("as large as the limit, and no larger, from a stub too", async () => {
    const sized = (length: number) => () => odd({ text: async () => text.padEnd(length) });
    const { create } = setUp({ customerTokens: [sized(maxBodyBytes), sized(maxBodyBytes + 1)] });
    await expect(create()).resolves.toEqual({ access_token: "c" });
    await expect(create()).rejects.toThrow(InvalidResponseError);
  });
});

/** Calls back, and counts the characters that patterns walk over meanwhile. */
function charactersWalked(work: () => unknown): number {
  let walked = 0;
  const exec = RegExp.prototype.exec;
  const spy = vi.spyOn(RegExp.prototype, "exec").mockImplementation(function (this: RegExp, text: string) {
    const from = this.global ? this.lastIndex : 0;
    const match = exec.call(this, text);
    walked += (match ? match.index + match[0].length : text.length) - from;
    return match;
  });
  work();
  spy.mockRestore();
  return walked;
}

// With a pattern that takes quadratic time each of these would take minutes.
describe("a megabyte is redacted in linear time:", () => {
  const secrets = ['a"\\/+%secret', "\\".repeat(50), '\\"'.repeat(30), unsignedJwt({ sub: "canary" })];
  const parts = ["-eyJ", "eyJ", "eyJa.", "\\", '\\"', "&#0", "%5C", "\\u005c", "a", ".", 'a"\\/+%secre'];
  const filled = (part: string, length: number) => part.repeat(Math.ceil(length / part.length));

  test.each([...parts, ".eyJ", "eyJ ", "a.eyJa.b", unsignedJwt({})])(
    "its patterns walk over each character a few times only: %j",
    (part) => {
      expect(redactStart(filled(part, maxBodyBytes), secrets)).toMatch(/cut off\]$/);
      for (const length of [2 ** 12, 2 ** 16]) {
        const text = filled(part, length);
        expect(charactersWalked(() => redact(text, secrets))).toBeLessThanOrEqual(5 * text.length);
        // It looks for the start of the last run character by character.
        expect(charactersWalked(() => redactStart(text, secrets))).toBeLessThanOrEqual(8 * text.length);
      }
    },
  );

  test("texts with many partial matches", () => {
    const part = fc.constantFrom("eyJ", "eyJa", ".", "-", "\\", "\\\\", '"', "&quot;", "%22", "\\u0022", " ", "secret");
    fc.assert(
      fc.property(fc.array(part, { minLength: 1, maxLength: 12 }), (chosen) => {
        const text = chosen.join("").repeat(2_000);
        expect(redact(`${text} ${secrets.at(-1)}`, secrets)).not.toContain(secrets.at(-1));
      }),
      { numRuns: 50 },
    );
  });

  test("a cut text shows no beginning of a secret or of a JWT", () => {
    const jwt = unsignedJwt({ sub: "canary" });
    fc.assert(
      fc.property(fc.nat(jwt.length - 1), fc.nat(11), (ofJwt, ofSecret) => {
        const filler = "a b ".repeat(100);
        const ofWords = redactStart(`${filler}top, secret `.slice(0, filler.length + ofSecret), ["top, secret 1"]);
        expect(ofWords).toMatch(/^(a b )+/);
        expect(ofWords).not.toContain("top");
        expect(redactStart(`${filler}${jwt.slice(0, ofJwt + 1)}`, [])).not.toMatch(/eyJ\w/);
        expect(redactStart(`${filler}top-secret-1`.slice(0, filler.length + ofSecret), ["top-secret-1"])).not.toContain(
          "top",
        );
      }),
    );
  });
});
