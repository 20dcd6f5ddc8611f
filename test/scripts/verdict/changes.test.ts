import { readdirSync } from "node:fs";
import { basename } from "node:path";
import { describe, expect, test } from "vitest";
import type { OpenApi } from "../../../scripts/spec/json.js";
import { readCases } from "../../support/cases.js";
import { type Json, json, lines, ok, schemas, spec } from "./specs.js";

/** A change: the description before and after it. Parts that a case does not name are the same on both sides. */
interface Case {
  /** The schema of the request's body. */
  request?: [Json, Json];
  /** The schema of the only response. */
  response?: [Json, Json];
  /** The schemas of responses by their statuses; null for one without a body. */
  responses?: [Responses, Responses];
  parameters?: [Json[], Json[]];
  /** Other fields of the operation. */
  operation?: [Json, Json];
  schemas?: [Json, Json];
  /** Other fields of the description. */
  description?: [Json, Json];
  /** The lines of the verdict, and those of the way back. */
  there: string[];
  back: string[];
}

type Responses = Record<string, Json | null>;

function described(one: Case, at: 0 | 1): OpenApi {
  const all = one.responses?.[at] ?? (one.response && { "200": one.response[at] });
  const responses = Object.entries(all ?? {}).map(
    ([status, body]) => [status, { ...ok, ...(body && json(body)) }] as const,
  );
  return spec(
    { ...one.description?.[at], ...(one.schemas && schemas(one.schemas[at])) },
    {
      ...one.operation?.[at],
      ...(one.parameters && { parameters: one.parameters[at] }),
      ...(one.request && { requestBody: { required: true, ...json(one.request[at]) } }),
      ...(all && { responses: Object.fromEntries(responses) }),
    },
  );
}

const files = readdirSync(new URL("../../fixtures/verdict/", import.meta.url)).map((file) => basename(file, ".yaml"));

describe.each(files)("a change of %s.yaml, and its way back", (file) => {
  test.each(readCases<Case>(`verdict/${file}`))("%s", async (_, one) => {
    const [before, after] = [described(one, 0), described(one, 1)];
    expect(await lines(before, after)).toEqual(one.there);
    expect(await lines(after, before)).toEqual(one.back);
  });
});
