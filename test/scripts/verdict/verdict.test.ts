import fc from "fast-check";
import { describe, expect, test, vi } from "vitest";
import { UserError } from "../../../scripts/cli.js";
import { readSpec } from "../../../scripts/spec/read.js";
import type { OpenApi } from "../../../scripts/spec/json.js";
import { verdictMarkdown, verdictText } from "../../../scripts/verdict/report.js";
import { compareSpecs } from "../../../scripts/verdict/verdict.js";
import { lines, type Json } from "./specs.js";

describe("the customer-tokens description", async () => {
  const present = await readSpec("test/fixtures/customer-tokens.yaml");
  const edited = (edit: (spec: OpenApi) => void): OpenApi => {
    const copy = structuredClone(present);
    edit(copy);
    return copy;
  };
  const at = (node: unknown, ...path: string[]): Json => path.reduce((json, key) => json[key] as Json, node as Json);
  const operationOf = (spec: OpenApi): Json => at(spec, "paths", "/api/customer_tokens", "post");
  const schema = (spec: OpenApi, name: string): Json => at(spec, "components", "schemas", name);
  const scopes = (spec: OpenApi): string[] =>
    at(schema(spec, "PostCustomerToken"), "properties", "scopes", "items")["enum"] as unknown as string[];

  test("lost a scope and gained two", async () => {
    const other = edited((spec) => {
      scopes(spec).splice(scopes(spec).indexOf("prices:read"), 1, "rewards:read", "rewards:execute");
    });
    expect(await lines(present, other)).toEqual([
      "major | createCustomerToken request scopes[] | value `prices:read` of `scopes[]` removed from the request",
      "minor | createCustomerToken request scopes[] | value `rewards:execute` of `scopes[]` added to the request",
      "minor | createCustomerToken request scopes[] | value `rewards:read` of `scopes[]` added to the request",
    ]);
  });
  test("once described no errors", async () => {
    const early = edited((spec) => {
      for (const status of ["401", "403", "422"]) delete at(operationOf(spec), "responses")[status];
    });
    expect(await lines(early, present)).toEqual([
      "minor | createCustomerToken 401, 403 and 422 responses | added: the 401, 403 and 422 responses",
    ]);
    expect(await lines(present, early)).toEqual([
      "major | createCustomerToken 401, 403 and 422 responses | removed: the 401, 403 and 422 responses, so code that names it no longer compiles",
    ]);
  });
  test("described a 500 for two days, whose body equals the others'", async () => {
    const responses = (spec: OpenApi): Json => at(operationOf(spec), "responses");
    const other = edited((spec) => {
      const { description, content } = at(responses(spec), "401");
      responses(spec)["500"] = { description, content };
    });
    expect(await lines(present, other)).toEqual(["minor | createCustomerToken 500 response | added: the 500 response"]);
    expect(await lines(other, present)).toEqual([
      "major | createCustomerToken 500 response | removed: the 500 response, so code that names it no longer compiles",
    ]);
  });
  test("tells of a change in a shared schema once", async () => {
    const other = edited((spec) => {
      at(schema(spec, "ErrorResponse"), "properties")["hint"] = { type: "string" };
      schema(spec, "ErrorResponse")["required"] = ["status", "error_message"];
    });
    expect(await lines(present, other)).toEqual([
      "major | createCustomerToken 401, 403 and 422 responses message_code | property `message_code` became optional in the 401, 403 and 422 responses",
      "minor | createCustomerToken 401, 403 and 422 responses hint | property `hint` added to the 401, 403 and 422 responses, optional",
    ]);
  });
  test("lost a message code", async () => {
    const other = edited((spec) => {
      (schema(spec, "MessageCode")["enum"] as string[]).pop();
    });
    expect(await lines(present, other)).toEqual([
      "major | MessageCode | value `no_customer` removed from the exported type",
    ]);
  });
  test("knew no production server", async () => {
    const early = edited((spec) => {
      spec["servers"] = (spec["servers"] as Json[]).slice(0, 1);
    });
    expect(await lines(early, present)).toEqual([
      "minor | servers | environment `production` added: `https://id.production.cybrid.app` | review",
    ]);
    expect(await lines(present, early)).toEqual([
      "major | servers | environment `production` removed: `https://id.production.cybrid.app` | review",
    ]);
  });
  test("came with the version alone, and with new examples", async () => {
    const version = edited((spec) => {
      at(spec, "info")["version"] = "v999";
    });
    expect(await compareSpecs(present, version, { from: "v1", to: "v2" })).toEqual({
      verdict: "none",
      from: "v1",
      to: "v2",
      changes: [],
    });
    const examples = edited((spec) => {
      at(operationOf(spec), "responses", "422", "content", "application/json")["examples"] = {};
    });
    expect(await lines(present, examples)).toEqual(["patch | createCustomerToken 422 response | `examples` changed"]);
  });

  test("is never the same after a random edit, and the same as itself", async () => {
    // openapi-typescript prints what it fails at.
    vi.spyOn(console, "error").mockImplementation(() => {});
    // Without `openapi`, no command takes a description.
    const places = placesIn(present).filter((path) => !["openapi", "info.version"].includes(path.join(".")));
    await fc.assert(
      fc.asyncProperty(
        fc.constantFrom(...places),
        fc.constantFrom("remove", "replace", "add", "reverse"),
        async (path, edit) => {
          const other = edited((spec) => {
            mutate(at(spec, ...path.slice(0, -1)), path.at(-1) ?? "", edit);
          });
          const differs = JSON.stringify(other) !== JSON.stringify(present);
          for (const [from, to] of [
            [present, other],
            [other, present],
          ] as const)
            try {
              expect((await compareSpecs(from, to)).verdict === "none").toBe(!differs);
            } catch (error) {
              // An edit may leave a $ref without its end; that is not "none" either.
              if (!(error instanceof UserError)) throw error;
            }
        },
      ),
      { numRuns: 40 },
    );
  });

  test("reads as a pull request", async () => {
    const other = edited((spec) => {
      scopes(spec).shift();
      at(operationOf(spec))["summary"] = "Create";
      operationOf(spec)["security"] = [];
    });
    const verdict = await compareSpecs(present, other, { from: "v1", to: "v2`\n# <b>" });
    expect(verdictText(verdict)).toMatchInlineSnapshot(`
      "major: v1 → v2'�# <b>
        major  createCustomerToken request scopes[]  value \`counterparties:read\` of \`scopes[]\` removed from the request
        major  createCustomerToken                   security requirement changed from \`BearerAuth and oauth2 customers:read customers:write\` to \`nothing\` (review)
        patch  createCustomerToken                   \`summary\` changed"
    `);
    expect(verdictMarkdown(verdict, ["upstream's examples show `x`"])).toMatchInlineSnapshot(`
      "# Specification v1 → v2b: major

      ## Major: may break callers

      - \`createCustomerToken request scopes[]\`: value \`counterparties:read\` of \`scopes[]\` removed from the request
      - \`createCustomerToken\`: security requirement changed from \`BearerAuth and oauth2 customers:read customers:write\` to \`nothing\`. **Review this.**

      ## Patch: no effect on callers

      - \`createCustomerToken\`: \`summary\` changed

      ## Notes

      - \`upstream's examples show 'x'\`

      ## How to review

      1. Is each change above meant? A removal can be a slip of the provider's: ask before merging a major one.
      2. \`openapi/customer-tokens.yaml\` shows what the provider changed, \`generated/\` what that means to callers. Nothing
         else should differ but \`openapi/source.json\`.
      3. "Review this" marks changes that no type can judge: servers, security, defaults, keywords without a rule.
      4. Does \`openapi/overlay.yaml\` still say what the provider does not, message codes above all?
      5. Merge when the checks are green. \`npm run release\` then writes the version and the changelog.
      "
    `);
  });
});

/** Every path to a value in a JSON document. */
function placesIn(node: unknown, path: string[] = []): string[][] {
  if (typeof node !== "object" || node === null) return [path];
  const below = Object.entries(node).flatMap(([key, value]) => placesIn(value, [...path, key]));
  return path.length === 0 ? below : [path, ...below];
}

function mutate(parent: Json | unknown[], key: string, edit: "remove" | "replace" | "add" | "reverse"): void {
  const object = parent as Json;
  const value = object[key];
  if (edit === "remove" && Array.isArray(parent)) parent.splice(Number(key), 1);
  else if (edit === "remove") delete object[key];
  else if (edit === "replace") object[key] = typeof value === "string" ? `${value}x` : 12_345;
  else if (edit === "reverse" && Array.isArray(value)) value.reverse();
  else if (typeof value === "object" && value !== null && !Array.isArray(value)) (value as Json)["x-new"] = 1;
}
