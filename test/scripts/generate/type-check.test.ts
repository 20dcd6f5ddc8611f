import { describe, expect, test } from "vitest";
import { checkTypes } from "../../../scripts/generate/type-check.js";
import { typedPaths } from "../../../scripts/generate/typed-paths.js";
import { openapiTypescript } from "../../../scripts/generate/typescript.js";

const ref = (name: string) => ({ $ref: `#/components/schemas/${name}` });
const thing = (a: unknown, required: string[] = []) => ({ type: "object", required, properties: { a } });
const [text, number] = [{ type: "string" }, { type: "number" }];

const check = async (A: unknown, openapi = "3.1.0") => {
  const schemas = { A, Text: thing(text), Told: thing({ ...text, enum: ["x"] }, ["a"]) };
  const spec = { openapi, info: { title: "x", version: "1" }, paths: {}, components: { schemas } };
  checkTypes(new Map([["paths.ts", await typedPaths(spec)]]));
};

describe("a type that no value has is refused with its place:", () => {
  test.each([
    ["a property", { allOf: [ref("Text"), thing(number)] }, "A.a"],
    ["a property that must be there", { allOf: [ref("Text"), thing(number, ["a"])] }, "A.a"],
    ["a whole schema", { allOf: [text, number] }, "A"],
    ["by values that tell objects apart", { allOf: [ref("Told"), thing({ ...text, enum: ["y"] }, ["a"])] }, "A"],
    ["within another", { type: "array", items: thing({ allOf: [text, number] }) }, "A.a"],
    ["one of several", { oneOf: [text, { allOf: [ref("Text"), thing(number)] }] }, "A.a"],
  ])("%s", async (_, schema, where) => {
    await expect(check(schema)).rejects.toThrow(
      `no value can be components.schemas.${where}, since parts of its allOf`,
    );
  });
});

test("code that does not compile is refused with the schema, and how to fix it", () => {
  const paths = 'export interface components {\n  schemas: {\n    "a-b": { c: Gone };\n  };\n}';
  expect(() => checkTypes(new Map([["paths.ts", paths]]))).toThrow(
    /^generated\/paths\.ts:3 does not compile: Cannot find name 'Gone'.*: change it by .* \$\.components\.schemas\['a-b'\]$/,
  );
  const calls = new Map([["paths.ts", "export interface paths { '/a': { get: { requestBody: Gone } } }"]]);
  expect(() => checkTypes(calls)).toThrow(/Cannot find name 'Gone'\.: change it by an overlay action$/);
  const models = new Map([["models/index.ts", "export interface AB {\n  x: Missing;\n}"]]);
  expect(() => checkTypes(models)).toThrow(/models\/index\.ts:2 does not compile: Cannot find name 'Missing'\.$/);
});

test("the parts of a recursive type are checked, too", async () => {
  const list = { type: "array", items: { $ref: "#/components/schemas/A" } };
  await expect(check({ anyOf: [list, { allOf: [text, number] }] })).rejects.toThrow(
    /no value can be components\.schemas\.A, .* with the target \$\.components\.schemas\['A'\]$/,
  );
});

describe("a type that the description asks for is let through:", () => {
  test.each([
    ["parts that agree", { allOf: [ref("Text"), ref("Told"), thing({ ...text, enum: ["x", "y"] })] }],
    ["a closed object", { type: "object", additionalProperties: false }],
    ["nothing but null", { allOf: [ref("Text"), { type: "object", properties: { b: { type: "null" } } }] }],
    ["an empty enum", thing({ ...text, enum: [] })],
    ["a schema that nothing fits", thing(false)],
    ["a schema that is not anything", thing({ not: {} })],
  ])("%s", async (_, schema) => {
    await expect(check(schema)).resolves.toBeUndefined();
  });
});

test("openapi-typescript's own type of a discriminator that is implied and mapped is refused", async () => {
  const mapping = { external: "#/components/schemas/Ext" };
  const Base = { ...thing(text), discriminator: { propertyName: "a", mapping } };
  const Any = { oneOf: [ref("Ext")], discriminator: { propertyName: "a" } };
  const schemas = { Any, Base, Ext: { allOf: [ref("Base")] } };
  const spec = { openapi: "3.1.0", info: { title: "x", version: "1" }, paths: {}, components: { schemas } };
  const ast = await openapiTypescript.default(JSON.stringify(spec), { silent: true });
  const files = new Map([["paths.ts", openapiTypescript.astToString(ast)]]);
  expect(() => checkTypes(files)).toThrow("no value can be components.schemas.Ext");
  expect(() => checkTypes(new Map([["paths.ts", "export interface components {}"]]))).not.toThrow();
});
