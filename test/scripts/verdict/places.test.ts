// oxlint-disable unicorn/no-thenable -- JSON Schema has this keyword.
import { describe, expect, test } from "vitest";
import type { OpenApi } from "../../../scripts/spec/json.js";
import { compareSpecs } from "../../../scripts/verdict/verdict.js";
import { type Json, responses, asks, ref, schemas, text, thing } from "./specs.js";

const listOf = (items: Json): Json => ({ type: "array", items });
const object = { type: "object" };
const under = (keyword: string, schema: Json): Json => ({ [keyword]: schema });

/** Places at which a schema can be: those that count as they are, those that count the other way round, and both ways. */
const places: Record<string, Record<string, (schema: Json) => Json>> = {
  "as it is": {
    property: (schema) => thing({ a: schema }),
    items: listOf,
    prefixItems: (schema) => ({ type: "array", prefixItems: [schema] }),
    additionalProperties: (schema) => ({ ...object, additionalProperties: schema }),
    patternProperties: (schema) => ({ ...object, patternProperties: { "^a": schema } }),
    propertyNames: (schema) => ({ ...object, propertyNames: schema }),
    unevaluatedProperties: (schema) => ({ ...object, unevaluatedProperties: schema }),
    unevaluatedItems: (schema) => ({ type: "array", unevaluatedItems: schema }),
    contains: (schema) => ({ type: "array", contains: schema }),
    contentSchema: (schema) => ({ ...text, contentMediaType: "application/json", contentSchema: schema }),
    dependentSchemas: (schema) => ({ ...object, dependentSchemas: { b: { properties: { a: schema } } } }),
    "what follows": (schema) => ({
      ...object,
      if: { required: ["b"] },
      ...under("then", { properties: { a: schema } }),
    }),
    else: (schema) => ({ ...object, if: { required: ["b"] }, else: { properties: { a: schema } } }),
    allOf: (schema) => ({ allOf: [schema, { description: "D" }] }),
    oneOf: (schema) => ({ oneOf: [{ type: "number" }, schema] }),
    anyOf: (schema) => ({ anyOf: [{ type: "number" }, schema] }),
    "or null": (schema) => ({ anyOf: [schema, { type: "null" }] }),
    "not not": (schema) => ({ not: { not: schema } }),
    "a property called not": (schema) => thing({ not: schema }),
  },
  reversed: {
    not: (schema) => ({ not: schema }),
    "a property in not": (schema) => ({ not: thing({ a: schema }) }),
    "not in then": (schema) => ({ if: thing({}), ...under("then", { not: schema }) }),
  },
  "both ways": { if: (schema) => ({ if: schema, ...under("then", { minLength: 1 }) }) },
};

/** A change that allows fewer values, of what types do not show. */
const tighter: [name: string, loose: Json, tight: Json][] = [
  ["maxLength", { ...text, maxLength: 9 }, { ...text, maxLength: 5 }],
  ["pattern", text, { ...text, pattern: "^a" }],
];

const expected: Record<string, string[]> = {
  "as it is": ["major", "minor", "patch", "major"],
  reversed: ["minor", "major", "major", "patch"],
  "both ways": ["major", "major", "major", "major"],
};

describe.each(Object.entries(places))("a schema that counts %s", (sense, all) => {
  test.each(Object.entries(all))("%s", async (_, place) => {
    for (const [name, loose, tight] of tighter) {
      const to = async (make: typeof asks, from: Json, now: Json): Promise<string> => {
        const at = (schema: Json): OpenApi =>
          make(place(ref("Leaf")), { ...schemas({ Leaf: schema }), openapi: "3.1.0" });
        return (await compareSpecs(at(from), at(now))).verdict;
      };
      const levels = [
        await to(asks, loose, tight),
        await to(asks, tight, loose),
        await to(responses, loose, tight),
        await to(responses, tight, loose),
      ];
      expect([name, ...levels]).toEqual([name, ...(expected[sense] ?? [])]);
    }
  });
});
