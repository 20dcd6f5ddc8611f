import { expect, test } from "vitest";
import { type Kind, type ObjectType, fieldsOf, kindBelow, misfit, walk } from "../../../scripts/spec/walk.js";
import { readFixture } from "../../support/cases.js";

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

const { kinds, misfits } = readFixture<{
  kinds: [container: Kind, key: string | number, value: unknown, kind: Kind][];
  misfits: [kind: Kind, value: unknown, expected?: string][];
}>("walk");

test.each(kinds)("the kind of a part: %s, %s", (container, key, value, kind) => {
  expect(kindBelow(container, key, value)).toBe(kind);
});

test.each([...misfits, ["integer", 2n ** 64n] as const])(
  "what does not fit %s: %s",
  (kind, value, expected?: string) => {
    expect(misfit(kind, value)).toBe(expected);
  },
);

test("every type of object that the grammar names is in it", () => {
  const types = new Set<string>(["openapi"]);
  for (const type of types)
    for (const kind of fieldsOf(type as ObjectType).values()) types.add(kind.replaceAll(/\[\]|\{\}/g, ""));
  const unknown = [...types].filter((type) => fieldsOf(type as ObjectType).size === 0);
  expect(unknown.sort()).toEqual(
    "boolean data integer jsonType label name number prose ref schemaRef scope text".split(" "),
  );
});
