import { expect, test } from "vitest";
import type { OpenApi } from "../../../scripts/spec/json.js";
import { operationsOf, parametersOf } from "../../../scripts/spec/operations.js";

test("a path with a reference has the operations of its target, and those next to the reference", () => {
  const [shared, own] = [{ operationId: "shared" }, { operationId: "own" }];
  const spec: OpenApi = {
    openapi: "3.1.0",
    paths: { "/a": { $ref: "#/components/pathItems/A", post: own }, "/b": { summary: "none" } },
    components: { pathItems: { A: { get: shared, post: shared } } },
  };
  expect(operationsOf(spec).map(({ route, fields }) => [route, fields])).toEqual([
    ["GET /a", shared],
    ["POST /a", own],
  ]);
});

test("an operation has its path's parameters, and its own instead of those with the same name and place", () => {
  const parameter = (name: string, place: string, required: boolean) => ({ name, in: place, required });
  const spec: OpenApi = {
    openapi: "3.1.0",
    paths: {
      "/a": {
        parameters: [{ $ref: "#/components/parameters/Id" }, parameter("id", "query", false)],
        get: { parameters: [parameter("id", "query", true), parameter("page", "query", false)] },
      },
    },
    components: { parameters: { Id: parameter("id", "header", true) } },
  };
  expect(operationsOf(spec).flatMap((operation) => parametersOf(spec, operation))).toEqual([
    parameter("id", "header", true),
    parameter("id", "query", true),
    parameter("page", "query", false),
  ]);
});
