import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { exampleCall, sample } from "../../../scripts/generate/sample.js";
import type { Json, OpenApi } from "../../../scripts/spec/json.js";
import { operationsOf } from "../../../scripts/spec/operations.js";
import { schemaCheck } from "../../support/described.js";

const specOf = (schemas: Json, more: Json = {}): OpenApi => ({
  openapi: "3.1.0",
  components: {
    schemas,
    securitySchemes: { Bearer: { type: "http" }, Key: { type: "apiKey" }, OAuth: { type: "oauth2" } },
  },
  ...more,
});

describe("a sample", () => {
  const part = (name: string, more: Json = {}) => ({
    type: "object",
    required: [name],
    properties: { [name]: { type: "string" } },
    ...more,
  });
  const self = { $ref: "#/components/schemas/Self" };
  test.each<[string, Json, unknown]>([
    ["an enum's first value", { enum: ["b", "a"] }, "b"],
    ["a constant", { const: 3 }, 3],
    ["text", { type: "string", minLength: 3 }, "xxx"],
    ["long text, cut off", { type: "string", minLength: 1e9 }, "x".repeat(100)],
    ["a format", { type: "string", format: "email", minLength: 1 }, "user@example.com"],
    ["the example of a pattern", { type: "string", pattern: "^[A-Z]{3}$", example: "USD" }, "USD"],
    ["text that may be null", { type: ["null", "string"] }, "x"],
    ["null", { type: "null" }, null],
    ["a boolean", { type: "boolean" }, true],
    ["any number", { type: "number" }, 0],
    ["a lower bound", { type: "integer", minimum: 3 }, 3],
    ["an excluded bound, as of 3.1", { type: "integer", exclusiveMinimum: 3 }, 4],
    ["an excluded bound, up to 3.0", { type: "integer", minimum: 3, exclusiveMinimum: true }, 4],
    ["an upper bound", { type: "number", maximum: -0.5 }, -0.5],
    ["a multiple", { type: "integer", minimum: 10, multipleOf: 7 }, 14],
    ["between two bounds", { type: "number", exclusiveMinimum: 0, exclusiveMaximum: 0.5 }, 0.25],
    ["a list with one item", { type: "array", items: { type: "integer" } }, [0]],
    ["as many items as there must be", { type: "array", minItems: 2, items: { type: "integer" } }, [0, 0]],
    ["what is required, alone", part("a", { properties: { a: { type: "string" }, b: {} } }), { a: "x" }],
    [
      "nothing that is read-only",
      part("a", {
        required: ["a", "b", "c"],
        properties: { b: { type: "string", readOnly: true }, c: { $ref: "#/components/schemas/Seen" } },
      }),
      { a: {} },
    ],
    ["all of several", { allOf: [part("a"), part("b")], required: ["c"] }, { a: "x", b: "x", c: {} }],
    ["one of several, and more", { ...part("a"), oneOf: [part("b"), part("c")] }, { a: "x", b: "x" }],
    ["more beside a reference", { $ref: "#/components/schemas/Short", minLength: 2 }, "xx"],
    ["lists that end what contains itself", self, { next: [] }],
    ["anything", {}, {}],
  ])("has %s", (_, schema, expected) => {
    const spec = specOf({
      Short: { type: "string", minLength: 1 },
      Seen: { type: "string", readOnly: true },
      Self: { type: "object", required: ["next"], properties: { next: { type: "array", items: self } } },
    });
    expect(sample(spec, schema)).toEqual(expected);
  });

  test("takes the alternative that ends what contains itself", () => {
    const spec = specOf({
      Node: part("next", {
        properties: { next: { anyOf: [{ $ref: "#/components/schemas/Node" }, { type: "null" }] } },
      }),
    });
    expect(sample(spec, { $ref: "#/components/schemas/Node" })).toEqual({ next: null });
  });

  test("ends, whatever refers to itself", () => {
    const spec = specOf({
      A: { allOf: [{ $ref: "#/components/schemas/A" }] },
      B: part("b", { properties: { b: { $ref: "#/components/schemas/B" } } }),
    });
    expect(sample(spec, { $ref: "#/components/schemas/A" })).toEqual({});
    expect(JSON.stringify(sample(spec, { $ref: "#/components/schemas/B" })).length).toBeLessThan(2_000);
  });

  test("is valid by its schema, whatever that is", () => {
    const spec = specOf({ Leaf: { type: "integer", minimum: 1 } });
    const check = schemaCheck(spec);
    const { schema } = fc.letrec<{ schema: Json; object: Json }>((tie) => ({
      schema: fc.oneof(
        { maxDepth: 3 },
        fc.constantFrom<Json>(
          { $ref: "#/components/schemas/Leaf" },
          { type: "boolean" },
          { const: "c" },
          { type: ["null", "number"] },
        ),
        fc.record({ type: fc.constant("string"), minLength: fc.nat(50) }, { requiredKeys: ["type"] }),
        fc.record(
          {
            type: fc.constantFrom("integer", "number"),
            minimum: fc.integer(),
            multipleOf: fc.integer({ min: 1, max: 9 }),
          },
          { requiredKeys: ["type"] },
        ),
        fc.record({ type: fc.constantFrom("integer", "number"), exclusiveMaximum: fc.integer() }),
        fc.record({
          enum: fc.uniqueArray(fc.jsonValue(), {
            minLength: 1,
            comparator: "IsStrictlyEqual",
            selector: (value) => JSON.stringify(value),
          }),
        }),
        fc.record(
          { type: fc.constant("array"), items: tie("schema"), minItems: fc.nat(2) },
          { requiredKeys: ["type", "items"] },
        ),
        tie("object"),
        fc.record({ anyOf: fc.array(tie("schema"), { minLength: 1, maxLength: 3 }) }),
        fc.record({ allOf: fc.array(tie("object"), { minLength: 1, maxLength: 1 }), type: fc.constant("object") }),
      ),
      object: fc
        .dictionary(
          fc.string().filter((name) => name !== "__proto__"),
          tie("schema"),
          { maxKeys: 3 },
        )
        .map((properties) => {
          return { type: "object", properties, required: Object.keys(properties).slice(1) };
        }),
    }));
    fc.assert(
      fc.property(schema, (each) => {
        expect(check(each, sample(spec, each))).toBeUndefined();
      }),
      { seed: 1 },
    );
  });
});

describe("an example call", () => {
  const example = (operation: Json, more: Json = {}): string => {
    const spec = specOf({}, { paths: { "/a": { post: operation } }, ...more });
    const [first] = operationsOf(spec);
    if (first === undefined) throw new Error("no operation");
    return exampleCall(spec, first);
  };
  test.each<[string, Json, Json, string | undefined]>([
    ["its own", { security: [{ OAuth: ["a", "b", "a"] }] }, {}, '["a","b"]'],
    ["the description's, without its own", {}, { security: [{ OAuth: ["a"] }] }, '["a"]'],
    ["those of both schemes that it needs", { security: [{ OAuth: ["a"], Key: [] }] }, {}, '["a"]'],
    [
      "those of the first of several choices",
      { security: [{ Bearer: [] }, { OAuth: ["a"] }, { OAuth: ["b"] }] },
      {},
      '["a"]',
    ],
    ["none, without security", {}, {}, undefined],
    ["none, with no security", { security: [] }, { security: [{ OAuth: ["a"] }] }, undefined],
    ["none, with an empty list", { security: [{ OAuth: [] }] }, {}, undefined],
    ["none, with another scheme's roles", { security: [{ Key: ["admin"] }] }, {}, undefined],
  ])("asks for scopes: %s", (_, operation, more, scopes) => {
    const text = example(operation, more);
    if (scopes === undefined) expect(text).not.toContain("scopes");
    else expect(text).toContain(`scopes: ${scopes},`);
  });

  test("gives what is required, and no more", () => {
    const parameters = [
      { name: "q", in: "query", required: true, schema: { type: "string" } },
      { name: "r", in: "query", schema: { type: "string" } },
      { name: "j", in: "query", required: true, content: { "application/json": { schema: { type: "integer" } } } },
    ];
    expect(example({ parameters })).toContain('POST("/a", {"params":{"query":{"q":"x","j":0}}});');
    expect(example({})).toContain('POST("/a");');
  });

  test("sends JSON if it may, and else says what it sends", () => {
    const form = { "application/x-www-form-urlencoded": { schema: { type: "string" } } };
    const json = { "application/json": { schema: { type: "integer" } } };
    expect(example({ requestBody: { content: { ...form, ...json } } })).toContain('POST("/a", {"body":0});');
    const named = 'POST("/a", {"headers":{"Content-Type":"application/x-www-form-urlencoded"},"body":"x"});';
    expect(example({ requestBody: { content: form } })).toContain(named);
  });
});
