import fc from "fast-check";
import { describe, expect, test, vi } from "vitest";
import { customerTokenCache } from "../../../src/customer-token-cache.js";
import { bearer, expiresAt, InvalidResponseError } from "../../../src/index.js";
import { nestsTooDeep, parseJson } from "../../../src/http/body.js";
import { setUp, setUpOnce, withStore } from "../../support/client.js";
import { customerToken, request, tokenResponse } from "../../support/service.js";

const nested = (depth: number, open = '{"a":', close = "}") => `${open.repeat(depth)}1${close.repeat(depth)}`;

test("the levels of a text are counted as a parser would", () => {
  const levels = (value: unknown): number =>
    typeof value === "object" && value !== null ? 1 + Math.max(0, ...Object.values(value).map(levels)) : 0;
  const { tree } = fc.letrec((tie) => ({
    tree: fc.oneof(
      { maxDepth: 12 },
      fc.constantFrom("[", '"]', '\\"{', "\\", 1, null),
      fc.array(tie("tree"), { minLength: 1, maxLength: 2 }),
      fc.dictionary(fc.constantFrom("[", '"', "\\", "{}"), tie("tree"), { maxKeys: 2 }),
    ),
  }));
  fc.assert(
    fc.property(tree, fc.nat(100), (value, around) => {
      const text = `${"[".repeat(around)}${JSON.stringify(value, undefined, 1)}${"]".repeat(around)}`;
      expect(nestsTooDeep(text)).toBe(around + levels(value) > 100);
    }),
  );
  expect(parseJson(nested(100))).toEqual(JSON.parse(nested(100)));
  expect(parseJson(nested(101))).toBeUndefined();
  const brackets = "[".repeat(200);
  expect(parseJson(JSON.stringify({ said: brackets }))).toEqual({ said: brackets });
  expect(nestsTooDeep(`"${brackets}`)).toBe(false);
});

/** How deep the deepest JSON nests that anything has parsed while the work was done, by brackets alone. */
async function deepestParsed(work: () => unknown): Promise<number> {
  let deepest = 0;
  const parse = JSON.parse;
  vi.spyOn(JSON, "parse").mockImplementation((text: unknown, ...rest) => {
    let depth = 0;
    for (const char of String(text)) {
      if ("{[".includes(char)) deepest = Math.max(deepest, ++depth);
      else if ("}]".includes(char)) depth--;
    }
    return parse(String(text), ...rest) as unknown;
  });
  await work();
  vi.restoreAllMocks();
  return deepest;
}

describe.each([
  ["objects", nested(50_000)],
  ["arrays", nested(50_000, "[", "]")],
  ["both, with brackets in strings", nested(50_000, '["]]",{"}":', "}]")],
  ["few enough to be kept whole", nested(101)],
  ["what breaks off", nested(5_000).slice(0, -7_000)],
])("never parsed: %s", (_, deep) => {
  const respond = (status: number) => () =>
    new Response(deep, { status, headers: { "content-type": "application/json" } });

  const isNeverParsed = async (work: () => unknown) => expect(await deepestParsed(work)).toBeLessThan(20);

  test.each([200, 400, 500])("a response of the token endpoint: %d", async (status) => {
    const { create } = setUpOnce({ tokens: [respond(status)] });
    const name = status === 200 ? "InvalidResponseError" : "TokenRequestError";
    await isNeverParsed(() => expect(create()).rejects.toMatchObject({ name }));
  });

  test("a customer token, whoever reads it", async () => {
    const { client, create, post } = setUp({ customerTokens: [respond(201)] }, { auth: bearer("t") });
    await isNeverParsed(async () => {
      await expect(create()).rejects.toThrow(InvalidResponseError);
      await expect(post()).rejects.toThrow(InvalidResponseError);
      await expect(post({ parseAs: "text" })).resolves.toMatchObject({ data: deep });
      const { response } = await post({ parseAs: "stream" });
      await expect(response.clone().json()).rejects.toThrow("nested too deeply");
      await expect(response.json()).rejects.toThrow(SyntaxError);
      client.api.use({
        async onResponse({ response }) {
          await expect(response.clone().json()).rejects.toThrow(SyntaxError);
        },
      });
      await expect(create()).rejects.toThrow(InvalidResponseError);
    });
  });

  test.each([401, 422])("an error, kept as text: %d", async (status) => {
    const { create, post } = setUp({ customerTokens: [respond(status)] }, { auth: bearer("t") });
    const text: unknown = expect.stringContaining(deep.slice(0, 60));
    await isNeverParsed(async () => {
      await expect(create()).rejects.toMatchObject({ name: "ApiError", status, body: text });
      await expect(post()).resolves.toMatchObject({ error: text });
    });
  });

  test("the values of a store", async () => {
    const store = { get: () => deep, set: () => true };
    const { client } = setUp({}, { auth: withStore(store) });
    await isNeverParsed(() => expect(customerTokenCache(client, { store }).get(request)).resolves.toBeDefined());
  });

  test("the claims of a JWT", async () => {
    const jwt = `e30.${Buffer.from(deep).toString("base64url")}.sig`;
    const { client } = setUp({ tokens: [tokenResponse(jwt)], customerTokens: [customerToken(jwt)] });
    await isNeverParsed(async () => {
      expect(expiresAt(jwt)).toBeUndefined();
      await expect(customerTokenCache(client).get(request)).resolves.toEqual({ access_token: jwt });
    });
  });
});

test("a response that is not nested deeply is read as usual", async () => {
  const { post } = setUp();
  const { response } = await post({ parseAs: "stream" });
  await expect(response.clone().json()).resolves.toEqual(await response.json());
});
