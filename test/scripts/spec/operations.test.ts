import { expect, test } from "vitest";
import type { Json } from "../../../scripts/spec/json.js";
import { operationsOf, parametersOf } from "../../../scripts/spec/operations.js";
import { readCases } from "../../support/cases.js";

test.each(readCases<{ paths: Json; components: Json; returns: Json }>("spec-operations"))(
  "%s",
  (_, { returns, ...parts }) => {
    const spec = { openapi: "3.1.0", ...parts };
    const found = operationsOf(spec).map((operation) => {
      const parameters = parametersOf(spec, operation);
      return [operation.route, parameters.length > 0 ? { ...operation.fields, parameters } : operation.fields] as const;
    });
    expect(Object.fromEntries(found)).toEqual(returns);
    expect(found.map(([route]) => route)).toEqual(Object.keys(returns));
  },
);
