import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { UserError } from "../../../scripts/cli.js";
import { checkSpec } from "../../../scripts/spec/check.js";
import { parseSpec, place } from "../../../scripts/spec/parse.js";

test("any text is read as values of JSON, or refused", () => {
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
    const text =
      "openapi: 3.1.0\nx: [9223372036854775807, 9007199254740993, 9007199254740992, 0x10, -0, -0.0, 1e400000]";
    const { x } = parseSpec(text.replace("1e400000", "12"), "x");
    expect(x).toEqual([9223372036854775807n, 9007199254740993n, 9007199254740992, 16, 0, 0, 12]);
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
