import { readFile } from "node:fs/promises";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { stringify } from "yaml";
import { UserError } from "../../../scripts/cli.js";
import { applyOverlay, parseOverlay } from "../../../scripts/pull/overlay.js";
import { render } from "../../../scripts/pull/render.js";
import { slice } from "../../../scripts/pull/slice.js";
import { componentOf, getIn, resolve, type Json, type OpenApi } from "../../../scripts/spec/json.js";
import { parseSpec } from "../../../scripts/spec/parse.js";
import { refOf, walk } from "../../../scripts/spec/walk.js";
import { readCases } from "../../support/cases.js";
import { randomSchemas } from "../../support/random-schemas.js";

const library = "test/fixtures/library.yaml";

async function readLibrary(): Promise<OpenApi> {
  return parseSpec(await readFile(library, "utf8"), library);
}

describe("slice", () => {
  test("keeps an operation as it is", async () => {
    const spec = await readLibrary();
    const item = getIn(slice(spec, ["getBook"], library), ["paths", "/books/{isbn}"]) as Json;
    expect(Object.keys(item)).toEqual(["summary", "parameters", "get"]);
    // All but the extensions, and the text that would end a comment or a line.
    const operation = getIn(spec, ["paths", "/books/{isbn}", "get"]) as Json;
    delete operation["x-accepts"];
    operation["description"] = "Reads one book.\nNothing is lent.";
    const response = getIn(operation, ["responses", "200"]) as Json;
    response["description"] = "The book * / and more";
    const media = getIn(response, ["content", "application/json", "schema", "properties"]) as Json;
    delete (media["x-shelf"] as Json)["x-order"];
    expect(item["get"]).toEqual(operation);
  });

  test.each(readCases<{ components: Json; rest: Json }>("library-slices"))(
    "keeps of the components and of the rest those that are needed: %s",
    async (operation, expected) => {
      const { paths, components, ...rest } = slice(await readLibrary(), [operation], library);
      expect(Object.keys(paths as Json)).toHaveLength(1);
      const names = Object.entries(components as Json).map(([kind, all]) => [kind, Object.keys(all as Json)]);
      expect({ components: Object.fromEntries(names) as Json, rest }).toEqual(expected);
    },
  );

  test("quotes text that YAML 1.1 reads as a boolean or a number", async () => {
    const text = await render(slice(await readLibrary(), ["getBook"], library));
    expect(text).toMatch(/- map\n *- "no"\n *- "0x1F"\n *- ""\n/);
  });

  test("writes a mapping's bare names in full", async () => {
    const kept = slice(await readLibrary(), ["getBook"], library);
    expect(getIn(kept, ["components", "schemas", "Item", "discriminator", "mapping"])).toEqual({
      book: "#/components/schemas/Book",
      map: "#/components/schemas/Map",
    });
  });

  test("leaves the description that it is given alone", async () => {
    const spec = await readLibrary();
    const before = structuredClone(spec);
    const kept = slice(spec, ["getBook"], library);
    const actions = [{ target: "$.info", update: { title: "y" } }];
    await applyOverlay(kept, parseOverlay(stringify({ overlay: "1.0.0", actions }), "overlay"));
    await render(kept);
    expect(spec).toEqual(before);
    expect(kept).toMatchObject({ info: { title: "Library API" } });
  });
});

interface Selection {
  paths: Json;
  components?: Json;
  selects: [wanted: string[], operationIds: string[]][];
  refuses?: [wanted: string, says: string];
}

describe("of the operations of a description,", () => {
  const described = (parts: object): OpenApi =>
    parseSpec(stringify({ openapi: "3.1.0", info: { title: "x", version: "1" }, ...parts }), "x.yaml");

  test.each(readCases<Selection>("operation-ids"))("%s", (_, { selects, refuses, ...parts }) => {
    const spec = described(parts);
    for (const [wanted, operationIds] of selects) {
      const items = Object.values(slice(spec, wanted, "x.yaml")["paths"] as Record<string, Json>);
      const found = items.flatMap((item) => Object.values(item).map((fields) => (fields as Json)["operationId"]));
      expect(found).toEqual(operationIds);
    }
    const [unclear, says] = refuses ?? [];
    if (unclear !== undefined) expect(() => slice(spec, [unclear], "x.yaml")).toThrow(says);
  });

  test("one is still named by links", () => {
    const links = { next: { operationId: "repos/list" } };
    const responses = { "200": { description: "ok", links } };
    const spec = described({ paths: { "/a": { get: { operationId: "repos/list", responses } } } });
    expect(slice(spec, ["repos/list"], "x")).toMatchObject({
      paths: { "/a": { get: { responses: { "200": { links: { next: { operationId: "repos_list" } } } } } } },
    });
  });
});

describe("random descriptions", () => {
  const names = ["A", "B", "C", "D", "E"];
  const text = fc.oneof(
    fc.string({ unit: "grapheme" }),
    fc.constantFrom("no", "on", "0o17", "1e3", "~", "2001-01-01", "12:30", "<<", "a: b", " #", "-"),
    fc.array(fc.constantFrom("\n", " ", "\t", "word", "# ", "- ", ": ", '"')).map((all) => all.join("")),
  );
  const schema = randomSchemas({
    openapi: "3.0.3",
    refs: names,
    text,
    names: fc.constantFrom("query", "get", "operationId", "example", "properties", "x-a", "$ref", "type"),
    more: { example: fc.jsonValue(), "x-noise": fc.jsonValue() },
  });
  const responses = { "200": { description: "ok" } };
  /** A description, and the operations to keep of it. */
  const descriptions = fc
    .tuple(
      fc.record(Object.fromEntries(names.map((name) => [name, schema]))),
      fc.array(schema, { minLength: 1, maxLength: 4 }),
    )
    .chain(([schemas, bodies]) => {
      const operations = bodies.map((body, at): [string, Json] => {
        const requestBody = { content: { "application/json": { schema: body } } };
        return [`/p${at}`, { post: { operationId: `op${at}`, requestBody, responses } }];
      });
      const info = { title: "Random", version: "1" };
      const spec = { openapi: "3.0.3", info, paths: Object.fromEntries(operations), components: { schemas } };
      const ids = fc.subarray(
        [...bodies.keys()].map((at) => `op${at}`),
        { minLength: 1 },
      );
      // As parsing leaves it: JSON has no -0.
      return ids.map((keep) => ({ keep, spec: JSON.parse(JSON.stringify(spec)) as OpenApi }));
    });

  test("give slices with all components that they refer to and no others", () => {
    fc.assert(
      fc.property(descriptions, ({ spec, keep }) => {
        const kept = slice(spec, keep, "x");
        const used = new Set<string>();
        walk(kept, (entry) => {
          const ref = refOf(entry);
          if (ref === undefined) return;
          // A reference in a sample may be anything.
          if (resolve(spec, ref) !== undefined) expect(resolve(kept, ref)).toBeDefined();
          used.add(componentOf(ref)?.join("/") ?? "");
        });
        for (const name of Object.keys(Object(getIn(kept, ["components", "schemas"]))))
          expect(used).toContain(`schemas/${name}`);
        expect(slice(kept, keep, "x")).toEqual(kept);
      }),
    );
  });

  test("are the same after they are written and read again", async () => {
    await fc.assert(
      fc.asyncProperty(descriptions, async ({ spec, keep }) => {
        const kept = slice(spec, keep, "x");
        const written = await render(kept);
        let read: OpenApi;
        try {
          read = parseSpec(written, "x");
        } catch (error) {
          // Then it is not written either: pull reads its text before it writes it.
          expect(error).toBeInstanceOf(UserError);
          return;
        }
        expect(read).toEqual(JSON.parse(JSON.stringify(kept)));
        expect(await render(read)).toBe(written);
      }),
      { numRuns: 50 },
    );
  });
});
