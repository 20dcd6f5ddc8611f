import { describe, expect, test } from "vitest";
import { UserError } from "../../../scripts/cli.js";
import { compareTypes, typesOf } from "../../../scripts/verdict/types.js";
import { compareSpecs } from "../../../scripts/verdict/verdict.js";
import { asks, thing, text, schemas, ref } from "./specs.js";

describe("types that do not compile never read as none", () => {
  const types = (thingType: string): string =>
    `export interface paths {} export interface components { schemas: { Thing: ${thingType} } }`;
  test.each([
    [
      "a module that does not resolve",
      `import("./gone.js").Thing`,
      /Cannot find module '\.\/gone\.js'.*line 1.*new spec/,
    ],
    ["a name that is not there", "Gone", /Cannot find name 'Gone'/],
    ["a syntax error", "{", /expected/],
    ["any, which fits everything", "any", /one of them is any/],
  ])("%s", (_, type, sentence) => {
    const compare = (): unknown => compareTypes(types("string"), types(type), [], ["Thing"], []);
    expect(compare).toThrow(UserError);
    expect(compare).toThrow(sentence);
  });
  test("the same types without the plant, and other ones", () => {
    expect(compareTypes(types("string"), types("string"), [], ["Thing"], [])).toEqual([]);
    const [change] = compareTypes(types("string"), types("number"), [], ["Thing"], []);
    expect(change).toMatchObject({ level: "major", message: expect.stringMatching("`string` to `number`") });
  });
  test("a description that openapi-typescript does not take", async () => {
    const spec = { openapi: "3.0.3", components: { schemas: { A: { type: "object", properties: { a: "text" } } } } };
    await expect(typesOf(spec, "A")).rejects.toThrow(/^no types can be generated from A: .*invalid property a/);
  });
  test("a schema that is only itself", async () => {
    const from = asks(ref("A"), schemas({ A: thing({ a: text }) }));
    const to = asks(ref("A"), schemas({ A: ref("A") }));
    await expect(compareSpecs(from, to)).rejects.toThrow(UserError);
  });
});
