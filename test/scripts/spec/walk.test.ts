import { describe, expect, test } from "vitest";
import { type Kind, type ObjectType, fieldsOf, kindBelow, misfit, walk } from "../../../scripts/spec/walk.js";

/** The kind of each value of a schema, by its pointer. */
function kindsIn(schema: Record<string, unknown>): Record<string, Kind> {
  const found: Record<string, Kind> = {};
  walk(schema, ({ path, kind }) => void (found[path.join("/")] = kind), "schema");
  return found;
}

const schemaKeywords = [...fieldsOf("schema").keys(), "$ref", "x-a", "operationId", "get"];

test.each(schemaKeywords)("a property called %s is a schema, and its name makes no difference", (name) => {
  const inner = { type: "object", properties: { [name]: { type: "string", example: { properties: {} } } } };
  const kinds = kindsIn({ allOf: [inner], dependentSchemas: { [name]: inner } });
  for (const place of ["allOf/0", `dependentSchemas/${name}`]) {
    expect(kinds[`${place}/properties`]).toBe("schema{}");
    expect(kinds[`${place}/properties/${name}`]).toBe("schema");
    expect(kinds[`${place}/properties/${name}/type`]).toBe("jsonType");
    expect(kinds[`${place}/properties/${name}/example/properties`]).toBe("data");
  }
});

describe("kindBelow", () => {
  const rows: [container: Kind, key: string | number, value: unknown, kind: Kind][] = [
    ["schema", "items", {}, "schema"],
    ["schema", "items", [{}], "schema[]"],
    ["schema", "type", ["string"], "jsonType[]"],
    ["schema", "exclusiveMinimum", true, "boolean"],
    ["schema", "exclusiveMinimum", 1, "number"],
    ["schema", "enum", [{ $ref: "#/a" }], "data[]"],
    ["schema", "$ref", "#/a", "ref"],
    ["schema", "foo", {}, "unknown"],
    ["schema", "x-foo", {}, "extension"],
    ["schema{}", "x-foo", {}, "schema"],
    ["schema{}", "$ref", {}, "schema"],
    ["response{}", "x-foo", {}, "response"],
    ["responses", "x-foo", {}, "extension"],
    ["responses", "200", {}, "response"],
    ["components", "examples", {}, "example{}"],
    ["mediaType", "examples", [1], "data"],
    ["operation", "security", [{ a: ["b"] }], "scope[]{}[]"],
    ["scope[]{}", "x-key", [], "scope[]"],
    ["scope[]", 0, "b", "scope"],
    ["discriminator", "mapping", {}, "schemaRef{}"],
    ["operation{}", "COPY", {}, "operation"],
    ["data", "$ref", "#/a", "data"],
    ["unknown", "properties", {}, "data"],
  ];
  test.each(rows)("%s, %s", (container, key, value, kind) => {
    expect(kindBelow(container, key, value)).toBe(kind);
  });
});

test.each<[Kind, unknown, string | undefined]>([
  ["schema", true, undefined],
  ["schema", "a", "a schema"],
  ["schema[]", {}, "a list"],
  ["schema{}", [], "an object"],
  ["integer", 32, undefined],
  ["integer", "32", "a whole number of 0 or more"],
  ["integer", 1.5, "a whole number of 0 or more"],
  ["integer", 2n ** 64n, undefined],
  ["number", -1.5, undefined],
  ["number", null, "a number"],
  ["boolean", "true", "true or false"],
  ["text", 1, "a string"],
  ["data", null, undefined],
])("what does not fit %s: %s", (kind, value, expected) => {
  expect(misfit(kind, value)).toBe(expected);
});

test("every type of object that the grammar speaks of is in it", () => {
  const types = new Set<string>(["openapi"]);
  for (const type of types)
    for (const kind of fieldsOf(type as ObjectType).values()) types.add(kind.replaceAll(/\[\]|\{\}/g, ""));
  const unknown = [...types].filter((type) => fieldsOf(type as ObjectType).size === 0);
  expect(unknown.sort()).toEqual(
    "boolean data integer jsonType label name number prose ref schemaRef scope text".split(" "),
  );
});
