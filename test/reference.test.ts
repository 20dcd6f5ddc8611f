import { readFile, readdir } from "node:fs/promises";
import { join, resolve } from "node:path";
import { beforeAll, describe, expect, test, vi } from "vitest";
import { generate } from "../scripts/generate.js";
import { readSpec } from "../scripts/spec/read.js";
import type { OpenApi } from "../scripts/spec/json.js";
import { operationsOf } from "../scripts/spec/operations.js";
import { describedService, extendedDescription } from "./support/described.js";
import { compileExamples, examplesIn } from "./support/examples.js";
import { treeForAll } from "./support/tree.js";

// The pages of generated/docs: those of the committed description, and those that it would have with further operations.

describe.each(["openapi/customer-tokens.yaml", "with test/fixtures/operations.yaml"])("the reference of %s", (name) => {
  const isCommitted = name.startsWith("openapi/");
  const { at, put } = treeForAll();
  let out = resolve("generated");
  let spec: OpenApi;
  beforeAll(async () => {
    const source = isCommitted ? name : await put("description.json", JSON.stringify(await extendedDescription()));
    spec = await readSpec(source);
    if (isCommitted) return;
    out = at("generated");
    await generate({ spec: source, out });
  });

  /** The TypeScript blocks of the pages whose names end so. */
  async function blocks(ending: string): Promise<string[][]> {
    const names = (await readdir(join(out, "docs"))).filter((each) => each.endsWith(ending)).sort();
    return Promise.all(names.map(async (each) => examplesIn(await readFile(join(out, "docs", each), "utf8"))));
  }

  test("every example compiles, and its calls match the description", async () => {
    const examples = (await blocks("IdpApi.md")).flat();
    expect(examples.length).toBeGreaterThanOrEqual(operationsOf(spec).length);
    const generated = isCommitted ? undefined : out;
    const { paths, problems, remove } = await compileExamples(`reference-${isCommitted}`, examples, generated);
    expect(problems).toEqual([]);
    vi.spyOn(console, "log").mockImplementation(() => {});
    vi.stubEnv("CYBRID_CLIENT_ID", "bank");
    vi.stubEnv("CYBRID_CLIENT_SECRET", "s3cret");
    vi.stubEnv("CYBRID_CUSTOMER_GUID", "0".repeat(32));
    for (const [index, path] of paths.entries()) {
      const service = describedService(spec);
      vi.spyOn(globalThis, "fetch").mockImplementation(service.fetch);
      await import(path);
      // The client requests bank tokens itself.
      const calls = examples[index]?.includes("await") ? [expect.anything()] : [];
      expect(service, examples[index]).toMatchObject({ calls, problems: [] });
    }
    await remove();
  });

  test("an operation's page has its signature, return type, media types and scopes", async () => {
    const page = (tag: string) => readFile(join(out, "docs", `${tag}IdpApi.md`), "utf8");
    const section = (text: string, operation: string) => text.split(/^## /m).find((each) => each.startsWith(operation));
    const own = section(await page("CustomerTokens"), "createCustomerToken");
    expect(own).toMatch(
      /^createCustomerToken\n\n`createCustomerToken\(postCustomerTokenIdpModel\): CustomerTokenIdpModel`\n/,
    );
    expect(own).toContain("### Return type\n\n[`CustomerTokenIdpModel`](CustomerTokenIdpModel.md)\n");
    expect(own).toContain("- **Content-Type**: `application/json`\n- **Accept**: `application/json`\n");
    expect(own).toMatch(
      /^- \*\*BearerAuth\*\* \(.*\) and \*\*oauth2\*\* \(.*: `customers:write`, `customers:read`\)$/m,
    );
    if (isCommitted) return;
    const notes = await page("Notes");
    expect(section(notes, "listNotes")).toContain("`listNotes(page?, kind): NoteListIdpModel`");
    const deleted = section(notes, "deleteNote");
    expect(deleted).toContain("`deleteNote(noteGuid): void`");
    expect(deleted).toContain("### Return type\n\n-\n");
    expect(deleted).toContain("- **Content-Type**: -\n- **Accept**: `application/json`\n");
    expect(section(notes, "createNote")).toMatch(/^- .* and .*\n- \*\*oauth2\*\* .*`banks:write`\)$/m);
    // An operation with several tags is on the page of each.
    expect(section(await page("Archive"), "listNotes")).toBe(section(notes, "listNotes"));
  });

  test("the code of all models compiles, and links lead to the models that it names", async () => {
    const models = await blocks("IdpModel.md");
    const { problems, remove } = await compileExamples(`models-${isCommitted}`, [models.flat().join("\n")]);
    await remove();
    expect(problems).toEqual([]);
    if (isCommitted) return;
    const page = await readFile(join(out, "docs", "NoteListIdpModel.md"), "utf8");
    expect(page).toContain("objects: Array<NoteIdpModel>;");
    expect(page).toMatch(/^Models: \[`NoteIdpModel`\]\(NoteIdpModel\.md\)$/m);
    expect(await readFile(join(out, "docs", "DatedNoteIdpModel.md"), "utf8")).toContain("NoteIdpModel & {");
  });
});
