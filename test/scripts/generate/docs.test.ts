import { expect, test } from "vitest";
import { docsOf, linksToModels } from "../../../scripts/generate/docs.js";
import type { Json, OpenApi } from "../../../scripts/spec/json.js";
import { operationsOf } from "../../../scripts/spec/operations.js";
import { readFixture } from "../../support/cases.js";

const { spec, models, pages } = readFixture<{
  spec: OpenApi;
  models: Record<string, string>;
  pages: Record<string, { operation: Json; page: Json }>;
}>("pages");
const names = new Map(Object.entries(models));

test.each(Object.entries(pages))("an operation's page shows %s", (_, { operation, page }) => {
  const whole = { ...spec, paths: { "/things": { get: { operationId: "listThings", ...operation } } } };
  const [shown] = operationsOf(whole).map(docsOf(whole, names));
  expect(shown).toMatchObject(page);
});

test("a model's page links to the models that its code names", () => {
  const code = "interface Thing { a: Cat; b: Thing; Category: Dogs }";
  expect(linksToModels(code, "Thing", names)).toBe("Models: [`Cat`](Cat.md)");
  expect(linksToModels(code, "Cat", new Map([["C", "Cat"]]))).toBe("");
});
