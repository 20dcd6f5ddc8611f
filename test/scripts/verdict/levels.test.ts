import { describe, expect, test } from "vitest";
import type { OpenApi } from "../../../scripts/spec/json.js";
import { compareSpecs } from "../../../scripts/verdict/verdict.js";
import { readCases } from "../../support/cases.js";
import { type Json, responses, asks, schemas } from "./specs.js";

interface Case {
  schema: [Json, Json];
  schemas?: [Json, Json];
  request: string;
  response: string;
}

const judged = async (before: OpenApi, after: OpenApi): Promise<string> => {
  const { verdict, changes } = await compareSpecs(before, after);
  return changes.some(({ review }) => review) ? `${verdict}, review` : verdict;
};

describe("the level of a change of a schema, in a request and in a response", () => {
  test.each(readCases<Case>("verdict-levels"))("%s", async (_, { schema, schemas: models, request, response }) => {
    const level = async (make: typeof asks): Promise<string> => {
      const at = (index: 0 | 1) => make(schema[index], { openapi: "3.1.0", ...schemas(models?.[index] ?? {}) });
      return judged(at(0), at(1));
    };
    expect({ request: await level(asks), response: await level(responses) }).toEqual({ request, response });
  });
});
