import { expect, test } from "vitest";
import { stringify } from "yaml";
import { applyOverlay, parseOverlay, readOverlay } from "../../../scripts/pull/overlay.js";
import { type Json, getIn } from "../../../scripts/spec/json.js";
import { parseSpec } from "../../../scripts/spec/parse.js";

const minimal = {
  openapi: "3.0.3",
  info: { title: "Library", version: "1" },
  paths: { "/books": { get: { operationId: "getBook", responses: {} } } },
};

test("an overlay lists each member of a set once", async () => {
  const spec = parseSpec(
    stringify({
      ...minimal,
      tags: [{ name: "A", description: "old" }, { name: "B" }],
      security: [{ OAuth: ["a", "b"] }],
      components: { schemas: { X: { required: ["a"], enum: [1], example: { enum: [1, 1] } } } },
    }),
    "x",
  );
  const actions = [
    { target: "$", update: { tags: [{ name: "A", description: "new" }] } },
    { target: "$.security[?(@.OAuth)].OAuth", update: ["b", "c"] },
    { target: "$.components.schemas", update: { X: { required: ["a", "b"], enum: [2, 1] } } },
  ];
  const overlaid = await applyOverlay(spec, parseOverlay(stringify({ overlay: "1.0.0", actions }), "overlay"));
  expect(overlaid["tags"]).toEqual([{ name: "A", description: "new" }, { name: "B" }]);
  expect(overlaid["security"]).toEqual([{ OAuth: ["a", "b", "c"] }]);
  expect(getIn(overlaid, ["components", "schemas", "X"])).toEqual({
    required: ["a", "b"],
    enum: [1, 2],
    example: { enum: [1, 1] },
  });
});

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
