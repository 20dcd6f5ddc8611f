import fc from "fast-check";
import { describe, expect, test, vi } from "vitest";
import { UserError } from "../../../scripts/cli.js";
import { applyOverlay } from "../../../scripts/pull/overlay.js";
import { getIn } from "../../../scripts/spec/json.js";
import { readSpec } from "../../../scripts/spec/read.js";
import { verdictMarkdown, verdictText } from "../../../scripts/verdict/report.js";
import { compareSpecs } from "../../../scripts/verdict/verdict.js";
import { readCases } from "../../support/cases.js";
import { lines, type Json } from "./specs.js";

describe("the customer-tokens description", async () => {
  const present = await readSpec("test/fixtures/customer-tokens.yaml");
  const edited = (actions: Json[]) => applyOverlay(present, { name: "the edits", version: "1.0.0", actions });

  interface Case {
    actions: Json[];
    there: string[];
    back: string[];
  }
  test.each(readCases<Case>("verdict-edits"))("with %s, and back", async (_, { actions, there, back }) => {
    const other = await edited(actions);
    expect(await lines(present, other)).toEqual(there);
    expect(await lines(other, present)).toEqual(back);
  });

  test("is never the same after a random edit, and the same as itself", async () => {
    // openapi-typescript prints the error that it throws.
    vi.spyOn(console, "error").mockImplementation(() => {});
    // Without `openapi`, no command takes a description.
    const places = placesIn(present).filter((path) => !["openapi", "info.version"].includes(path.join(".")));
    await fc.assert(
      fc.asyncProperty(
        fc.constantFrom(...places),
        fc.constantFrom("remove", "replace", "add", "reverse"),
        async (path, edit) => {
          const other = structuredClone(present);
          mutate(getIn(other, path.slice(0, -1)) as Json, path.at(-1) ?? "", edit);
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
    const operation = "$.paths['/api/customer_tokens'].post";
    const other = await edited([
      { target: "$.components.schemas.PostCustomerToken..enum[0]", remove: true },
      { target: `${operation}.security`, remove: true },
      { target: operation, update: { summary: "Create", security: [] } },
    ]);
    const verdict = await compareSpecs(present, other, { from: "v1", to: "v2`\n# <b>" });
    await expect(verdictText(verdict)).toMatchFileSnapshot("../../fixtures/verdict-report.txt");
    const markdown = verdictMarkdown(verdict, ["upstream's examples show `x`"]);
    await expect(markdown).toMatchFileSnapshot("../../fixtures/verdict-report.md");
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
