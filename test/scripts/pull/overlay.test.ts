import { expect, test } from "vitest";
import { stringify } from "yaml";
import { applyOverlay, parseOverlay, readOverlay } from "../../../scripts/pull/overlay.js";
import { type Json, getIn } from "../../../scripts/spec/json.js";
import { parseSpec } from "../../../scripts/spec/parse.js";
import { readCases } from "../../support/cases.js";

const minimal = {
  openapi: "3.0.3",
  info: { title: "Library", version: "1" },
  paths: { "/books": { get: { operationId: "getBook", responses: {} } } },
};

test.each(readCases<{ before: Json; actions: Json[]; after: Json }>("overlays"))(
  "%s",
  async (_, { before, actions, after }) => {
    const spec = parseSpec(stringify({ ...minimal, ...before }), "x");
    const overlay = parseOverlay(stringify({ overlay: "1.0.0", actions }), "overlay");
    expect(await applyOverlay(spec, overlay)).toEqual({ ...minimal, ...after });
  },
);

test.each([[["customers:write"]], [["customers:write", "customers:read"]], [["customers:read", "customers:write"]]])(
  "the scope that openapi/overlay.yaml adds to upstream's %j is there once",
  async (scopes) => {
    const overlay = await readOverlay("openapi/overlay.yaml");
    const actions = overlay.actions.filter(({ target }) => String(target).includes("security"));
    const operation = { security: [{ BearerAuth: [], oauth2: scopes }] };
    const spec = parseSpec(stringify({ ...minimal, paths: { "/api/customer_tokens": { post: operation } } }), "x");
    const { paths } = await applyOverlay(spec, { ...overlay, actions });
    const found = getIn(paths as Json, ["/api/customer_tokens", "post", "security", 0, "oauth2"]);
    expect([...(found as string[])].sort()).toEqual(["customers:read", "customers:write"]);
  },
);
