import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { UserError } from "../../../scripts/command.js";
import { checkSpec } from "../../../scripts/spec/check.js";
import { limits, parseSpec, parseYaml, place } from "../../../scripts/spec/parse.js";

const minimal = {
  openapi: "3.0.3",
  info: { title: "Library", version: "1" },
  paths: { "/books": { get: { operationId: "getBook", responses: {} } } },
};

describe("parseSpec refuses", () => {
  const head = 'openapi: 3.0.3\ninfo: {title: x, version: "1"}\npaths: {}\n';
  const cases: Record<string, [text: string, says: RegExp]> = {
    "a key twice": [`${head}info: {}`, /^x\.yaml:4:1: the key "info" stands twice$/],
    "a number and a string as the same key": [
      `${head}x:\n  200: a\n  "200": b`,
      /^x\.yaml:6:3: the key "200" stands twice$/,
    ],
    "a key that is a list": [`${head}? [a]\n: b`, /a key must be a plain string$/],
    "two documents": [`${head}---\n${head}`, /broken YAML/],
    "an unknown tag": [`${head}x: !!js/function a`, /^x\.yaml:4:4: broken YAML: Unresolved tag/],
    "a type that JSON does not have": [
      `%YAML 1.1\n---\n${head}x: !!set {a}`,
      /^x\.yaml:6:\d+: broken YAML: Unresolved tag/,
    ],
    "a number that JSON does not have": [`${head}x: .inf`, /#\/x is a number that JSON/],
    "a control character": [`${head}x: "a\\u0000"`, /^x\.yaml:4:4: #\/x holds a control character$/],
    "half a surrogate pair": [`${head}x: "a\\ud800"`, /holds a control character$/],
    "an alias to nothing": [`${head}x: *a`, /^x\.yaml:4:4: broken YAML|aliases refer to nothing/],
    "an alias to what it stands in": [`${head}x: &a\n  b: *a`, /nested deeper than 100 levels$/],
    "a billion laughs": [
      `a: &a [x,x,x,x,x,x,x,x,x]\n${[..."bcdefghij"]
        .map((name, at) => `${name}: &${name} [${Array(9).fill(`*${"abcdefghi"[at]}`).join()}]`)
        .join("\n")}`,
      /aliases refer to nothing or multiply beyond bounds$/,
    ],
    "very many aliases": [`a: &a x\nb: [${"*a,".repeat(1e5)}]`, /more than 1000 YAML aliases$/],
    "few aliases to very much": [
      `a: &a [${"x,".repeat(1e5)}]\nb: [${"*a,".repeat(100)}]`,
      /has more than 2000000 values$/,
    ],
    "deep brackets": ["[".repeat(1e6), /nested deeper than 100 levels$/],
    "deep braces": ["{a: ".repeat(1e6), /nested deeper than 100 levels$/],
    "deep dashes": ["- ".repeat(1e6), /nested deeper than 100 levels$/],
    "deep question marks": ["? ".repeat(1e6), /nested deeper than 100 levels$/],
    "deep indentation": [
      Array.from({ length: 3000 }, (_, depth) => `${" ".repeat(depth)}a:\n`).join(""),
      /nested deeper than 100 levels$/,
    ],
    "a hundred and one levels": [`${head}x: ${"[".repeat(101)}${"]".repeat(101)}`, /100 levels$/],
    "very many tokens": [
      `[${",".repeat(2e6)}]`,
      /has more than 1000000 YAML tokens: as JSON it may be larger, and `npx redocly bundle` writes it$/,
    ],
    "50 MB": [`# ${"x".repeat(50e6)}`, /is larger than 32 MB$/],
    "a key twice, in JSON": [
      '{\n "openapi": "3.0.3",\n "a": { "b": [1, { "c": 1,\n  "c": 2 }] }\n}',
      /^x\.yaml:4:3: the key "c" stands twice$/,
    ],
    "a key that is escaped, in JSON": [
      '{"a": {"\\u005f_proto__": {"polluted": true}}}',
      /^x\.yaml:1:8: the key "__proto__" is refused, since JavaScript objects inherit it$/,
    ],
    "deep JSON": [`${'{"a":['.repeat(1e5)}${"]}".repeat(1e5)}`, /^x\.yaml is nested deeper than 100 levels$/],
    "a number that JavaScript does not have, in JSON": ['{"a": 1e400000}', /^x\.yaml:1:7: #\/a is a number that JSON/],
    "very many values, in JSON": [`[${"1,".repeat(2e6)}1]`, /has more than 2000000 values$/],
    ...Object.fromEntries(
      ["__proto__", "constructor", "prototype", "toString", "hasOwnProperty"].map((key) => [
        `the key ${key}`,
        [
          `${head}components:\n  schemas:\n    ${key}: {polluted: true}`,
          new RegExp(`^x\\.yaml:6:5: the key "${key}" is refused, since JavaScript objects inherit`),
        ],
      ]),
    ),
  };

  test.each(Object.entries(cases))("%s", (_, [text, says]) => {
    let error: unknown;
    try {
      parseSpec(text, "x.yaml");
    } catch (thrown) {
      error = thrown;
    }
    expect(error).toBeInstanceOf(UserError);
    expect((error as Error).message).toMatch(says);
    expect((error as Error).message.length).toBeLessThan(400);
    expect(Object.keys(Object.prototype)).toEqual([]);
    expect({}).not.toHaveProperty("polluted");
  });

  test("nothing of a JSON file that is fine", () => {
    expect(parseSpec(JSON.stringify(minimal), "x")).toEqual(minimal);
  });

  test("but refuses, whatever the text", () => {
    const pieces = [
      ..."{}[]:,-?&*!|>%@#'\"\\ \n\t\r\0",
      ..."openapi: 3.0.3|paths|<<|&a|*a|---|...|!!map|%YAML 1.1|info: {}|  |? |0x1F|.nan|~".split("|"),
      "\n  - ",
      "\u2028",
      "\ud800",
    ];
    const text = fc.oneof(
      fc.string({ unit: "binary", maxLength: 300 }),
      fc.array(fc.constantFrom(...pieces), { maxLength: 60 }).map((parts) => parts.join("")),
      fc.json().map((json) => json.replace("{", '{"openapi":"3.0.3",')),
    );
    fc.assert(
      fc.property(text, (input) => {
        try {
          const spec = parseSpec(`openapi: 3.1.0\n${input}`, "x");
          expect(JSON.parse(JSON.stringify(spec))).toEqual(spec);
          checkSpec(spec, "x");
        } catch (error) {
          if (!(error instanceof UserError)) throw error;
        }
      }),
      { numRuns: 500 },
    );
  });
});

describe("parseSpec takes", () => {
  test.each([
    ["3.0", "3.0.0"],
    ["3.1", "3.1.0"],
    ['"3.1"', "3.1.0"],
    ["3.1.1", "3.1.1"],
    ["3.2.0", "3.2.0"],
  ])("the version %s", (written, version) => {
    expect(parseSpec(`openapi: ${written}`, "x")).toEqual({ openapi: version });
  });

  test("YAML's merge keys", () => {
    const text = "openapi: 3.1.0\nx: &x {a: 1, b: 2}\ny: {<<: *x, b: 3}\nz: {<<: [*x, {c: 4}]}";
    expect(parseSpec(text, "x")).toMatchObject({ y: { a: 1, b: 3 }, z: { a: 1, b: 2, c: 4 } });
  });

  test("integers of any size, digit by digit", () => {
    const text = "openapi: 3.1.0\nx: [9223372036854775807, 9007199254740993, 9007199254740992, 0x10, -0, 1e400000]";
    const { x } = parseSpec(text.replace("1e400000", "12"), "x");
    expect(x).toEqual([9223372036854775807n, 9007199254740993n, 9007199254740992, 16, 0, 12]);
    expect(() => parseSpec(text, "x")).toThrow(/is a number that JSON does not have$/);
  });
});

test("JSON is read as it is, and every value of it has its place", () => {
  const ordinary = fc
    .jsonValue()
    .filter((value) => !/"(?:__proto__|\w*[cC]onstructor|toString|valueOf)"/.test(JSON.stringify(value)));
  fc.assert(
    fc.property(ordinary, fc.constantFrom(undefined, 1, "\t"), (value, indent) => {
      const text = JSON.stringify({ openapi: "3.1.0", "x-\n": value }, null, indent);
      const spec = parseSpec(text, "x");
      expect(spec).toEqual(JSON.parse(text));
      const at = (path: (string | number)[], part: unknown): void => {
        const [, line = 0, column = 0] = /^x:(\d+):(\d+): /.exec(place(spec, "x", path)) ?? [];
        const rest = text
          .split("\n")
          .slice(Number(line) - 1)
          .join("\n")
          .slice(Number(column) - 1);
        expect(rest.startsWith(JSON.stringify(part, null, indent).slice(0, 1))).toBe(true);
        if (typeof part === "object" && part !== null)
          for (const [key, below] of Object.entries(part))
            at([...path, Array.isArray(part) ? Number(key) : key], below);
      };
      at([], spec);
    }),
  );
});

test("JSON of twelve megabytes is read", () => {
  const schemas = Object.fromEntries(
    Array.from({ length: 60_000 }, (_, index) => [`S${index}`, { type: "string", description: "x".repeat(170) }]),
  );
  const text = JSON.stringify({ openapi: "3.1.0", components: { schemas } });
  expect(text.length).toBeGreaterThan(12e6);
  expect(parseSpec(text, "x")).toEqual({ openapi: "3.1.0", components: { schemas } });
});

test("limits leave the provider's descriptions a hundredfold of room, and still end soon", () => {
  // Compared here, so that nobody raises one without thought of what it bounds.
  expect(limits).toMatchObject({ bytes: 32e6, values: 2e6, tokens: 1e6, depth: 100, aliases: 1000 });
  expect(parseYaml("a: 1", "x")).toEqual({ a: 1 });
});
