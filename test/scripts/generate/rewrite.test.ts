import { describe, expect, test } from "vitest";
import { problemsIn } from "../../../scripts/generate/type-check.js";
import { typedPaths } from "../../../scripts/generate/typed-paths.js";

/** What the compiler says to a program that uses the types of these schemas as `Schemas["Name"]`. */
async function compile(schemas: Record<string, unknown>, program: string, more: object = {}): Promise<string[]> {
  const spec = { openapi: "3.1.0", info: { title: "x", version: "1" }, paths: {}, components: { schemas }, ...more };
  const head = 'import type { components, paths } from "./paths.js";\ntype Schemas = components["schemas"];\n';
  const files = new Map([
    ["paths.ts", await typedPaths(spec)],
    ["program.ts", `${head}export type Paths = paths;\n${program}`],
  ]);
  return problemsIn(files).map(({ path, line, message }) => `${path}:${line - 3} ${message}`);
}

const ref = (name: string) => ({ $ref: `#/components/schemas/${name}` });
const text = { type: "string" };

describe("an object of which nothing is known holds anything:", () => {
  test.each([
    ["free form", { type: "object" }],
    ["without properties", { type: "object", properties: {}, description: "free form" }],
    ["nullable in 3.1", { type: ["object", "null"] }],
    ["allOf of nothing", { allOf: [{ type: "object" }] }],
  ])("%s", async (_, metadata) => {
    const schemas = { A: { type: "object", properties: { metadata } }, B: metadata };
    const program = `export const a: Schemas["A"] = { metadata: { order: "7", lines: 2 } };
      export const b: Schemas["B"] = { order: { x: [1] } };`;
    expect(await compile(schemas, program)).toEqual([]);
  });

  test("but not where it is closed", async () => {
    const program = `export const a: Schemas["A"] = { b: 1 };`;
    expect(await compile({ A: { type: "object", additionalProperties: false } }, program)).toHaveLength(1);
  });

  test("and data that looks like one is left alone", async () => {
    const A = {
      type: "object",
      properties: { type: { type: "string", enum: ["object"], example: { type: "object" } } },
    };
    expect(await compile({ A }, `export const a: Schemas["A"] = { type: "object" };`)).toEqual([]);
    expect(await compile({ A }, `export const a: Schemas["A"] = { type: "object", b: 1 };`)).toHaveLength(1);
  });
});

test("a name keeps its percent sign, whether it encodes something or not", async () => {
  const below = { type: "object", properties: { "%": { type: "string", enum: ["%", "%zz"] } } };
  const A = { type: "object", properties: { "win_%": { type: "number" }, "<0>%<": below, "a%41": text } };
  const program = `export const a: Schemas["A"] = { "win_%": 50, "<0>%<": { "%": "%zz" }, "a%41": "" };`;
  expect(await compile({ A }, program)).toEqual([]);
  expect(await compile({ A }, program.replace('"%":', '"%25":'))).toHaveLength(1);
});

describe("`required` of an allOf is kept:", () => {
  const Base = { type: "object", properties: { id: text, note: text } };
  const Below = { allOf: [ref("Base"), { type: "object", properties: { more: text } }] };
  test.each([
    ["in a part that says nothing else", { allOf: [ref("Base"), { type: "object", required: ["id"] }] }],
    ["in a part without a type", { allOf: [ref("Base"), { required: ["id"] }] }],
    ["beside the allOf", { allOf: [ref("Base")], required: ["id"] }],
    ["of a part of a part", { allOf: [ref("Below"), { required: ["id"] }] }],
    ["in another part", { allOf: [ref("Base"), { type: "object", required: ["id"], properties: { b: text } }] }],
  ])("%s", async (_, Saved) => {
    const schemas = { Base, Below, Saved };
    expect(await compile(schemas, `export const a: Schemas["Saved"] = { id: "1" };`)).toEqual([]);
    expect(await compile(schemas, `export const a: Schemas["Saved"] = { note: "1" };`)).toHaveLength(1);
    expect(await compile(schemas, `export const a: Schemas["Saved"] = { id: 1 };`)).toHaveLength(1);
  });
});

describe("a discriminator never makes a type that no value has:", () => {
  const union = { oneOf: [ref("Ext"), ref("Emb")], discriminator: { propertyName: "type" } };
  const mapping = { external: ref("Ext").$ref, embedded: ref("Emb").$ref };
  const Emb = { allOf: [ref("Base"), { type: "object", properties: { t: text } }] };
  const narrowed = `export const a: Schemas["Any"] = { type: "external" };
    export const t = (any: Schemas["Any"]): string | undefined => (any.type === "embedded" ? any.t : undefined);`;

  test("implicit and mapped", async () => {
    const discriminator = { propertyName: "type", mapping };
    const Base = { type: "object", required: ["type"], properties: { type: text }, discriminator };
    expect(await compile({ Any: union, Base, Ext: { allOf: [ref("Base")] }, Emb }, narrowed)).toEqual([]);
  });

  test("beside an enum that says otherwise", async () => {
    const Ext = { type: "object", required: ["type"], properties: { type: { ...text, enum: ["external"] } } };
    const Base = { type: "object", required: ["type"], properties: { type: { ...text, enum: ["embedded"] } } };
    expect(await compile({ Any: union, Base, Ext, Emb }, narrowed)).toEqual([]);
  });

  test("mapped to two names", async () => {
    const discriminator = { propertyName: "type", mapping: { ...mapping, other: ref("Ext").$ref } };
    const Base = { type: "object", properties: { type: text } };
    const schemas = { Any: { ...union, discriminator }, Base, Ext: { allOf: [ref("Base")] }, Emb };
    expect(await compile(schemas, `${narrowed}\nexport const b: Schemas["Ext"] = { type: "other" };`)).toEqual([]);
  });

  test("of a variant that has variants", async () => {
    const Pet = { type: "object", properties: { kind: text }, discriminator: { propertyName: "kind" } };
    const schemas = { Pet, Cat: { allOf: [ref("Pet")] }, Lion: { allOf: [ref("Cat")] } };
    const program = `export const lion: Schemas["Lion"] = { kind: "Lion" };\nexport const cat: Schemas["Cat"] = lion;`;
    expect(await compile(schemas, program)).toEqual([]);
    expect(await compile(schemas, `export const a: Schemas["Lion"] = { kind: "Cat" };`)).toHaveLength(1);
  });

  test("however many ways lead from a variant to another", async () => {
    const names = Array.from({ length: 40 }, (_, index) => `D${index}`);
    const schemas = names.map((name, index) => {
      const allOf = names.slice(0, index).map(ref);
      return [name, { type: "object", discriminator: { propertyName: "k" }, ...(index > 0 && { allOf }) }] as const;
    });
    const program = `export const last: Schemas["D39"]["k"] = "D39";\nexport const a: Schemas["D38"]["k"] = "D39";`;
    expect(await compile(Object.fromEntries(schemas), program)).toEqual([]);
  });

  test("in a property", async () => {
    const Ext = { type: "object", properties: { type: text } };
    const Base = { type: "object", properties: { type: text } };
    const A = { type: "object", properties: { any: { ...union, discriminator: { propertyName: "type", mapping } } } };
    expect(
      await compile({ A, Base, Ext, Emb }, `export const a: Schemas["A"] = { any: { type: "external" } };`),
    ).toEqual([]);
  });
});

describe("an object with properties and a type for others", () => {
  test.each([
    ["additionalProperties", { additionalProperties: { type: "integer" } }],
    ["patternProperties", { patternProperties: { "^x": { type: "integer" } } }],
  ])("can be written: %s", async (_, others) => {
    const A = { type: "object", required: ["id"], properties: { id: text }, ...others };
    expect(await compile({ A }, `export const a: Schemas["A"] = { id: "1", count: 2 };`)).toEqual([]);
    expect(await compile({ A }, `export const a: Schemas["A"] = { id: "1", count: true };`)).toHaveLength(1);
    expect(await compile({ A }, `export const a: Schemas["A"] = { count: 2 };`)).toHaveLength(1);
  });
});

describe("a reference leads anywhere:", () => {
  const amounts = { type: "object", properties: { current: { type: "number" } } };
  test.each([
    ["into definitions", { definitions: { amounts } }, "definitions/amounts"],
    ["into $defs", { $defs: { amounts } }, "$defs/amounts"],
    ["to a property", { properties: { amounts } }, "properties/amounts"],
  ])("%s", async (_, more, to) => {
    const properties = {
      ...("properties" in more ? more.properties : {}),
      balance: { $ref: `#/components/schemas/A/${to}` },
    };
    const A = { type: "object", ...more, properties };
    expect(await compile({ A }, `export const a: Schemas["A"] = { balance: { current: 1 } };`)).toEqual([]);
    expect(await compile({ A }, `export const a: Schemas["A"] = { balance: { current: "1" } };`)).toHaveLength(1);
  });

  test("to a parameter's schema, and to an answer of another path", async () => {
    const of = (operationId: string, responses: object) => ({ get: { operationId, responses } });
    const paths = {
      "/a": of("a", { "200": { description: "ok", content: { "application/json": { schema: amounts } } } }),
      "/b": of("b", { "200": { $ref: "#/paths/~1a/get/responses/200" } }),
    };
    const parameters = { Page: { name: "page", in: "query", schema: { type: "integer" } } };
    const schemas = { A: { type: "object", properties: { page: { $ref: "#/components/parameters/Page/schema" } } } };
    const program = `export const a: Schemas["A"] = { page: 1 };
      export const b: Paths["/b"]["get"]["responses"]["200"]["content"]["application/json"] = { current: 1 };`;
    expect(await compile(schemas, program, { paths, components: { schemas, parameters } })).toEqual([]);
  });

  test("from a property that is called as a kind of component is", async () => {
    const list = { type: "array", items: { $ref: "#/components/schemas/A/properties/count" } };
    const A = { type: "object", properties: { count: { type: "integer" }, paths: list, headers: list } };
    expect(await compile({ A }, `export const a: Schemas["A"] = { paths: [1], headers: [2] };`)).toEqual([]);
    expect(await compile({ A }, `export const a: Schemas["A"] = { paths: ["1"] };`)).toHaveLength(1);
    expect(await compile({ A }, `export const a: Schemas["A"] = { headers: ["2"] };`)).toHaveLength(1);
  });

  test("that leads back to itself", async () => {
    const tree = { type: "object", properties: { next: { $ref: "#/components/schemas/A/definitions/tree" } } };
    const A = { type: "object", definitions: { tree }, properties: { top: tree.properties.next } };
    expect(await compile({ A }, `export const a: Schemas["A"] = { top: { next: { next: {} } } };`)).toEqual([]);
  });
});

test("an answer that holds itself comes to an end", async () => {
  const itself = { $ref: "#/paths/~1a/get/responses/200" };
  const responses = { "200": { description: "ok", headers: { a: itself, b: itself } } };
  const paths = { "/a": { get: { operationId: "a", responses } } };
  expect(await compile({ A: text }, "", { paths })).toEqual([]);
});

test("prose that ends in blanks compiles", async () => {
  const A = { ...text, description: "The amount. \n\n ", title: " x \n" };
  expect(await compile({ A }, `export const a: Schemas["A"] = "1";`)).toEqual([]);
});
