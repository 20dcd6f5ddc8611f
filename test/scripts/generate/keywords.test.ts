// oxlint-disable unicorn/no-thenable -- JSON Schema has this keyword.
import { describe, expect, test } from "vitest";
import { problemsIn } from "../../../scripts/generate/type-check.js";
import { typedPaths } from "../../../scripts/generate/typed-paths.js";
import type { Json } from "../../../scripts/spec/json.js";

const ref = (name: string): Json => ({ $ref: `#/components/schemas/${name}` });
const text = { type: "string" };
const int = { type: "integer" };
const thing = (properties: Json, ...required: string[]): Json => ({ type: "object", required, properties });
const needs = (...required: string[]): Json => ({ required });

/**
 * What the compiler says to a program of lines "type: value", each of which has to compile, and "type! value", which has
 * to be refused. A type is the name of a schema, or of one of its properties.
 */
async function misjudged(schemas: Json, program: string, openapi = "3.1.0", more: Json = {}): Promise<string[]> {
  const spec = { openapi, info: { title: "x", version: "1" }, paths: {}, components: { schemas }, ...more };
  const paths = await typedPaths(spec);
  const lines = program
    .trim()
    .split("\n")
    .map((line, index) => {
      const [, place = "", mark, value] = /^\s*([\w.]+)([:!?]) (.*)$/.exec(line) ?? [];
      const type = place.split(".").reduce((whole, step) => `NonNullable<${whole}>["${step}"]`, "Schemas");
      if (mark === "?") return `export const v${index} = (it: ${type}) => { ${value} };`;
      return `${mark === "!" ? "// @ts-expect-error\n" : ""}export const v${index}: ${type} = ${value};`;
    });
  const head = 'import type { components } from "./paths.js";\ntype Schemas = components["schemas"];';
  const problems = problemsIn(
    new Map([
      ["paths.ts", paths],
      ["program.ts", [head, ...lines].join("\n")],
    ]),
  );
  return problems.map(
    ({ path, line, message }) =>
      `${path}: ${path === "program.ts" ? [head, ...lines].join("\n").split("\n")[line - 1] : line}: ${message}`,
  );
}

describe("schemas that are composed of each other in very many ways are refused:", () => {
  const names = Array.from({ length: 60 }, (_, index) => index);
  const next = (index: number) => (index + 1) % names.length;
  test.each<[string, Json]>([
    [
      "in a circle",
      Object.fromEntries(names.map((n) => [`A${n}`, { allOf: [ref(`A${next(n)}`), thing({ [`a${n}`]: text })] }])),
    ],
    [
      "in ever more ways",
      Object.fromEntries(
        names.flatMap((n) =>
          ["A", "B"].map((side) => [`${side}${n}`, { allOf: [ref(`A${next(n)}`), ref(`B${next(n)}`)] }]),
        ),
      ),
    ],
  ])("%s", async (_, schemas) => {
    await expect(misjudged(schemas, "A0: {}")).rejects.toThrow(
      /^the schemas around "\w+" are composed of each other in too/,
    );
  });
});

type Row = [title: string, schemas: Json, program: string, openapi?: string];

const rows: Record<string, Row[]> = {
  "anyOf and oneOf next to other keywords": [
    [
      "properties, required alone",
      { A: { ...thing({ id: int, a: text, b: text }, "id"), anyOf: [needs("a"), needs("b")] } },
      `A: { id: 1, a: "" }
      A: { id: 1, b: "" }
      A! { id: 1 }
      A! { a: "" }
      A! 42
      A! { id: 1, a: 1 }`,
    ],
    [
      "oneOf, 3.0",
      { A: { ...thing({ id: int, a: text, b: text }, "id"), oneOf: [needs("a"), needs("b")] } },
      `A: { id: 1, a: "" }
      A! { id: 1 }`,
      "3.0.3",
    ],
    [
      "references",
      {
        A: { ...thing({ id: int }, "id"), anyOf: [ref("B"), ref("C")] },
        B: thing({ b: text }, "b"),
        C: thing({ c: text }, "c"),
      },
      `A: { id: 1, b: "" }
      A: { id: 1, c: "", b: "" }
      A! { b: "" }
      A! { id: 1 }`,
    ],
    [
      "both unions",
      { A: { anyOf: [needs("a"), needs("b")], oneOf: [thing({ c: text }, "c"), thing({ d: text }, "d")] } },
      `A: { a: 1, c: "" }
      A! { c: "" }
      A! { a: 1 }`,
    ],
    [
      "type alone",
      {
        A: { type: "string", anyOf: [{ format: "ipv4" }, { format: "ipv6" }] },
        B: { type: "string", oneOf: [{ enum: ["x"] }, { const: "y" }] },
      },
      `A: ""
      A! 1
      B: "x"
      B! "z"`,
    ],
    [
      "allOf",
      { A: { allOf: [ref("B")], anyOf: [needs("c"), needs("d")] }, B: thing({ b: text, c: text, d: text }, "b") },
      `A: { b: "", c: "" }
      A! { b: "" }
      A! { c: "" }
      A! { b: "", c: 1 }`,
    ],
    [
      "$ref, 3.1",
      { A: { ...ref("B"), anyOf: [needs("c"), needs("d")] }, B: thing({ b: text, c: text, d: text }, "b") },
      `A: { b: "", c: "" }
      A! { b: "" }`,
    ],
    [
      "in a list of a property",
      {
        A: thing({
          list: {
            type: "array",
            items: { ...thing({ id: int }, "id"), anyOf: [thing({ x: text }, "x"), thing({ y: text }, "y")] },
          },
        }),
      },
      `A: { list: [{ id: 1, x: "" }] }
      A! { list: [{ x: "" }] }
      A! { list: [{ id: 1 }] }`,
    ],
    [
      "nullable",
      { A: { ...thing({ a: text, b: text }), nullable: true, anyOf: [needs("a"), needs("b")] } },
      `A: null
      A: { a: "" }
      A! {}`,
      "3.0.3",
    ],
    [
      "a type list with null",
      {
        A: { ...thing({ a: text, b: text }), type: ["object", "null"], anyOf: [needs("a"), needs("b")] },
        B: { type: ["object", "null"], anyOf: [thing({ x: text }, "x"), thing({ y: text }, "y")] },
      },
      `A: null
      A: { a: "" }
      A! {}
      B: { x: "" }
      B! {}
      B! 1`,
    ],
    [
      "type object alone changes nothing",
      { A: { type: "object", oneOf: [thing({ a: text }, "a"), thing({ b: text }, "b")] } },
      `A: { a: "" }
      A! {}
      A! { a: "", z: 1 }`,
    ],
    [
      "additionalProperties",
      { A: { type: "object", additionalProperties: int, properties: { id: text }, anyOf: [needs("id"), needs("n")] } },
      `A: { id: "", more: 1 }
      A! 1
      A! {}`,
    ],
    [
      "a choice of one, and of anything",
      {
        A: { ...thing({ a: text }, "a"), anyOf: [thing({ b: text }, "b")] },
        B: { ...thing({ a: text }, "a"), anyOf: [{}, thing({ b: text }, "b")] },
      },
      `A: { a: "", b: "" }
      A! { a: "" }
      B: { a: "" }
      B! {}`,
    ],
    [
      "members within members",
      {
        A: {
          ...thing({ a: text }, "a"),
          oneOf: [
            { ...thing({ b: text }, "b"), anyOf: [thing({ c: text }, "c"), thing({ d: text }, "d")] },
            thing({ e: text }, "e"),
          ],
        },
      },
      `A: { a: "", b: "", c: "" }
      A: { a: "", e: "" }
      A! { a: "", b: "" }
      A! { b: "", c: "" }`,
    ],
    [
      "an array with items",
      { A: { type: "array", items: text, anyOf: [{ minItems: 1 }, { maxItems: 3 }] } },
      `A: [""]
      A! [1]`,
    ],
  ],
  "keywords next to $ref": [
    [
      "required",
      { A: { ...ref("B"), ...needs("b") }, B: thing({ b: text, c: text }) },
      `A: { b: "" }
      A! {}
      A.b? it.length`,
    ],
    ["ignored in 3.0", { A: { ...ref("B"), ...needs("b") }, B: thing({ b: text }) }, `A: {}`, "3.0.3"],
    [
      "properties in an array",
      { A: { type: "array", items: { ...ref("B"), properties: { c: int } } }, B: thing({ b: text }) },
      `A: [{ b: "", c: 1 }]
      A! [{ c: "" }]`,
    ],
    [
      "in an allOf",
      { A: { allOf: [{ ...ref("B"), ...needs("b") }, thing({ d: text })] }, B: thing({ b: text }) },
      `A: { b: "" }
      A! { d: "" }`,
    ],
    [
      "a description alone",
      { A: thing({ b: { ...ref("B"), description: "b", default: { b: "" } } }), B: thing({ b: text }) },
      `A: { b: { b: "" } }
      A! { b: 1 }`,
    ],
    [
      "enum",
      { A: { ...ref("B"), enum: ["x"] }, B: { type: "string" } },
      `A: "x"
      A! "y"`,
    ],
    [
      "a union's member",
      {
        A: { oneOf: [ref("C"), ref("D")], discriminator: { propertyName: "k" } },
        P: thing({ k: text }),
        C: { ...ref("P"), properties: { c: text } },
        D: { ...ref("P"), properties: { d: text } },
      },
      `A: { k: "C", c: "" }
      A! { k: "E" }
      P: { k: "any" }`,
    ],
  ],
  "required without the property": [
    [
      "next to others, 3.0",
      { A: thing({ name: text }, "name", "id") },
      `A: { name: "", id: 1 }
      A: { name: "", id: "" }
      A! { name: "" }
      A? const id: unknown = it.id;`,
      "3.0.3",
    ],
    [
      "without properties",
      { A: { type: "object", required: ["id"] } },
      `A: { id: [1] }
      A! {}`,
    ],
    [
      "without a type",
      { A: { required: ["id"] } },
      `A: { id: [1] }
      A! {}`,
    ],
    [
      "of a map",
      { A: { type: "object", additionalProperties: int, required: ["n"] } },
      `A: { n: 1, m: 2 }
      A! { m: 2 }
      A! { n: "" }`,
    ],
    [
      "in a nested object of an array",
      { A: { type: "array", items: thing({ a: thing({ b: text }, "z") }, "y") } },
      `A: [{ y: 1, a: { z: 1 } }]
      A! [{ y: 1, a: {} }]
      A! [{ a: { z: 1 } }]`,
    ],
    [
      "next to an allOf",
      { A: { allOf: [ref("B"), thing({ c: text })], required: ["b", "c", "z"] }, B: thing({ b: text }) },
      `A: { b: "", c: "", z: 1 }
      A! { b: "", c: "" }
      A! { b: "", z: 1 }
      A! { c: "", z: 1 }
      A! { b: 1, c: "", z: 1 }
      A? it.b.length; it.c.length`,
    ],
    [
      "nullable",
      {
        A: { ...thing({ a: text }, "z"), nullable: true },
        B: { ...thing({ a: text }, "z"), type: ["object", "null"] },
      },
      `A: null
      A: { z: 1 }
      A! {}
      B: null
      B! {}`,
    ],
  ],
  "allOf on a nullable base": [
    [
      "3.0, Okta",
      {
        A: { required: ["item", "code"], allOf: [ref("B"), thing({ item: text })] },
        B: { ...thing({ code: text }, "code"), nullable: true },
      },
      `A: { item: "", code: "" }
      A! { item: "" }
      A! null`,
      "3.0.3",
    ],
    [
      "3.1",
      { A: { allOf: [ref("B"), needs("code")] }, B: { ...thing({ code: text }), type: ["object", "null"] } },
      `A: { code: "" }
      A: null
      A! {}`,
    ],
    [
      "inline, twice",
      {
        A: {
          allOf: [
            { ...thing({ a: text }), nullable: true },
            { ...thing({ b: text }), nullable: true, required: ["a", "b"] },
          ],
        },
      },
      `A: { a: "", b: "" }
      A: null
      A! { a: "" }`,
      "3.0.3",
    ],
    [
      "by a union",
      { A: { allOf: [ref("N")], required: ["a"] }, N: { anyOf: [thing({ a: text }), { type: "null" }] } },
      `A: { a: "" }
      A! {}
      A: null`,
    ],
  ],
  tuples: [
    [
      "minItems",
      { A: { type: "array", prefixItems: [text, int], minItems: 1 } },
      `A: [""]
      A: ["", 1, true]
      A! []
      A! [1]`,
    ],
    [
      "closed",
      {
        A: { type: "array", prefixItems: [text, int], items: false },
        B: { type: "array", prefixItems: [text, int], minItems: 2, maxItems: 2 },
      },
      `A: []
      A: ["", 1]
      A! ["", 1, 1]
      B: ["", 1]
      B! [""]
      B! ["", 1, 1]`,
    ],
    [
      "closed in other ways",
      {
        A: { type: "array", prefixItems: [text], unevaluatedItems: false },
        B: { type: "array", prefixItems: [text, int], maxItems: 1 },
        C: { type: "array", prefixItems: [text], minItems: 5, items: int },
      },
      `A: [""]
      A! ["", 1]
      B: [""]
      B! ["", 1]
      C: ["", 1, 2, 3, 4]
      C! []`,
    ],
    [
      "references and unions",
      {
        A: {
          type: "array",
          prefixItems: [{ anyOf: [text, int] }, ref("B")],
          items: { oneOf: [int, { type: "null" }] },
        },
        B: thing({ b: text }, "b"),
      },
      `A: [1, { b: "" }, null, 1]
      A! [1, {}]
      A! [1, { b: "" }, ""]`,
    ],
    [
      "nullable, in a property",
      {
        A: thing({
          t: { type: ["array", "null"], prefixItems: [text] },
          u: { type: "array", nullable: true, prefixItems: [int], minItems: 1 },
        }),
      },
      `A: { t: null, u: null }
      A: { t: [""], u: [1] }
      A! { t: [1] }
      A! { u: [] }`,
    ],
    [
      "within tuples",
      {
        A: {
          type: "array",
          minItems: 1,
          items: false,
          prefixItems: [
            {
              type: "array",
              minItems: 1,
              items: false,
              prefixItems: [thing({ t: { type: "array", prefixItems: [int], minItems: 1 } }, "t")],
            },
          ],
        },
      },
      `A: [[{ t: [1] }]]
      A! [[{ t: [""] }]]
      A! [[]]`,
    ],
    [
      "the old way",
      { A: { type: "array", items: [text, int], minItems: 2, additionalItems: false } },
      `A: ["", 1]
      A! ["", 1, 1]`,
    ],
    [
      "a list of lists",
      {
        A: { type: "array", items: { oneOf: [{ type: "array", items: text }] } },
        B: { type: "array", items: { type: ["array"], items: text } },
        C: { type: "array", items: { type: "array", prefixItems: [text] } },
        D: { type: "array", items: { allOf: [{ type: "array", items: text }] } },
      },
      `A: [["a"]]
      A! ["a"]
      B: [["a"]]
      B! ["a"]
      C: [["a", 1]]
      C! ["a"]
      D: [["a"]]
      D! ["a"]`,
    ],
  ],
  conditions: [
    [
      "if, then, else",
      {
        A: {
          ...thing({ kind: text }, "kind"),
          if: { properties: { kind: { const: "x" } } },
          then: { properties: { x: int }, required: ["x"] },
          else: { properties: { y: text } },
        },
      },
      `A: { kind: "x", x: 1 }
      A: { kind: "other", y: "" }
      A: { kind: "z" }
      A! { kind: "x", x: "" }
      A! { x: 1 }`,
    ],
    [
      "in an allOf, many",
      {
        A: {
          ...thing({ kind: text, n: int }),
          allOf: [
            { if: needs("kind"), then: { properties: { kind: { const: "a" }, a: text } } },
            { if: needs("n"), then: { properties: { n: { minimum: 3 }, a: int } } },
          ],
        },
      },
      `A: { kind: "any", n: 1, a: "" }
      A: { a: 1 }
      A! { a: true }
      A! { kind: 1 }`,
    ],
    [
      "dependentSchemas",
      { A: { ...thing({ card: text }), dependentSchemas: { card: thing({ billing: text }, "billing") } } },
      `A: { card: "", billing: "" }
      A: {}
      A! { billing: 1 }`,
    ],
    [
      "by reference",
      { A: { ...thing({ card: text }), dependentSchemas: { card: ref("B") } }, B: thing({ billing: text, card: int }) },
      `A: { card: "", billing: "" }
      A! { billing: 1 }`,
    ],
    [
      "next to $ref",
      {
        A: { ...ref("B"), if: { properties: { b: { const: "x" } } }, then: { properties: { c: int } } },
        B: thing({ b: text }),
      },
      `A: { b: "y", c: 1 }
      A! { c: "" }`,
    ],
    [
      "required alone, and in if alone",
      { A: { ...thing({ b: text }), if: { properties: { z: { const: 1 } } }, then: needs("y") } },
      `A: { b: "", y: 1, z: 2 }
      A: {}`,
    ],
    [
      "conditions within conditions",
      {
        A: {
          type: "object",
          if: needs("a"),
          then: { if: needs("b"), then: { properties: { c: int } }, else: { properties: { d: int } } },
        },
      },
      `A: { c: 1, d: 2 }
      A! { d: "" }`,
    ],
    [
      "in a member of a union",
      {
        A: {
          ...thing({ k: text }),
          oneOf: [
            { ...thing({ a: text }, "a"), if: needs("a"), then: { properties: { z: int, k: { const: "q" } } } },
            thing({ b: text }, "b"),
          ],
        },
      },
      `A: { k: "w", a: "", z: 1 }
      A! { k: "w", z: 1 }`,
    ],
  ],
  recursion: [
    [
      "a list of itself",
      { A: { type: "array", items: ref("A") } },
      `A: [[], [[]]]
      A! [1]`,
    ],
    [
      "a union and lists, through another",
      { A: { anyOf: [text, ref("B")] }, B: { type: "array", items: ref("A") } },
      `A: ["", [""]]
      A! [1]`,
    ],
    [
      "tuples",
      { A: { oneOf: [{ type: "null" }, { type: "array", prefixItems: [int, ref("A")], minItems: 2, items: false }] } },
      `A: [1, [2, null]]
      A! [1, [2]]`,
    ],
    [
      "a parent whose oneOf names its children",
      {
        P: {
          ...thing({ id: int, kind: text }, "id"),
          oneOf: [ref("C"), ref("D")],
          discriminator: { propertyName: "kind" },
        },
        C: { allOf: [ref("P"), thing({ c: text }, "c")] },
        D: { allOf: [ref("P"), thing({ d: text }, "d")] },
      },
      `P: { id: 1, kind: "C", c: "" }
      C: { id: 1, kind: "C", c: "" }
      C! { kind: "C", c: "" }
      P! { id: 1, kind: "C", d: "" }
      P! { id: 1 }`,
      "3.0.3",
    ],
    [
      "a grandparent, 3.1 and $ref",
      {
        P: { ...thing({ id: int }, "id"), anyOf: [ref("D")] },
        M: { ...ref("P"), properties: { m: text } },
        D: { allOf: [ref("M")], properties: { d: text }, required: ["d"] },
      },
      `D: { id: 1, m: "", d: "" }
      D! { d: "" }
      M: { id: 1, m: "" }
      P! { id: 1 }`,
    ],
    [
      "an allOf in a circle",
      { A: { allOf: [ref("B"), thing({ a: text }, "a")] }, B: { allOf: [ref("A"), thing({ b: text }, "b")] } },
      `A: { a: "", b: "" }
      B: { a: "", b: "" }
      A! { a: "" }`,
    ],
    [
      "a union of itself",
      { A: { oneOf: [ref("A"), text] } },
      `A: ""
      A! 1`,
    ],
    [
      "inline children",
      {
        P: {
          ...thing({ id: int }, "id"),
          oneOf: [{ allOf: [ref("P"), thing({ c: text }, "c")] }, thing({ d: text }, "d")],
        },
      },
      `P: { id: 1, c: "" }
      P: { id: 1, d: "" }
      P! { id: 1 }`,
    ],
    [
      "a map of itself",
      { A: { oneOf: [int, { type: "object", additionalProperties: ref("A") }] } },
      `A: { a: { b: 1 } }
      A! { a: { b: "" } }`,
    ],
  ],
  "a type that is none": [
    [
      "alone and in a list",
      { A: thing({ a: { type: "file" }, b: { type: ["string", "any"] }, c: text }, "a") },
      `A: { a: 1, b: 2, c: "" }
      A! { a: 1, c: 2 }
      A! {}`,
    ],
  ],
  "maps and free form": [
    [
      "an allOf of a map and more",
      { A: { allOf: [{ type: "object", additionalProperties: int }, thing({ a: text }, "a")] } },
      `A: { a: "", b: 1 }
      A! {}`,
    ],
    [
      "a map in an allOf alone",
      { A: { allOf: [{ type: "object", additionalProperties: int }], description: "x" } },
      `A: { b: 1 }
      A! { b: "" }`,
    ],
    [
      "closed in an allOf",
      { A: { allOf: [ref("B")], additionalProperties: false, type: "object" }, B: thing({ b: text }, "b") },
      `A: { b: "" }
      A! {}`,
    ],
    [
      "true and false in lists",
      { A: { allOf: [true, thing({ b: text }, "b")] }, B: { anyOf: [false, text] }, C: thing({ c: false, d: true }) },
      `A: { b: "" }
      A! {}
      B: ""
      B! 1
      C: { d: 1 }
      C! { c: 1 }`,
    ],
  ],
};

describe.each(Object.entries(rows))("%s", (_, all) => {
  test.each(all)("%s", async (_title, schemas, program, openapi) => {
    expect(await misjudged(schemas, program, openapi)).toEqual([]);
  });
});
