import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { enumKeys } from "../../../scripts/generate/constants.js";
import { chooseModels } from "../../../scripts/generate/models.js";
import { environments } from "../../../scripts/generate/assemble.js";
import { readFixture } from "../../support/cases.js";

const { replaced, enums } = readFixture<{ replaced: string[]; enums: [(string | number)[], string[]][] }>("models");

describe("a model is openapi-generator's if its type is exactly openapi-typescript's", () => {
  const spec = { openapi: "3.0.3", components: { schemas: { "a-b": { type: "object", description: "A and B." } } } };
  const paths = 'export interface components { schemas: { "a-b": { x: string; y?: number } } }';
  const choose = (model: string) => chooseModels(spec, model, paths, new Map([["a-b", "AB"]]));

  test("an interface", () => {
    const model = "export interface AB { x: string; y?: number }";
    const text = `/**\n * A and B.\n */\n${model}\n`;
    expect(choose(`/** A. */\n${model}`)).toEqual([{ name: "AB", text, isReplaced: false }]);
  });

  test.each(replaced)("and has openapi-typescript's type otherwise: %s", (model) => {
    const text = "/**\n * A and B.\n */\nexport type AB = { x: string; y?: number };\n\n";
    expect(choose(model)).toEqual([{ name: "AB", text, isReplaced: true }]);
  });

  test("a schema without a model is refused", () => {
    expect(() => choose("export interface AC { x: string }")).toThrow('made no model for the schema "a-b"');
  });
});

describe("enum keys", () => {
  test.each(enums)("of %j are %j", (values, keys) => {
    expect(enumKeys(values)).toEqual(keys);
  });

  test("are identifiers, each once, for any values", () => {
    fc.assert(
      fc.property(fc.uniqueArray(fc.oneof(fc.string(), fc.string({ unit: "grapheme" }), fc.integer())), (values) => {
        const keys = enumKeys(values);
        expect(new Set(keys).size).toBe(values.length);
        for (const key of keys) expect(key).toMatch(/^[A-Za-z_]\w*$/);
      }),
    );
  });
});

test("the URL of an environment ends without a slash", () => {
  const servers = [{ url: "https://idp.example/v1/", "x-environment": "sandbox" }];
  expect(environments({ servers } as never)).toContain('{"sandbox":"https://idp.example/v1"}');
});
