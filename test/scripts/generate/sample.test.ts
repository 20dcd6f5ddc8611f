import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { exampleCall, sample } from "../../../scripts/generate/sample.js";
import type { Json, OpenApi } from "../../../scripts/spec/json.js";
import { operationsOf } from "../../../scripts/spec/operations.js";
import { casesOf, readFixture } from "../../support/cases.js";
import { schemaCheck } from "../../support/described.js";

interface Call {
  operation?: Json;
  spec?: Json;
  has?: string;
  "has not"?: string;
}

const { schemas, samples, calls } = readFixture<{
  schemas: Json;
  samples: Record<string, { schema: Json; is: unknown }>;
  calls: Record<string, Call>;
}>("samples");

const securitySchemes = { Bearer: { type: "http" }, Key: { type: "apiKey" }, OAuth: { type: "oauth2" } };
const spec: OpenApi = { openapi: "3.1.0", components: { schemas, securitySchemes } };

describe("a sample", () => {
  test.each(casesOf(samples))("has %s", (_, { schema, is }) => {
    expect(sample(spec, schema)).toEqual(is);
  });

  test("ends, however long it would be", () => {
    expect(sample(spec, { type: "string", minLength: 1e9 })).toBe("x".repeat(100));
    expect(JSON.stringify(sample(spec, { $ref: "#/components/schemas/Endless" })).length).toBeLessThan(2_000);
  });

  test("is valid by its schema, whatever that is", () => {
    const check = schemaCheck(spec);
    const only = <T extends string>(...values: T[]) => fc.constantFrom(...values);
    const few = <T>(value: fc.Arbitrary<T>, minLength: number, maxLength: number) =>
      fc.array(value, { minLength, maxLength });
    const typed = (type: fc.Arbitrary<string>, limits: Record<string, fc.Arbitrary<unknown>>) =>
      fc.record({ type, ...limits }, { requiredKeys: ["type"] });
    const { schema: schemas } = fc.letrec<{ schema: Json; object: Json }>((tie) => ({
      schema: fc.oneof(
        { maxDepth: 3 },
        fc.constantFrom<Json>(
          { $ref: "#/components/schemas/Short" },
          { type: "boolean" },
          { const: "c" },
          { type: ["null", "number"] },
        ),
        typed(only("string"), { minLength: fc.nat(50) }),
        typed(only("integer", "number"), { minimum: fc.integer(), multipleOf: fc.integer({ min: 1, max: 9 }) }),
        typed(only("integer", "number"), { exclusiveMaximum: fc.integer() }),
        fc.record({
          enum: fc.uniqueArray(fc.jsonValue(), { minLength: 1, selector: (value) => JSON.stringify(value) }),
        }),
        fc.record({ type: only("array"), items: tie("schema"), minItems: fc.nat(2) }),
        tie("object"),
        fc.record({ anyOf: few(tie("schema"), 1, 3) }),
        fc.record({ allOf: few(tie("object"), 1, 1), type: only("object") }),
      ),
      object: fc
        .dictionary(
          fc.string().filter((name) => name !== "__proto__"),
          tie("schema"),
          { maxKeys: 3 },
        )
        .map((properties) => ({ type: "object", properties, required: Object.keys(properties).slice(1) })),
    }));
    const isValid = fc.property(schemas, (each) => check(each, sample(spec, each)) === undefined);
    fc.assert(isValid, { seed: 1 });
  });
});

test.each(casesOf(calls))("an example call has %s", (_, { operation = {}, spec: more, ...expected }) => {
  const whole = { ...spec, ...more, paths: { "/a": { post: operation } } };
  const [text] = operationsOf(whole).map((each) => exampleCall(whole, each));
  if (expected.has !== undefined) expect(text).toContain(expected.has);
  if (expected["has not"] !== undefined) expect(text).not.toContain(expected["has not"]);
});
