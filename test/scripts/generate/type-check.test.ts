import { expect, test } from "vitest";
import { checkTypes } from "../../../scripts/generate/type-check.js";
import { typedPaths } from "../../../scripts/generate/typed-paths.js";
import { openapiTypescript } from "../../../scripts/generate/typescript.js";
import type { Json } from "../../../scripts/spec/json.js";
import { readFixture } from "../../support/cases.js";

const ref = (name: string) => ({ $ref: `#/components/schemas/${name}` });

const thing = (a: unknown, required: string[] = []) => ({ type: "object", required, properties: { a } });
const text = { type: "string" };
const { refused, allowed } = readFixture<{
  refused: Record<string, { schema: Json; at: string }>;
  allowed: Record<string, Json>;
}>("type-check");

const check = async (A: unknown, openapi = "3.1.0") => {
  const schemas = { A, Text: thing(text), Pinned: thing({ ...text, enum: ["x"] }, ["a"]) };
  const spec = { openapi, info: { title: "x", version: "1" }, paths: {}, components: { schemas } };
  checkTypes(new Map([["paths.ts", await typedPaths(spec)]]));
};

test.each(Object.entries(refused))(
  "a type that no value has is refused with its place: %s",
  async (_, { schema, at }) => {
    const says = `no value can be components.schemas.${at}, since parts of its allOf`;
    await expect(check(schema)).rejects.toThrow(says);
    await expect(check(schema)).rejects.toThrow(/ with the target \$\.components\.schemas\['A'\]$/);
  },
);

test("code that does not compile is refused with the schema, and how to fix it", () => {
  const paths = 'export interface components {\n  schemas: {\n    "a-b": { c: Gone };\n  };\n}';
  expect(() => checkTypes(new Map([["paths.ts", paths]]))).toThrow(
    /^generated\/paths\.ts:3 does not compile: Cannot find name 'Gone'.*: change it with .* \$\.components\.schemas\['a-b'\]$/,
  );
  const calls = new Map([["paths.ts", "export interface paths { '/a': { get: { requestBody: Gone } } }"]]);
  expect(() => checkTypes(calls)).toThrow(/Cannot find name 'Gone'\.: change it with an overlay action$/);
  const models = new Map([["models/index.ts", "export interface AB {\n  x: Missing;\n}"]]);
  expect(() => checkTypes(models)).toThrow(/models\/index\.ts:2 does not compile: Cannot find name 'Missing'\.$/);
});

test.each(Object.entries(allowed))("a type that the description asks for is let through: %s", async (_, schema) => {
  await expect(check(schema)).resolves.toBeUndefined();
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
