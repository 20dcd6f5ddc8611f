import { execFile } from "node:child_process";
import { mkdir, mkdtemp, readFile, readdir, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { promisify } from "node:util";
import { transform } from "esbuild";
import fc from "fast-check";
import { marked, type Token, type Tokens } from "marked";
import ts from "typescript";
import { beforeAll, describe, expect, test, vi } from "vitest";
import { UserError } from "../../scripts/cli.js";
import { generate } from "../../scripts/generate.js";
import { formatted, readTree } from "../../scripts/generate/files.js";
import { inspectCode, inspectDocs } from "../../scripts/generate/inspect.js";
import { readGeneratorConfig } from "../../scripts/generate/jar.js";
import { environments, specAsData } from "../../scripts/generate/assemble.js";
import { startGenerator } from "../../scripts/generate/openapi-generator.js";
import { typedPaths } from "../../scripts/generate/typed-paths.js";
import { modelNames } from "../../scripts/generate/view.js";
import { checkSpec } from "../../scripts/spec/check.js";
import { type Json, type OpenApi, getIn, isObject } from "../../scripts/spec/json.js";
import { parseSpec } from "../../scripts/spec/parse.js";
import { casesOf, fill, readCases, readFixture } from "../support/cases.js";
import { randomSchemas } from "../support/random-schemas.js";
import { treeForAll } from "../support/tree.js";

const { at, put } = treeForAll();

const texts = readFixture<Record<string, string>>("hostile/texts");
const { all: characters, places: refusedCharacters } = readFixture<{
  all: string[];
  places: Record<string, string[]>;
}>("hostile/characters");

/** How the kinds of places in hostile/places.yaml become parts of a description. */
const wrappers: Record<string, (part: Json) => Json> = {
  schema: (schema) => ({ components: { schemas: { S$n: schema } } }),
  property: (a) => ({
    components: { schemas: { S$n: { type: "object", properties: { a, b: { type: "string" } } } } },
  }),
  operation: (fields) => {
    const operation = { operationId: "op$n", tags: ["Things"], responses: { "200": { description: "ok" } }, ...fields };
    return { paths: { "/p$n": { get: operation } } };
  },
  server: (fields) => ({ servers: [{ url: "https://a.example", ...fields }] }),
  description: (fields) => fields,
};

/** Parts of descriptions, each with a hostile text or one odd character in one place. */
const attempts = Object.entries(readFixture<Record<string, Record<string, Json>>>("hostile/places"))
  .flatMap(([kind, places]) => casesOf(places).map(([where, part]) => [where, wrappers[kind]?.(part) ?? {}] as const))
  .flatMap(([where, part], place) => {
    const isMediaType = where === "a request's media type";
    const odd = where in refusedCharacters ? characters : [];
    const all = [
      // Extensions are refused by their names, whatever they hold.
      ...Object.entries(texts).slice(0, where.startsWith("an extension") ? 3 : undefined),
      ...odd.map((character) => [character, `${isMediaType ? "text/" : ""}x${character}y`] as const),
    ];
    return all.map(([what, $text], index) => {
      return { title: `${what} in ${where}`, part: fill(part, { $text, $n: `${place}x${index}` }) };
    });
  });

/** The description that all attempts are added to. */
const base = (openapi = "3.0.3"): OpenApi => ({ ...readFixture<Json>("hostile/base"), openapi });

/** Adds a part to a description; lists grow, and other values are replaced. Own keys alone: `__proto__` too. */
function add(to: Json, part: Json): void {
  for (const [key, value] of Object.entries(part)) {
    const there = Object.hasOwn(to, key) ? to[key] : undefined;
    if (Array.isArray(there) && Array.isArray(value)) there.push(...(value as unknown[]));
    else if (isObject(there) && isObject(value)) add(there, value);
    else Object.defineProperty(to, key, { value, enumerable: true, configurable: true, writable: true });
  }
}

/** The description of all attempts but some. */
function merged(leaveOut: (title: string) => boolean): OpenApi {
  const spec = base();
  for (const { title, part } of attempts) if (!leaveOut(title)) add(spec, structuredClone(part));
  return spec;
}

/** The sentence of the pipeline's refusal, or undefined if it lets a part through. */
function refusalOf(part: Json, openapi?: string): string | undefined {
  const spec = base(openapi);
  add(spec, part);
  try {
    checkSpec(parseSpec(JSON.stringify(spec), "x"), "x");
  } catch (error) {
    if (error instanceof UserError) return error.message;
    throw error;
  }
  return undefined;
}

const harmlessKinds = new Set(
  `SourceFile EndOfFileToken InterfaceDeclaration TypeAliasDeclaration Parameter QualifiedName ImportDeclaration ImportClause
  NamedImports ImportSpecifier ExportDeclaration NamedExports VariableStatement VariableDeclarationList VariableDeclaration
  AsExpression ObjectLiteralExpression PropertyAssignment ArrayLiteralExpression PrefixUnaryExpression QuestionToken
  MinusToken Identifier TemplateLiteralTypeSpan TemplateHead TemplateMiddle TemplateTail`
    .split(/\s+/)
    .map((name) => ts.SyntaxKind[name as keyof typeof ts.SyntaxKind]),
);

/** The code in a module that could do something, found by other means than the pipeline's own: by the kind of each node. */
function thatCouldRun(path: string, text: string): string[] {
  const found: string[] = [];
  const visitNode = (node: ts.Node): void => {
    const isHarmless =
      [ts.isTypeNode, ts.isTypeElement, ts.isTypeParameterDeclaration, ts.isLiteralExpression, ts.isModifier].some(
        (is) => is(node),
      ) ||
      (node.kind >= ts.SyntaxKind.FirstKeyword && node.kind <= ts.SyntaxKind.LastKeyword) ||
      harmlessKinds.has(node.kind);
    if (!isHarmless) found.push(`${path}: ${ts.SyntaxKind[node.kind]} ${node.getText().slice(0, 80)}`);
    ts.forEachChild(node, visitNode);
  };
  visitNode(ts.createSourceFile(path, text, ts.ScriptTarget.Latest, true));
  return found;
}

/** The parts of a page that a browser would obey, as a Markdown library reads it. */
function thatABrowserObeys(path: string, text: string): string[] {
  const found: string[] = [];
  void marked.walkTokens(marked.lexer(text), (token: Token) => {
    const { href } = token as Tokens.Link;
    const isLink = token.type === "link" || token.type === "image";
    if (token.type === "html" || (isLink && !/^(?:https:\/\/|#|[\w.-]+\.md$)/.test(href)))
      found.push(`${path}: ${token.raw.slice(0, 80)}`);
  });
  return found;
}

/**
 * Asserts that nothing in generated files could run, or be obeyed by a browser, and that modules change nothing when they
 * are loaded, in a separate process.
 *
 * @returns what the modules export
 */
async function expectHarmless(files: ReadonlyMap<string, string>, into: string): Promise<Json> {
  const found = [...files].flatMap((file) => (file[0].endsWith(".md") ? thatABrowserObeys : thatCouldRun)(...file));
  expect(found).toEqual([]);
  const modules = [...files].filter(([path]) => path.endsWith(".ts"));
  for (const [path, text] of modules) {
    const target = join(into, path.replace(/ts$/, "js"));
    await mkdir(dirname(target), { recursive: true });
    await writeFile(target, (await transform(text, { loader: "ts" })).code);
  }
  await writeFile(join(into, "package.json"), '{ "type": "module" }');
  await writeFile(
    join(into, "load.js"),
    `import { writeFileSync } from "node:fs";
    const roots = [globalThis, Object.prototype, Array.prototype, Function.prototype, process.env];
    const seen = () => roots.map((root) => Reflect.ownKeys(root).map(String));
    const before = seen();
    const exports = {};
    for (const path of ${JSON.stringify(modules.map(([path]) => path))})
      exports[path] = { ...(await import("./" + encodeURIComponent(path).replaceAll("%2F", "/").replace(/ts$/, "js"))) };
    const changed = seen().flatMap((keys, index) => keys.filter((key) => !before[index].includes(key)));
    writeFileSync(new URL("loaded.json", import.meta.url), JSON.stringify({ exports, changed }));`,
  );
  await promisify(execFile)(process.execPath, [join(into, "load.js")]);
  const loaded = JSON.parse(await readFile(join(into, "loaded.json"), "utf8")) as { exports: Json; changed: string[] };
  expect(loaded.changed).toEqual([]);
  return loaded.exports;
}

/** Sets the folder for temporary files to an empty one, in which nothing may be left behind. */
async function watchTemporaryFolder(): Promise<() => Promise<void>> {
  const temporary = await mkdtemp(at("tmp-"));
  vi.stubEnv("TMPDIR", temporary);
  return async () => expect(await readdir(temporary)).toEqual([]);
}

describe("hostile text, wherever a description holds text,", () => {
  const refusals = new Map<string, string | undefined>();
  beforeAll(() => {
    for (const { title, part } of attempts) refusals.set(title, refusalOf(part));
  }, 60_000);

  test("is refused with its place, or let through", () => {
    const sentences = [...refusals.values()].filter((says) => says !== undefined);
    // Both happen, and often.
    expect(sentences.length).toBeGreaterThan(1000);
    expect(refusals.size - sentences.length).toBeGreaterThan(800);
    for (const says of sentences) {
      expect(says).toMatch(/^x(?::\d+:\d+)?: (?:#\/|the key ")/);
      expect(says).not.toMatch(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/u);
      expect(says.length).toBeLessThan(500);
    }
  });

  test.each(Object.entries(refusedCharacters))("is let through in %s except for some characters", (where, refused) => {
    expect(characters.filter((character) => refusals.get(`${character} in ${where}`) !== undefined)).toEqual(refused);
  });

  test.each(readCases<string[]>("hostile/outcomes"))("is %s", (outcome, titles) => {
    const isRefused = (title: string) => refusals.get(title) !== undefined;
    expect(titles.filter((title) => !refusals.has(title) || isRefused(title) !== (outcome === "refused"))).toEqual([]);
  });

  test("comes out as data alone", async () => {
    const accepted = merged((title) => refusals.get(title) !== undefined);
    const out = at("accepted", "generated");
    const expectNothingLeft = await watchTemporaryFolder();
    const source = await put("accepted.json", JSON.stringify(accepted));
    await generate({ spec: source, out });
    await expectNothingLeft();
    expect(await readdir(dirname(out))).toEqual(["generated"]);
    const exports = await expectHarmless(await readTree(out), at("accepted-loaded"));
    // All of the description is in it.
    const info = { ...(accepted["info"] as Json), version: "1" };
    expect(exports["emulator/spec.ts"]).toEqual({ spec: { ...accepted, info } });
    const enums = Object.entries(getIn(accepted, ["components", "schemas"]) as Json).filter(
      ([, value]) => isObject(value) && value["type"] === "string" && "enum" in value && !("nullable" in value),
    );
    expect(enums.length).toBeGreaterThan(30);
    for (const [name, value] of enums) {
      const models = exports["models/index.ts"] as Json;
      expect(Object.values(models[`${name}IdpModel`] as Json)).toEqual((value as Json)["enum"]);
    }
  }, 120_000);

  test("that gets past the first check is harmless, or stopped by the second", async () => {
    // Directives to the compiler stop every file that holds one, and would hide the rest.
    const hidesOthers = (title: string) => /^a (?:compiler's directives|broken percent-encoding) /.test(title);
    // openapi-generator itself stops at an invalid status, and `generate` at model names that clash.
    const spec = merged((title) => hidesOthers(title) || / in a response's status$| in a schema's name$/.test(title));
    const expectNothingLeft = await watchTemporaryFolder();
    const config = await readGeneratorConfig();
    // The generator's own validation, which does not know the dangers, must stop nothing here either.
    const settings = { ...config.generators["models-and-docs"], validateSpec: false };
    const generator = { ...config, generators: { "models-and-docs": settings } };
    const started = await startGenerator(spec, modelNames(spec, "IdpModel").names, generator);
    const { models, docs } = await started.finished;
    await expectNothingLeft();
    const files = new Map([
      ...docs,
      ["models/index.ts", models],
      ["paths.ts", await typedPaths(merged(hidesOthers))],
      ["environments.ts", environments(spec)],
      ["emulator/spec.ts", specAsData(spec)],
    ]);

    const stopped: string[] = [];
    const passed = new Map<string, string>();
    for (const [path, text] of files) {
      try {
        const whole = [path, await formatted(path, text)] as const;
        const imported = [...whole[1].matchAll(/from "(.*?)\.js";$/gm)].map(
          ([, name = ""]) => [join(dirname(path), `${name}.ts`), ""] as const,
        );
        inspectCode(new Map([...imported.filter(([name]) => files.has(name)), whole]));
        inspectDocs(new Map([whole]));
        passed.set(...whole);
      } catch (error) {
        expect(error).toBeInstanceOf(UserError);
        stopped.push((error as UserError).message);
      }
    }
    expect(passed.size).toBeGreaterThan(1000);
    // None of it gets into a model. `__proto__` as a key is stopped, and HTML in a page.
    expect(passed.has("models/index.ts")).toBe(true);
    expect(stopped).toContainEqual(
      expect.stringMatching(/^generated\/emulator\/spec\.ts:2: a constant that is not a literal/),
    );
    expect(stopped).toContainEqual(expect.stringMatching(/^generated\/docs\/\w+\.md:\d+: HTML or a link/));
    await expectHarmless(passed, at("passed-loaded"));
  }, 120_000);
});

// Pieces that mean something to YAML, TypeScript, Markdown or a template, and any other characters.
const pieces = [..."\"'`\\<>{}[]()|*/#&$%@!~\n\r\t\u2028\u0000 a1".split(""), ...Object.values(texts)];
const text = fc.oneof(
  { weight: 6, arbitrary: fc.string({ unit: fc.constantFrom(..."abcXYZ019_- .:/".split("")), maxLength: 12 }) },
  { weight: 2, arbitrary: fc.array(fc.constantFrom(...pieces), { maxLength: 4 }).map((all) => all.join("")) },
  { weight: 1, arbitrary: fc.string({ unit: "grapheme", maxLength: 8 }) },
);
const names = fc.oneof(
  { weight: 4, arbitrary: fc.stringMatching(/^[a-z][a-z_]{0,8}$/) },
  { weight: 1, arbitrary: fc.constantFrom(..."class default export type any Array Set a-b $ 1 ü".split(" ")) },
  { weight: 1, arbitrary: text },
);

describe("random schemas", () => {
  const runs = Number(process.env["HOSTILE_RUNS"] ?? 1);
  const start = Number(process.env["HOSTILE_SEED"] ?? 1);

  test.each(
    Array.from({ length: runs }, (_, run) =>
      ["3.0.3", "3.1.0"].map((openapi) => [openapi, start + run] as const),
    ).flat(),
  )(
    "of OpenAPI %s come out as types, or are refused (HOSTILE_SEED=%i)",
    async (openapi, seed) => {
      const spec = base(openapi);
      let refused = 0;
      const samples = fc.sample(randomSchemas({ openapi, refs: ["Thing", "Tree", "State"], text, names }), {
        numRuns: 120,
        seed,
      });
      for (const [index, schema] of samples.entries()) {
        const operation = {
          operationId: `op${index}`,
          parameters: [{ name: "a", in: "query", required: index % 2 === 0, schema }],
          requestBody: { content: { "application/json": { schema: { $ref: `#/components/schemas/R${index}` } } } },
          responses: { "200": { description: "ok", content: { "application/json": { schema } } } },
        };
        const part = {
          components: { schemas: { [`R${index}`]: schema } },
          paths: { [`/p${index}`]: { post: operation } },
        };
        if (refusalOf(part, openapi) === undefined) add(spec, structuredClone(part));
        else refused++;
      }
      // Some of both.
      expect(refused).toBeGreaterThan(0);
      expect(samples.length - refused).toBeGreaterThan(40);
      const source = await put(`random-${openapi}-${seed}.json`, JSON.stringify(spec));
      const out = at(`random-${openapi}-${seed}`);
      // Its result is type-checked, under `strict` and more.
      await generate({ spec: source, out }).catch((error: Error) => {
        const [culprit = ""] = /\bR\d+/.exec(error.message) ?? [];
        throw new Error(`${error.message}: ${JSON.stringify(getIn(spec, ["components", "schemas", culprit]))}`, {
          cause: error,
        });
      });
      await expectHarmless(await readTree(out), `${out}-loaded`);
    },
    90_000,
  );
});
