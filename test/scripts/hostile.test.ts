// oxlint-disable unicorn/no-thenable -- JSON Schema has this keyword.
import { execFile } from "node:child_process";
import { mkdir, mkdtemp, readFile, readdir, rm, truncate, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { transform } from "esbuild";
import fc from "fast-check";
import { marked } from "marked";
import type { Token, Tokens } from "marked";
import ts from "typescript";
import { afterAll, beforeAll, describe, expect, test, vi } from "vitest";
import { UserError } from "../../scripts/command.js";
import { generate } from "../../scripts/generate.js";
import { formatted, readTree } from "../../scripts/generate/files.js";
import { inspectCode, inspectDocs } from "../../scripts/generate/inspect.js";
import { readGeneratorConfig } from "../../scripts/generate/jar.js";
import { environments, specAsData } from "../../scripts/generate/modules.js";
import { startGenerator } from "../../scripts/generate/openapi-generator.js";
import { checkSpec } from "../../scripts/spec/check.js";
import { getIn, isObject } from "../../scripts/spec/json.js";
import { parseSpec } from "../../scripts/spec/parse.js";
import type { Json, OpenApi } from "../../scripts/spec/json.js";
import { typedPaths } from "../../scripts/generate/typed-paths.js";
import { modelNames } from "../../scripts/generate/view.js";
import { isPosix } from "../support/mode.js";

const root = fileURLToPath(new URL("../../", import.meta.url));

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "hostile-"));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

/** Sets a mark that a module must not leave when it is loaded. */
const code = "globalThis.__pwned=1";

/** What ends a comment, a string, a template, a line, a tag or a code span, with code or a link behind it. */
const payloads: Record<string, string> = {
  "a comment's end": `*/ ${code}; /*`,
  "a comment's end, escaped twice": `*\\/ *&#47; * / */*/${code}/*`,
  "a line comment's end": `\n${code}\n//`,
  "a carriage return": `\r${code}\r//`,
  "a line separator": `\u2028${code}\u2028//`,
  "a paragraph separator": `\u2029${code}\u2029//`,
  "a double quote": `";${code};"`,
  "a single quote": `';${code};'`,
  "a back-tick": `\`;${code};\``,
  "an interpolation": `\${${code}}`,
  "a template": `\`+\${${code}}+\``,
  "a backslash": `\\";${code};//\\`,
  "an escaped quote": `\\u0022;${code};//`,
  "the end of a type": `string;} ${code}; interface X {y`,
  "the end of an enum": `a" } as const; ${code}; const b = { c: "d`,
  "the next template's tags": "{{{vendorExtensions}}} {{#models}} {{=<$ $>=}}",
  "a script": `<script>${code}</script>`,
  "an image that fails": `<img src=x onerror=${code}>`,
  "an HTML comment": "<!-- x --!> <![CDATA[ x",
  "a link that is code": `[x](javascript:${code}) ![x](data:text/html,x) [y]( <javascript:x> )`,
  "a link defined elsewhere": `[x]\n\n[x]: javascript:${code}`,
  "an entity that is a link": `[x](&#106;avascript:${code}) &lt;script&gt; <javascript:x>`,
  "a table's and a code block's end": `| x |\n\`\`\`\n</code></pre>\n# x\n~~~`,
  "a compiler's orders": "@ts-nocheck",
  "other tools' orders": '/// <reference path="/etc/passwd" />\n@jsx x\n/* prettier-ignore */',
  "a marker of a type": "\ue000#/components/schemas/Thing\ue001",
  "hidden direction": "\u202e\u2066 x \u2069\u200b\ufeff",
  "a broken percent-encoding": "%zz%",
  "a way out of the folder": "../../../../etc/passwd",
  "a way out of the folder, for Windows": "..\\..\\x",
  "a name that objects inherit": "constructor",
  "a name of the prototype": "__proto__",
  "a reserved word": "class",
  "a name of a global": "globalThis",
  "a declaration of the same name": "components",
  nothing: "",
  spaces: "  \t ",
  "a number": "0x1F",
};

/** Characters that mean something in code, a comment, Markdown or a URL, each within a plain word. */
const characters = ["#", "%", "'", '"', "`", "?", "*", "<", ">", "\\", "${", "*/", "\u2028", "\u2029"];

const lineSeparators = ["\u2028", "\u2029"];

/** Where each of them is tried, and which of them are refused there. */
const charactersRefusedIn: Record<string, string[]> = {
  "a path": ["%", "\\", "${", ...lineSeparators],
  "an operation's id": characters,
  "a schema's name": characters,
  "an enum's value": lineSeparators,
  "a format": lineSeparators,
  "a default": lineSeparators,
  "a request's media type": characters.filter((character) => character !== "#" && character !== "*"),
  "an answer's header": lineSeparators,
  "a property's name": lineSeparators,
};

/** A place that takes text: a function from text to the part of a description that holds it. `n` makes names unique. */
type Place = (text: string, n: string) => Json;

const string = { type: "string" };
const schema =
  (value: unknown): Place =>
  (_, n) => ({ components: { schemas: { [`S${n}`]: value } } });
const inSchema =
  (make: (text: string) => Json): Place =>
  (text, n) =>
    schema(make(text))(text, n);
const inProperty = (make: (text: string) => Json): Place =>
  inSchema((text) => ({ type: "object", properties: { a: make(text), b: string } }));
const inOperation =
  (make: (text: string, n: string) => Json): Place =>
  (text, n) => ({
    paths: {
      [`/p${n}`]: {
        get: {
          operationId: `op${n}`,
          tags: ["Things"],
          responses: { "200": { description: "ok" } },
          ...make(text, n),
        },
      },
    },
  });
const inServer =
  (make: (text: string, n: string) => Json): Place =>
  (text, n) => ({ servers: [{ url: "https://a.example", ...make(text, n) }] });

const places: Record<string, Place> = {
  "a schema's description": inSchema((text) => ({ type: "object", description: text, properties: { a: string } })),
  "a schema's title": inSchema((text) => ({ type: "object", title: text, properties: { a: string } })),
  "an alias's description": inSchema((text) => ({ description: text, anyOf: [string, { type: "number" }] })),
  "an enum's description": inSchema((text) => ({ ...string, description: text, enum: ["x"] })),
  "a property's description": inProperty((text) => ({ ...string, description: text, title: text })),
  "a nested property's description": inProperty((text) => ({
    type: "object",
    properties: { c: { ...string, description: text } },
  })),
  "items' description": inProperty((text) => ({ type: "array", items: { ...string, description: text } })),
  "an enum's value": inSchema((text) => ({ ...string, enum: ["x", text] })),
  "a property's enum's value": inProperty((text) => ({ ...string, enum: ["x", text] })),
  "an enum's value in a list": inProperty((text) => ({ type: "array", items: { ...string, enum: ["x", text] } })),
  "an enum's value in an alias": inSchema((text) => ({ ...string, nullable: true, enum: [text, null] })),
  "an enum of one value": inSchema((text) => ({ enum: [text] })),
  "a property's name": inSchema((text) => ({
    type: "object",
    required: [text],
    properties: { [text]: string, b: string },
  })),
  "a nested property's name": inProperty((text) => ({ type: "object", properties: { [text]: string } })),
  "a name that is required": inSchema((text) => ({ type: "object", required: [text], properties: { a: string } })),
  "a name that only a condition describes": inSchema((text) => ({
    type: "object",
    properties: { a: string },
    if: { properties: { [text]: string } },
    then: { properties: { [`${text}1`]: string }, required: [`${text}2`] },
    dependentSchemas: { [text]: { properties: { [`${text}3`]: string } } },
  })),
  "a name that one of several has to have": inSchema((text) => ({
    type: "object",
    properties: { [text]: string },
    anyOf: [{ required: [text] }, { required: [`${text}1`] }],
  })),
  "a read-only property's name": inSchema((text) => ({
    type: "object",
    properties: { [text]: { ...string, readOnly: true }, [`${text}1`]: { ...string, writeOnly: true, default: text } },
  })),
  "a tuple": inSchema((text) => ({
    type: "array",
    prefixItems: [{ const: text }, { ...string, description: text }],
    items: { enum: [text] },
  })),
  "the name of a list of itself": (text, n) => ({
    components: {
      schemas: { [text + n]: { type: "array", items: { $ref: `#/components/schemas/${text}${n}` } } },
    },
  }),
  "a discriminator's property": inSchema((text) => ({
    oneOf: [{ $ref: "#/components/schemas/Thing" }],
    discriminator: { propertyName: text },
  })),
  "a discriminator's value": inSchema((text) => ({
    oneOf: [{ $ref: "#/components/schemas/Thing" }],
    discriminator: { propertyName: "a", mapping: { [text]: "#/components/schemas/Thing" } },
  })),
  "a default": inProperty((text) => ({ ...string, default: text })),
  "an enum's default": inSchema((text) => ({ ...string, enum: ["x"], default: text })),
  "an example": inProperty((text) => ({ ...string, example: text })),
  "an example's key": inProperty((text) => ({ type: "object", example: { [text]: text }, default: { [text]: text } })),
  "a pattern": inProperty((text) => ({ ...string, pattern: text })),
  "a format": inProperty((text) => ({ ...string, format: text })),
  "a type": inProperty((text) => ({ type: text })),
  "a whole schema's type": inSchema((text) => ({ type: text })),
  "a limit": inProperty((text) => ({ ...string, maxLength: text })),
  "a key of a schema": inProperty((text) => ({ ...string, [text]: text })),
  "a schema's name": (text) => ({ components: { schemas: { [text]: { type: "object", properties: { a: string } } } } }),
  "a schema's name's start": (text, n) => ({
    components: { schemas: { [text + n]: { type: "object", properties: { a: string } } } },
  }),
  ...Object.fromEntries(
    [
      ["x-enum-varnames", "x-enumNames", "x-enum-descriptions", "x-enum-deprecated", "x-schema", "x-alias", "x-values"],
      ["x-text", "x-constraints", "x-inline-values", "x-constraints-text", "x-has-properties", "x-discriminator-value"],
      ["x-parent", "x-implements", "x-internal", "x-keep-as-js-object", "x-isEnum", "x-type", "x-go-type"],
    ]
      .flat()
      .flatMap((key): [string, Place][] => [
        [`${key} of an enum`, inSchema((text) => ({ ...string, enum: ["x", "y"], [key]: [text, "b"] }))],
        [`${key} of a schema`, inSchema((text) => ({ type: "object", properties: { a: string }, [key]: text }))],
        [`${key} of a property`, inProperty((text) => ({ ...string, enum: ["x", "y"], [key]: text }))],
      ]),
  ),
  ...Object.fromEntries(
    ["x-example", "x-text", "x-codegen-request-body-name", "x-message-codes", "x-group-parameters", "x-accepts"].map(
      (key): [string, Place] => [`${key} of an operation`, inOperation((text) => ({ [key]: text }))],
    ),
  ),
  "x-message-codes": inOperation((text) => ({ responses: { "200": { description: "x", "x-message-codes": [text] } } })),
  "x-environment": inServer((text) => ({ "x-environment": text })),
  "an environment's URL": inServer((text, n) => ({ url: `https://b.example/${text}`, "x-environment": `e${n}` })),
  "a server's URL": inServer((text) => ({ url: `https://b.example/${text}` })),
  "a server's description": inServer((text) => ({ description: text })),
  "a server's variable": inServer((text) => ({
    url: "https://{host}.example",
    variables: { host: { default: text, enum: [text], description: text } },
  })),
  "a server's variable's name": inServer((text) => ({
    url: `https://{${text}}.example`,
    variables: { [text]: { default: "x" } },
  })),
  "a path": (text, n) => ({ paths: { [`/p${n}/${text}`]: { get: { operationId: `op${n}`, responses: {} } } } }),
  "a path's parameter": (text, n) => ({
    paths: {
      [`/p${n}/{${text}}`]: {
        get: {
          operationId: `op${n}`,
          parameters: [{ name: text, in: "path", required: true, schema: string }],
          responses: { "200": { description: "ok" } },
        },
      },
    },
  }),
  "a path's description": (text, n) => ({
    paths: { [`/p${n}`]: { summary: text, description: text, get: { operationId: `op${n}`, responses: {} } } },
  }),
  "a method": (text, n) => ({ paths: { [`/p${n}`]: { [text]: { operationId: `op${n}`, responses: {} } } } }),
  "an operation's description": inOperation((text) => ({ description: text })),
  "an operation's summary": inOperation((text) => ({ summary: text })),
  "an operation's id": inOperation((text, n) => ({ operationId: `${text}${n}` })),
  "an operation's tag": inOperation((text) => ({ tags: [text] })),
  "an operation's further reading": inOperation((text) => ({ externalDocs: { url: text, description: text } })),
  "an operation's server": inOperation((text) => ({ servers: [{ url: text, description: text }] })),
  "an operation's scope": inOperation((text) => ({ security: [{ OAuth: [text] }] })),
  "an operation's security": inOperation((text) => ({ security: [{ [text]: [] }] })),
  "a parameter's name": inOperation((text) => ({ parameters: [{ name: text, in: "query", schema: string }] })),
  "a parameter's description": inOperation((text) => ({
    parameters: [{ name: "a", in: "query", description: text, required: true, schema: string }],
  })),
  "a parameter's default, example and enum": inOperation((text) => ({
    parameters: [
      { name: "a", in: "query", required: true, example: text, schema: { ...string, enum: [text], default: text } },
    ],
  })),
  "a parameter's pattern": inOperation((text) => ({
    parameters: [{ name: "a", in: "query", schema: { ...string, pattern: text } }],
  })),
  "a shared parameter's name": (text) => ({
    components: { parameters: { [text]: { name: "a", in: "query", description: "x", schema: string } } },
  }),
  "a shared response's name": (text) => ({ components: { responses: { [text]: { description: "x" } } } }),
  "a request's description": inOperation((text) => ({
    requestBody: { description: text, content: { "application/json": { schema: { ...string, description: text } } } },
  })),
  "a request's constant": inOperation((text) => ({
    requestBody: { content: { "application/json": { schema: { const: text, default: text } } } },
  })),
  "a request's media type": inOperation((text) => ({ requestBody: { content: { [text]: { schema: string } } } })),
  "an answer's description": inOperation((text) => ({ responses: { "200": { description: text } } })),
  "an answer's status": inOperation((text) => ({ responses: { [text]: { description: "x" } } })),
  "an answer's header": inOperation((text) => ({
    responses: { "200": { description: "x", headers: { [text]: { schema: string } } } },
  })),
  "an answer's header's description": inOperation((text) => ({
    responses: { "200": { description: "x", headers: { "X-A": { description: text, schema: string } } } },
  })),
  "an answer's media type": inOperation((text) => ({
    responses: { "200": { description: "x", content: { [text]: { schema: string } } } },
  })),
  "an answer's example": inOperation((text) => ({
    responses: {
      "200": {
        description: "x",
        content: { "application/json": { schema: string, examples: { e: { value: text } } } },
      },
    },
  })),
  "an example's name": inOperation((text) => ({
    responses: {
      "200": {
        description: "x",
        content: { "application/json": { schema: string, examples: { [text]: { value: "x" } } } },
      },
    },
  })),
  "a link": inOperation((text) => ({
    responses: { "200": { description: "x", links: { [text]: { operationId: text, description: text } } } },
  })),
  "a callback": inOperation((text) => ({
    callbacks: { a: { [text]: { post: { responses: { "200": { description: text } } } } } },
  })),
  "a tag's name": (text) => ({ tags: [{ name: text }] }),
  "a tag's description": (text, n) => ({ tags: [{ name: `T${n}`, description: text }] }),
  "a scheme's name": (text) => ({ components: { securitySchemes: { [text]: { type: "http", scheme: "bearer" } } } }),
  "a scheme's description": (text, n) => ({
    components: {
      securitySchemes: { [`B${n}`]: { type: "http", scheme: "bearer", bearerFormat: text, description: text } },
    },
  }),
  "a scope": (text, n) => ({
    components: {
      securitySchemes: {
        [`O${n}`]: {
          type: "oauth2",
          flows: { clientCredentials: { tokenUrl: "https://a.example", scopes: { [text]: text } } },
        },
      },
    },
    ...inOperation(() => ({ security: [{ [`O${n}`]: [text] }] }))(text, n),
  }),
  "a token's URL": (text, n) => ({
    components: {
      securitySchemes: {
        [`O${n}`]: { type: "oauth2", flows: { clientCredentials: { tokenUrl: text, scopes: {} } } },
      },
    },
  }),
  "the title": (text) => ({ info: { title: text, version: text, description: text } }),
  "the license and contact": (text) => ({
    info: {
      title: "x",
      version: "1",
      license: { name: text, url: `https://a.example/${text}` },
      contact: { name: text, email: text },
    },
  }),
  "further reading": (text) => ({ externalDocs: { url: text, description: text } }),
};

/** What every description of the corpus stands on. */
function base(openapi = "3.0.3"): OpenApi {
  return {
    openapi,
    info: { title: "Hostile", version: "1" },
    servers: [{ url: "https://api.example", "x-environment": "test" }],
    paths: {
      "/things": {
        get: {
          operationId: "getThing",
          tags: ["Things"],
          responses: {
            "200": {
              description: "A thing",
              content: { "application/json": { schema: { $ref: "#/components/schemas/Thing" } } },
            },
          },
        },
      },
    },
    components: {
      schemas: { Thing: { type: "object", required: ["a"], properties: { a: string } } },
      securitySchemes: {
        OAuth: { type: "oauth2", flows: { clientCredentials: { tokenUrl: "https://a.example", scopes: { x: "X" } } } },
      },
    },
  };
}

/** Adds a part to a description; lists grow, and what is there already is replaced. Own keys alone: `__proto__` too. */
function add(to: Json, part: Json): void {
  for (const [key, value] of Object.entries(part)) {
    const there = Object.hasOwn(to, key) ? to[key] : undefined;
    if (Array.isArray(there) && Array.isArray(value)) there.push(...(value as unknown[]));
    else if (isObject(there) && isObject(value)) add(there, value);
    else Object.defineProperty(to, key, { value, enumerable: true, configurable: true, writable: true });
  }
}

interface Attempt {
  title: string;
  part: Json;
}

const attempts: Attempt[] = Object.entries(places).flatMap(([where, put], place) => {
  const texts = Object.entries(payloads)
    // Extensions are refused by their names, whatever they hold.
    .filter((_, index) => !/^x-.* of /.test(where) || index < 3);
  if (where in charactersRefusedIn)
    texts.push(...characters.map((character) => [character, textWith(character, where)] as [string, string]));
  return texts.map(([what, text], index) => ({ title: `${what} in ${where}`, part: put(text, `${place}x${index}`) }));
});

function textWith(character: string, where: string): string {
  return where === "a request's media type" ? `text/x${character}y` : `x${character}y`;
}

/** What the pipeline says to an attempt: the sentence of its refusal, or undefined where it lets it through. */
function refusalOf(part: Json, openapi?: string): string | undefined {
  const spec = base(openapi);
  add(getIn(spec, ["components", "schemas"]) as Json, { State: {}, Tree: {} });
  add(spec, part);
  return refusal(() => checkSpec(parseSpec(JSON.stringify(spec), "x"), "x"));
}

function refusal(run: () => void): string | undefined {
  try {
    run();
  } catch (error) {
    if (error instanceof UserError) return error.message;
    throw error;
  }
  return undefined;
}

/** What a module may not hold, found by other means than the pipeline's own: every node is looked at, by its kind. */
function thatCouldRun(path: string, text: string): string[] {
  const found: string[] = [];
  const source = ts.createSourceFile(path, text, ts.ScriptTarget.Latest, true);
  const visitNode = (node: ts.Node): void => {
    const isHarmless =
      ts.isTypeNode(node) ||
      ts.isTypeElement(node) ||
      ts.isTypeParameterDeclaration(node) ||
      ts.isLiteralExpression(node) ||
      ts.isTemplateLiteralTypeSpan(node) ||
      ts.isTemplateHead(node) ||
      ts.isTemplateMiddleOrTemplateTail(node) ||
      ts.isIdentifier(node) ||
      ts.isModifier(node) ||
      (node.kind >= ts.SyntaxKind.FirstKeyword && node.kind <= ts.SyntaxKind.LastKeyword) ||
      harmlessKinds.has(node.kind);
    if (!isHarmless) found.push(`${path}: ${ts.SyntaxKind[node.kind]} ${node.getText().slice(0, 80)}`);
    ts.forEachChild(node, visitNode);
  };
  visitNode(source);
  return found;
}

const harmlessKinds = new Set([
  ts.SyntaxKind.SourceFile,
  ts.SyntaxKind.EndOfFileToken,
  ts.SyntaxKind.InterfaceDeclaration,
  ts.SyntaxKind.TypeAliasDeclaration,
  ts.SyntaxKind.Parameter,
  ts.SyntaxKind.QualifiedName,
  ts.SyntaxKind.ImportDeclaration,
  ts.SyntaxKind.ImportClause,
  ts.SyntaxKind.NamedImports,
  ts.SyntaxKind.ImportSpecifier,
  ts.SyntaxKind.ExportDeclaration,
  ts.SyntaxKind.NamedExports,
  ts.SyntaxKind.FirstStatement,
  ts.SyntaxKind.VariableDeclarationList,
  ts.SyntaxKind.VariableDeclaration,
  ts.SyntaxKind.AsExpression,
  ts.SyntaxKind.ObjectLiteralExpression,
  ts.SyntaxKind.PropertyAssignment,
  ts.SyntaxKind.ArrayLiteralExpression,
  ts.SyntaxKind.PrefixUnaryExpression,
  ts.SyntaxKind.QuestionToken,
  ts.SyntaxKind.MinusToken,
]);

/** What a page holds that a browser would obey, as a Markdown library reads it. */
function thatABrowserObeys(path: string, text: string): string[] {
  const found: string[] = [];
  marked.walkTokens(marked.lexer(text), (token: Token) => {
    const { href } = token as Tokens.Link;
    const isLink = token.type === "link" || token.type === "image";
    if (token.type === "html" || (isLink && !/^(?:https:\/\/|#|[\w.-]+\.md$)/.test(href)))
      found.push(`${path}: ${token.raw.slice(0, 80)}`);
  });
  return found;
}

/** Loads modules in a process of their own. Returns what they export, and what they added to the globals. */
async function load(files: ReadonlyMap<string, string>, into: string): Promise<{ exports: Json; changed: string[] }> {
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
  return JSON.parse(await readFile(join(into, "loaded.json"), "utf8")) as { exports: Json; changed: string[] };
}

describe("hostile text, wherever a description holds text,", () => {
  let accepted: OpenApi;
  const refusals = new Map<string, string | undefined>();
  beforeAll(() => {
    accepted = base();
    for (const { title, part } of attempts) {
      const says = refusalOf(part);
      refusals.set(title, says);
      if (says === undefined) add(accepted, structuredClone(part));
    }
  }, 60_000);

  test("is refused with its place, or let through", () => {
    const sentences = [...refusals.values()].filter((says) => says !== undefined);
    // Both happen, and often: neither test below is about nothing.
    expect(sentences.length).toBeGreaterThan(1000);
    expect(refusals.size - sentences.length).toBeGreaterThan(800);
    for (const says of sentences) {
      expect(says).toMatch(/^x(?::\d+:\d+)?: (?:#\/|the key ")/);
      expect(says).not.toMatch(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/u);
      expect(says.length).toBeLessThan(500);
    }
  });

  test.each(Object.entries(charactersRefusedIn))("is let through in %s but for some characters", (where, refused) => {
    expect(characters.filter((character) => refusals.get(`${character} in ${where}`) !== undefined)).toEqual(refused);
  });

  test.each([
    "a comment's end in a schema's description",
    "a line separator in an operation's summary",
    "a line separator in a pattern",
    "a comment's end in x-enum-varnames of an enum",
    "a way out of the folder in a schema's name",
    "a name of the prototype in a property's name",
    "a compiler's orders in a schema's description",
    "hidden direction in a property's name",
    "a script in a method",
  ])("is refused as %s", (title) => {
    expect(refusals.get(title)).toBeDefined();
  });

  test.each([
    "a template in a schema's description",
    "a script in an answer's description",
    "a link that is code in an operation's description",
    "a single quote in a default",
    "a back-tick in a pattern",
    "a reserved word in a property's name",
    "a name that objects inherit in an enum's value",
    "a double quote in an enum's value",
    "a back-tick in a path",
    "an interpolation in a server's URL",
    "a single quote in a property's name",
    "a single quote in a discriminator's value",
    "a single quote in an operation's server",
    "a script in a format",
  ])("is let through as %s", (title) => {
    expect(refusals.has(title)).toBe(true);
    expect(refusals.get(title)).toBeUndefined();
  });

  test("comes out as data and as nothing else", async () => {
    const temporary = join(folder, "tmp");
    const out = join(folder, "accepted", "generated");
    await mkdir(temporary);
    vi.stubEnv("TMPDIR", temporary);
    const source = join(folder, "accepted.json");
    await writeFile(source, JSON.stringify(accepted));
    await generate({ spec: source, out });
    expect(await readdir(temporary)).toEqual([]);
    expect(await readdir(dirname(out))).toEqual(["generated"]);

    const files = await readTree(out);
    for (const [path, text] of files)
      expect(path.endsWith(".md") ? thatABrowserObeys(path, text) : thatCouldRun(path, text)).toEqual([]);
    const { exports, changed } = await load(files, join(folder, "accepted-loaded"));
    expect(changed).toEqual([]);
    // What is said is still said.
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
    const merged = (leaveOut: RegExp): OpenApi => {
      const spec = base();
      for (const { title, part } of attempts) if (!leaveOut.test(title)) add(spec, structuredClone(part));
      return spec;
    };
    // openapi-generator itself stops at a status that is none, and `generate` at names that it makes alike. Orders to the
    // compiler stop every file that holds one, and would hide the rest.
    const spec = merged(
      / in an answer's status$| in a schema's name$|^a (?:compiler's orders|broken percent-encoding) /,
    );
    const temporary = join(folder, "tmp-2");
    await mkdir(temporary);
    vi.stubEnv("TMPDIR", temporary);
    const config = await readGeneratorConfig();
    // The generator's own validation, which does not know what is dangerous, must stop nothing here either.
    const settings = { ...config.generators["models-and-docs"], validateSpec: false };
    const generator = { ...config, generators: { "models-and-docs": settings } };
    const started = await startGenerator(spec, modelNames(spec, "IdpModel").names, generator);
    const { models, docs } = await started.finished;
    expect(await readdir(temporary)).toEqual([]);
    const paths = await typedPaths(merged(/^a (?:compiler's orders|broken percent-encoding) /));
    const files = new Map([...docs, ["models/index.ts", models], ["paths.ts", paths]]);
    files.set("environments.ts", environments(spec)).set("emulator/spec.ts", specAsData(spec));

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
    // What openapi-generator sees of it gets into no model. `__proto__` as a key is stopped, and HTML in a page.
    expect(passed.has("models/index.ts")).toBe(true);
    expect(stopped).toContainEqual(
      expect.stringMatching(/^generated\/emulator\/spec\.ts:2: a constant that is no literal/),
    );
    expect(stopped).toContainEqual(expect.stringMatching(/^generated\/docs\/\w+\.md:\d+: HTML or a link/));
    for (const [path, text] of passed)
      expect(path.endsWith(".md") ? thatABrowserObeys(path, text) : thatCouldRun(path, text)).toEqual([]);
    expect((await load(passed, join(folder, "passed-loaded"))).changed).toEqual([]);
  }, 120_000);
});

describe("a description that is hostile as a whole is refused, and nothing is written:", () => {
  const ref = ($ref: string) => ({ $ref });
  const ofSchemas = (schemas: Json): Json => ({ ...base(), components: { schemas: { Thing: string, ...schemas } } });
  const laughs = Array.from(
    { length: 12 },
    (_, at) =>
      `a${at}: &a${at} [${Array(9)
        .fill(`*a${at - 1}`)
        .join()}]`,
  );
  const documents: Record<string, [text: string | Json, says: RegExp]> = {
    "a reference to a server": [
      ofSchemas({ A: ref("https://evil.example/a.yaml") }),
      /A\/\$ref: .* must start with "#\/"/,
    ],
    "a reference to a server in a mapping": [
      ofSchemas({ A: { discriminator: { propertyName: "a", mapping: { a: "//evil.example/a" } } } }),
      /mapping\/a: .* must start/,
    ],
    "a reference to a server in an example": [ofSchemas({ A: { example: ref("http://evil.example") } }), /must start/],
    "a reference to a file": [ofSchemas({ A: ref("file:///etc/passwd") }), /must start/],
    "a reference to a file nearby": [ofSchemas({ A: ref("../package.json#/name") }), /must start/],
    "a path that is a reference to a file": [{ ...base(), paths: { "/a": ref("./a.yaml") } }, /must start/],
    "a dynamic reference to a server": [
      { ...ofSchemas({ A: { $dynamicRef: "https://evil.example#a" } }), openapi: "3.1.0" },
      /\$dynamicRef: .* must start/,
    ],
    "a reference to itself": [ofSchemas({ A: ref("#/components/schemas/A") }), /leads only to further references/],
    "references in a circle": [
      ofSchemas({ A: ref("#/components/schemas/B"), B: ref("#/components/schemas/A") }),
      /leads only to further references/,
    ],
    "references that double forty times": [
      ofSchemas(
        Object.fromEntries(
          Array.from({ length: 41 }, (_, at) => {
            const next = ref(`#/components/schemas/S${at + 1}`);
            return [`S${at}`, at < 40 ? { type: "object", properties: { a: next, b: next } } : string];
          }),
        ),
      ),
      /its references hold more than 100000000 values/,
    ],
    "a billion laughs": [`a-1: &a-1 x\n${laughs.join("\n")}`, /aliases refer to nothing or multiply beyond bounds/],
    "a hundred thousand aliases": [`a: &a x\nb: [${"*a,".repeat(1e5)}]`, /more than 1000 YAML aliases/],
    "an alias to what it stands in": ["a: &a\n  b: *a", /nested deeper than 100 levels/],
    "a key twice": ["openapi: 3.0.3\nopenapi: 3.1.0", /:2:1: the key "openapi" stands twice/],
    "a prototype by a merge key": ["openapi: 3.0.3\n<<: {__proto__: {a: 1}}", /the key "__proto__" is refused/],
    "a tag that makes functions": ["openapi: !!js/function 'function(){}'", /broken YAML/],
    "deep brackets": ["[".repeat(2e6), /nested deeper than 100 levels/],
    "deep braces of JSON": ['{"a":'.repeat(5e5), /nested deeper than 100 levels/],
    "very many commas": [`[${",".repeat(4e6)}]`, /more than 1000000 YAML tokens/],
  };

  let sources: string;
  let sentences: string[];
  beforeAll(async () => {
    sources = join(folder, "whole");
    await mkdir(sources);
    const paths = Object.keys(documents).map((_, index) => join(sources, `${index}.yaml`));
    for (const [index, [text]] of Object.values(documents).entries())
      await writeFile(join(sources, `${index}.yaml`), typeof text === "string" ? text : JSON.stringify(text));
    const large = join(sources, "large.yaml");
    await writeFile(large, "");
    await truncate(large, 50_000_000);
    // In a process with little memory and little time: every command starts with `readSpec`.
    const program = `import { readSpec } from ${JSON.stringify(join(root, "scripts", "spec", "check.ts"))};
      const says = [];
      for (const path of ${JSON.stringify([...paths, large])})
        says.push(await readSpec(path).then(() => "accepted", ({ name, message }) => name + ": " + message));
      console.log(JSON.stringify(says));`;
    const { stdout } = await promisify(execFile)(
      process.execPath,
      ["--max-old-space-size=512", "--import", "tsx", "--input-type=module", "--eval", program],
      { cwd: root, timeout: 60_000 },
    );
    sentences = JSON.parse(stdout) as string[];
  }, 90_000);

  test.each(Object.keys(documents).map((title, index) => [title, index] as const))("%s", (title, index) => {
    expect(sentences[index]).toMatch(documents[title]?.[1] ?? /^$/);
    expect(sentences[index]).toMatch(/^UserError: .*$/);
  });

  test("50 MB", () => {
    expect(sentences.at(-1)).toMatch(/^UserError: .*large\.yaml is larger than 32 MB$/);
  });

  test("by `generate`, which leaves what it finds", async () => {
    const out = join(folder, "kept", "generated");
    await mkdir(out, { recursive: true });
    await writeFile(join(out, "paths.ts"), "// kept");
    for (const index of [0, 9, 10])
      await expect(generate({ spec: join(sources, `${index}.yaml`), out })).rejects.toThrow(UserError);
    expect(await readTree(join(folder, "kept"))).toEqual(new Map([["generated/paths.ts", "// kept"]]));
  });
});

describe("a random schema", () => {
  /** Text of pieces that mean something to YAML, TypeScript, Markdown or a template, and of any other characters. */
  const text = fc.oneof(
    { weight: 6, arbitrary: fc.string({ unit: fc.constantFrom(..."abcXYZ019_- .:/".split("")), maxLength: 12 }) },
    {
      weight: 2,
      arbitrary: fc
        .array(
          fc.constantFrom(..."\"'`\\<>{}[]()|*/#&$%@!~\n\r\t\u2028\u0000 a1".split(""), ...Object.values(payloads)),
          {
            maxLength: 4,
          },
        )
        .map((pieces) => pieces.join("")),
    },
    { weight: 1, arbitrary: fc.string({ unit: "grapheme", maxLength: 8 }) },
  );
  const prose = fc.oneof(text, fc.lorem());
  const name = fc.oneof(
    { weight: 4, arbitrary: fc.stringMatching(/^[a-z][a-z_]{0,8}$/) },
    {
      weight: 1,
      arbitrary: fc.constantFrom("class", "default", "export", "type", "any", "Array", "Set", "a-b", "$", "1", "ü"),
    },
    { weight: 1, arbitrary: text },
  );
  const isOneOf = (share: number) => fc.integer({ min: 1, max: share }).map((n) => n === 1);
  const sometimes = <T>(share: number, fields: { [K in keyof T]: fc.Arbitrary<T[K]> }) =>
    fc
      .tuple(fc.record(fields), fc.infiniteStream(isOneOf(share)))
      .map(([all, keep]) => Object.fromEntries(Object.entries(all).filter(() => keep.next().value)) as Json);

  const schemas = (openapi: string) => {
    const isNew = openapi.startsWith("3.1");
    const common = sometimes(6, {
      description: prose,
      title: prose,
      deprecated: fc.boolean(),
      readOnly: fc.constant(true),
      writeOnly: fc.constant(true),
      example: fc.jsonValue({ maxDepth: 2 }),
      ...(!isNew && { nullable: fc.boolean() }),
    });
    const several = <T>(value: fc.Arbitrary<T>) => fc.array(value, { minLength: 1, maxLength: 3 });
    return fc.letrec<{ schema: Json }>((tie) => {
      const schema = tie("schema");
      const withCommon = (own: fc.Arbitrary<Json>) => fc.tuple(common, own).map(([a, b]) => ({ ...a, ...b }));
      const typed = (type: string, more: fc.Arbitrary<Json>) => withCommon(more.map((fields) => ({ type, ...fields })));
      return {
        schema: fc.oneof(
          { depthSize: "small", withCrossShrink: true },
          typed(
            "string",
            sometimes(5, {
              enum: fc.uniqueArray(text, { minLength: 1, maxLength: 5 }),
              format: fc.constantFrom("date", "date-time", "uuid", "binary", "byte", "email", "own-format"),
              pattern: text,
              minLength: fc.nat(9),
              default: text,
            }),
          ),
          typed(
            "integer",
            sometimes(4, { enum: several(fc.integer()), minimum: fc.integer(), format: fc.constant("int64") }),
          ),
          typed(
            "number",
            sometimes(4, { enum: several(fc.double({ noNaN: true, noDefaultInfinity: true })), maximum: fc.nat() }),
          ),
          typed("boolean", sometimes(4, { default: fc.boolean() })),
          fc.constantFrom("Thing", "State", "Tree").map((to) => ({ $ref: `#/components/schemas/${to}` })),
          typed(
            "array",
            fc
              .record({ items: schema })
              .chain((own) =>
                sometimes(3, { uniqueItems: fc.boolean(), minItems: fc.nat(3) }).map((more) => ({ ...more, ...own })),
              ),
          ),
          typed(
            "object",
            fc
              .tuple(
                fc.dictionary(name, schema, { maxKeys: 5 }),
                fc.infiniteStream(fc.boolean()),
                sometimes(4, { additionalProperties: fc.oneof(fc.boolean(), schema), minProperties: fc.nat(2) }),
              )
              .map(([properties, isRequired, more]) => {
                const required = Object.keys(properties).filter(() => isRequired.next().value);
                return { ...more, properties, ...(required.length > 0 && { required }) };
              }),
          ),
          // Parts that contradict each other are refused.
          withCommon(schema.map((part) => ({ allOf: [part] }))),
          withCommon(fc.constant({ allOf: ["Thing", "Tree"].map((to) => ({ $ref: `#/components/schemas/${to}` })) })),
          withCommon(fc.record({ oneOf: several(schema) })),
          withCommon(fc.record({ anyOf: several(schema) })),
          withCommon(fc.record({ not: schema })),
          withCommon(fc.constant({})),
          ...(isNew
            ? [
                withCommon(fc.record({ const: fc.oneof(text, fc.integer(), fc.constant(null)) })),
                withCommon(
                  fc.record({
                    type: fc.uniqueArray(fc.constantFrom("string", "null", "integer", "object"), { minLength: 1 }),
                  }),
                ),
                typed("array", fc.record({ prefixItems: several(schema) })),
                typed("object", fc.record({ patternProperties: fc.dictionary(text, schema, { maxKeys: 2 }) })),
              ]
            : []),
        ),
      };
    }).schema;
  };

  const runs = Number(process.env["HOSTILE_RUNS"] ?? 1);
  const start = Number(process.env["HOSTILE_SEED"] ?? Date.now() % 1_000_000_000);

  test.each(
    Array.from({ length: runs }, (_, run) =>
      ["3.0.3", "3.1.0"].map((openapi) => [openapi, start + run] as const),
    ).flat(),
  )(
    "of OpenAPI %s comes out as types, or is refused (HOSTILE_SEED=%i)",
    async (openapi, seed) => {
      const spec = base(openapi);
      const all = getIn(spec, ["components", "schemas"]) as Json;
      all["State"] = { type: "string", enum: ["on", "off"] };
      all["Tree"] = { type: "object", properties: { next: { $ref: "#/components/schemas/Tree" } } };
      let refused = 0;
      const samples = fc.sample(schemas(openapi), { numRuns: 120, seed });
      for (const [index, value] of samples.entries()) {
        const part = {
          components: { schemas: { [`R${index}`]: value } },
          paths: {
            [`/p${index}`]: {
              post: {
                operationId: `op${index}`,
                parameters: [{ name: "a", in: "query", required: index % 2 === 0, schema: value }],
                requestBody: {
                  content: { "application/json": { schema: { $ref: `#/components/schemas/R${index}` } } },
                },
                responses: { "200": { description: "ok", content: { "application/json": { schema: value } } } },
              },
            },
          },
        };
        if (refusalOf(part, openapi) === undefined) add(spec, structuredClone(part));
        else refused++;
      }
      // Of both some.
      expect(refused).toBeGreaterThan(0);
      expect(samples.length - refused).toBeGreaterThan(40);
      const source = join(folder, `random-${openapi}-${seed}.json`);
      const out = join(folder, `random-${openapi}-${seed}`);
      await writeFile(source, JSON.stringify(spec));
      // It type-checks, under `strict` and more, what it writes.
      await generate({ spec: source, out }).catch((error: Error) => {
        const [culprit = ""] = /\bR\d+/.exec(error.message) ?? [];
        throw new Error(`${error.message}: ${JSON.stringify(all[culprit])}`, { cause: error });
      });
      const files = await readTree(out);
      for (const [path, content] of files)
        expect(path.endsWith(".md") ? thatABrowserObeys(path, content) : thatCouldRun(path, content)).toEqual([]);
      expect((await load(files, `${out}-loaded`)).changed).toEqual([]);
    },
    90_000,
  );
});

test.runIf(isPosix)("`npm run lint` names line and column of a mistake in the description", async () => {
  const { scripts } = JSON.parse(await readFile(join(root, "package.json"), "utf8")) as {
    scripts: Record<string, string>;
  };
  const [, command = ""] = /\b(redocly lint .*)$/.exec(scripts["lint"] ?? "") ?? [];
  const text = await readFile(join(root, "openapi", "customer-tokens.yaml"), "utf8");
  const broken = text.replace(/^( *)operationId: .*$/m, "$&\n$1operatonId: again");
  const line = broken.split("\n").findIndex((row) => row.includes("operatonId: again")) + 1;
  const path = join(folder, "broken.yaml");
  await writeFile(path, broken);
  const [program = "", ...args] = command.replace("openapi/customer-tokens.yaml", path).split(" ");
  const cli = join(root, "node_modules", ".bin", program);
  await expect(promisify(execFile)(cli, args, { cwd: root })).rejects.toMatchObject({
    code: 1,
    stdout: expect.stringMatching(new RegExp(`broken\\.yaml:\n +${line}:\\d+ +error +struct .*operatonId`)),
  });
});
