import { execFile } from "node:child_process";
import { chmod, lstat, mkdir, mkdtemp, readdir, readFile, rm, stat, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { delimiter, dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import fc from "fast-check";
import { afterAll, beforeAll, describe, expect, test, vi } from "vitest";
import { stringify } from "yaml";
import { UserError } from "../../scripts/cli.js";
import { generate } from "../../scripts/generate.js";
import { enumKeys } from "../../scripts/generate/constants.js";
import { readTree } from "../../scripts/generate/files.js";
import { inspectCode, inspectDocs } from "../../scripts/generate/inspect.js";
import { ensureJar, readGeneratorConfig } from "../../scripts/generate/jar.js";
import { chooseModels } from "../../scripts/generate/models.js";
import { environments } from "../../scripts/generate/modules.js";
import { checkTypes, problemsIn } from "../../scripts/generate/type-check.js";
import { cachedNode } from "../../scripts/npm.js";
import { isPosix } from "../support/mode.js";
import { type ObjectType, fieldsOf } from "../../scripts/spec/walk.js";
import { copyRepository } from "../support/repository.js";

/** Every field that OpenAPI or JSON Schema gives to a type of object. */
const types = new Set<ObjectType>(["openapi"]);
for (const type of types)
  for (const kind of fieldsOf(type).values()) types.add(kind.replaceAll(/\[\]|\{\}/g, "") as ObjectType);
const keywords = [...new Set([...types].flatMap((type) => [...fieldsOf(type).keys()]))];

const root = fileURLToPath(new URL("../../", import.meta.url));
const committed = join(root, "generated");

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "generate-test-"));
});
afterAll(async () => {
  await rm(folder, { recursive: true, force: true });
});

async function tree(path: string): Promise<Record<string, string>> {
  return Object.fromEntries(await readTree(path));
}

/** A spec of the given schemas, and one operation that uses the first. */
function specOf(schemas: Record<string, unknown>, more: object = {}) {
  return {
    openapi: "3.0.3",
    info: { title: "A test", version: "1" },
    servers: [{ url: "https://api.example", "x-environment": "test" }],
    paths: {
      "/things/{id}": {
        get: {
          operationId: "getThing",
          tags: ["Things"],
          summary: "Get a thing",
          parameters: [{ name: "id", in: "path", required: true, schema: { type: "string" } }],
          responses: {
            "200": {
              description: "A thing",
              content: { "application/json": { schema: { $ref: `#/components/schemas/${Object.keys(schemas)[0]}` } } },
            },
          },
        },
      },
    },
    components: { schemas },
    ...more,
  };
}

async function specFile(name: string, spec: unknown): Promise<string> {
  const path = join(folder, `${name}.yaml`);
  await writeFile(path, stringify(spec));
  return path;
}

describe("the same bytes", () => {
  test("come out in another folder, locale and time zone, whatever stood there, and for another version of the spec", async () => {
    const text = await readFile(join(root, "openapi", "customer-tokens.yaml"), "utf8");
    const source = join(folder, "bumped.yaml");
    await writeFile(source, text.replace(/^( {2}version:).*$/m, '$1 "v99.1.2"'));
    const out = join(folder, "elsewhere", "generated");
    await mkdir(join(out, "models"), { recursive: true });
    await writeFile(join(out, "models", "StaleIdpModel.ts"), "");
    await writeFile(join(out, "paths.ts"), (await tree(committed))["paths.ts"] ?? "");
    await promisify(execFile)(
      process.execPath,
      ["--import", "tsx", join(root, "scripts", "generate.ts"), "--source", source, "--out", out],
      { cwd: root, env: { ...process.env, TZ: "Pacific/Kiritimati", LC_ALL: "tr_TR.UTF-8", LANG: "tr_TR.UTF-8" } },
    );
    expect(await tree(out)).toEqual(await tree(committed));
    expect(await readdir(join(folder, "elsewhere"))).toEqual(["generated"]);
  });

  test.runIf(isPosix)("come out in a folder whose name is not ASCII, in the locale that knows only ASCII", async () => {
    const home = join(folder, "my projects", "ü");
    const [copy, temporary, jars] = [join(home, "repository"), join(home, "tmp"), join(home, ".cache")];
    await copyRepository(copy);
    await symlink(join(root, "node_modules"), join(copy, "node_modules"));
    for (const made of [temporary, jars]) await mkdir(made);
    await symlink(dirname(await ensureJar(await readGeneratorConfig())), join(jars, "openapi-generator-cli"));
    const env = { ...process.env, HOME: home, LC_ALL: "C", TMPDIR: temporary };
    const command = ["--import", "tsx", "scripts/generate.ts", "--check"];
    await promisify(execFile)(process.execPath, command, { cwd: copy, env });
  });

  test("come out on another major version of Node", { timeout: 120_000 }, async () => {
    const node = await cachedNode("24.21.0");
    const run = promisify(execFile);
    expect((await run(node, ["--version"])).stdout.trim()).toBe("v24.21.0");
    await run(node, ["--import", "tsx", join(root, "scripts", "generate.ts"), "--check"], { cwd: root });
  });

  test("hold no banner, no version and no litter", async () => {
    const files = await tree(committed);
    expect(
      Object.keys(files).filter(
        (path) => !/^(?:\w+\.ts|(?:models\/index|emulator\/spec)\.ts|docs\/\w+\.md)$/.test(path),
      ),
    ).toEqual([]);
    for (const text of Object.values(files)) expect(text).not.toMatch(/OpenAPI Generator|7\.25\.0|v0\.\d+/);
  });
});

describe("--check", () => {
  test("passes where nothing differs, and lists what does", async () => {
    const out = join(folder, "checked");
    await mkdir(join(out, "models"), { recursive: true });
    const files = await tree(committed);
    await mkdir(join(out, "docs"), { recursive: true });
    await mkdir(join(out, "emulator"), { recursive: true });
    for (const [path, text] of Object.entries(files)) await writeFile(join(out, path), text);
    // None of the schemas that the client names is an alias.
    const named = /\b(?:PostCustomerToken|CustomerToken|ErrorResponse|MessageCode|AccessToken\w*)IdpModel\b/;
    expect((await generate({ out, check: true })).join()).not.toMatch(named);

    await writeFile(join(out, "paths.ts"), `${files["paths.ts"]}// edited`);
    await writeFile(join(out, "models", "Extra.ts"), "");
    await rm(join(out, "environments.ts"));
    const before = await tree(out);
    await expect(generate({ out, check: true })).rejects.toThrow(
      /changed: paths\.ts\n +missing: environments\.ts\n +extra: +models\/Extra\.ts\nrun `npm run generate -- --out .*checked` and/,
    );
    expect(await tree(out)).toEqual(before);
  });
});

describe("a step that fails leaves everything as it was", () => {
  const kept = { "paths.ts": "// Generated from the spec by `npm run generate`. Do not edit.\n\n// kept" };
  const attempt = async (options: Parameters<typeof generate>[0]) => {
    const out = join(folder, "kept");
    await mkdir(out, { recursive: true });
    for (const [path, text] of Object.entries(kept)) await writeFile(join(out, path), text);
    const error: unknown = await generate({ out, ...options }).catch((reason: unknown) => reason);
    expect(await tree(out)).toEqual(kept);
    expect((await readdir(folder)).filter((name) => name.startsWith("."))).toEqual([]);
    expect(error).toBeInstanceOf(UserError);
    const { message } = error as UserError;
    expect(message.length).toBeLessThan(600);
    return message;
  };

  test("no spec", async () => {
    expect(await attempt({ spec: join(folder, "none.yaml") })).toMatch(/there is no file/);
  });

  test("a generator that fails says why", async () => {
    const generator = await readGeneratorConfig();
    const broken = { ...generator.generators["models-and-docs"], generatorName: "no-such-generator" };
    expect(await attempt({ generator: { ...generator, generators: { "models-and-docs": broken } } })).toMatch(
      /openapi-generator failed: .*no-such-generator/,
    );
  });

  test.runIf(isPosix)("a generator that emits nothing", async () => {
    const bin = join(folder, "bin-nothing");
    await mkdir(bin);
    await writeFile(join(bin, "java"), "#!/bin/sh\nexit 0\n");
    await chmod(join(bin, "java"), 0o755);
    vi.stubEnv("PATH", `${bin}${delimiter}${process.env["PATH"]}`);
    expect(await attempt({})).toMatch(/made no page of \w+IdpModel/);
  });

  test("without Java", async () => {
    vi.stubEnv("PATH", "");
    expect(await attempt({})).toBe("there is no java on the PATH: install Java 11 or newer");
  });

  test.runIf(isPosix)("with too old a Java", async () => {
    const bin = join(folder, "bin-old");
    await mkdir(bin);
    const complaint =
      "Exception in thread main java.lang.UnsupportedClassVersionError: has been compiled by a more recent version";
    await writeFile(join(bin, "java"), `#!/bin/sh\necho '${complaint}' >&2\nexit 1\n`);
    await chmod(join(bin, "java"), 0o755);
    vi.stubEnv("PATH", `${bin}${delimiter}${process.env["PATH"]}`);
    expect(await attempt({})).toBe("this java is too old: install Java 11 or newer");
  });

  test("with a jar that is not the pinned one", async () => {
    const storageDir = join(folder, "wrong-jar");
    await mkdir(storageDir);
    await writeFile(join(storageDir, "7.25.0.jar"), "not a jar");
    const generator = { ...(await readGeneratorConfig()), storageDir };
    expect(await attempt({ generator })).toMatch(
      /wrong-jar\/7\.25\.0\.jar is not openapi-generator 7\.25\.0: .*delete it/,
    );
  });

  test("offline, with no jar", async () => {
    vi.stubEnv("HTTPS_PROXY", "http://127.0.0.1:9");
    vi.stubEnv("https_proxy", "http://127.0.0.1:9");
    const storageDir = join(folder, "no-jar");
    const generator = { ...(await readGeneratorConfig()), storageDir };
    expect(await attempt({ generator })).toMatch(/could not be downloaded: allow access to Maven Central once, or put/);
    expect(await readdir(storageDir)).toEqual([]);
  });

  test("with a version that nobody has pinned", async () => {
    await expect(ensureJar({ ...(await readGeneratorConfig()), version: "7.26.0" })).rejects.toThrow(
      /no SHA-256 is pinned/,
    );
  });
});

test("schemas whose names differ in case alone have models of their own, and the pair is named", async () => {
  const thing = (type: string) => ({ type: "object", properties: { a: { type } } });
  const source = await specFile("alike", specOf({ user_list: thing("string"), UserList: thing("number") }));
  const out = join(folder, "alike");
  expect(await generate({ spec: source, out })).toEqual([
    'the schemas "UserList" and "user_list" are called alike: the model of the second is UserListIdpModel2',
  ]);
  const models = (await tree(out))["models/index.ts"];
  expect(models).toMatch(/interface UserListIdpModel \{[^}]*a\?: number;/);
  expect(models).toMatch(/interface UserListIdpModel2 \{[^}]*a\?: string;/);
});

describe("the folder that is written to", () => {
  test("is refused where it holds anything else", async () => {
    const out = join(folder, "others");
    await mkdir(join(out, "src"), { recursive: true });
    await expect(generate({ out })).rejects.toThrow(/others holds src, which is not generated and would be lost/);
    const models = join(folder, "models-of-others");
    await mkdir(join(models, "models"), { recursive: true });
    await writeFile(join(models, "paths.ts"), "// by hand");
    await expect(generate({ out: models })).rejects.toThrow(/holds models, which is not generated/);
    await writeFile(join(folder, "a-file"), "");
    await expect(generate({ out: join(folder, "a-file") })).rejects.toThrow(/a-file cannot be read as a folder/);
    expect(await readdir(out)).toEqual(["src"]);
  });
});

test("names come from the configuration, and pages of what is not ASCII have names of their own", async () => {
  const config = await readGeneratorConfig();
  const settings = { ...config.generators["models-and-docs"], modelNameSuffix: "Dto", apiNameSuffix: "Api" };
  const generator = { ...config, generators: { "models-and-docs": settings } };
  const tagged = (operationId: string, ...tags: string[]) => ({ get: { operationId, tags, responses: {} } });
  const paths = {
    "/a": tagged("a", "Käufer"),
    "/b": tagged("b", "日本"),
    "/c": tagged("c", "中国"),
    "/d": tagged("d", "straße"),
  };
  const source = await specFile("named", {
    ...specOf({ Thing: { type: "object", properties: { a: { type: "string" } } } }),
    paths,
  });
  const out = join(folder, "named");
  await generate({ spec: source, out, generator });
  const pages = Object.keys(await tree(out)).filter((path) => path.startsWith("docs/"));
  expect(pages).toEqual([
    "docs/KauferApi.md",
    "docs/StrasseApi.md",
    expect.stringMatching(/^docs\/Tag\w+Api\.md$/),
    expect.stringMatching(/^docs\/Tag\w+Api\.md$/),
    "docs/ThingDto.md",
  ]);
});

test("a property may be called like any keyword", async () => {
  const schemas = Object.fromEntries(
    keywords.map((name, index) => [
      `S${index}`,
      { type: "object", required: [name], properties: { [name]: { type: "integer" } } },
    ]),
  );
  const out = join(folder, "keywords");
  await generate({ spec: await specFile("keywords", specOf(schemas)), out });
  const files = new Map(Object.entries(await tree(out)));
  const lines = keywords.flatMap((name, index) => {
    const value = `{ ${JSON.stringify(name)}: 1 }`;
    const types = [`models.S${index}IdpModel`, `components["schemas"]["S${index}"]`];
    return types.flatMap((type, which) => [
      `export const v${index}_${which}: ${type} = ${value};`,
      `// @ts-expect-error\nexport const w${index}_${which}: ${type} = {};`,
    ]);
  });
  const imports = 'import type * as models from "./models/index.js";\nimport type { components } from "./paths.js";';
  files.set("program.ts", [imports, ...lines].join("\n"));
  expect(problemsIn(files)).toEqual([]);
});

test("a link to a folder stays, and the folder is replaced", async () => {
  const [target, link] = [join(folder, "linked"), join(folder, "link")];
  await mkdir(target);
  await symlink(target, link);
  await generate({ out: link });
  expect((await lstat(link)).isSymbolicLink()).toBe(true);
  expect(await tree(target)).toEqual(await tree(committed));
});

test("the URL of an environment ends without a slash", () => {
  const servers = [{ url: "https://idp.example/v1/", "x-environment": "sandbox" }];
  expect(environments({ servers } as never)).toContain('{"sandbox":"https://idp.example/v1"}');
});

test("operations come out where no schema has a name", async () => {
  const thing = { type: "object", properties: { a: { type: "string" } } };
  const ok = {
    description: "ok ![image](https://idp.example/x.png)",
    content: { "application/json": { schema: thing } },
  };
  const source = await specFile("unnamed", {
    openapi: "3.0.3",
    info: { title: "x", version: "1" },
    paths: { "/ping": { get: { operationId: "ping", tags: ["Ping"], responses: { "200": ok, default: ok } } } },
  });
  const out = join(folder, "unnamed");
  await generate({ spec: source, out });
  const files = await tree(out);
  expect(Object.keys(files).sort()).toEqual([
    "docs/PingIdpApi.md",
    "emulator/spec.ts",
    "environments.ts",
    "models/index.ts",
    "paths.ts",
  ]);
  expect(files["models/index.ts"]).toMatch(/\nexport \{\};\n$/);
  expect(files["docs/PingIdpApi.md"]).toContain("`{ a?: string; }`");
  expect(files["docs/PingIdpApi.md"]).toMatch(/\| \*\*200\*\* \|.*\n\| \*\*default\*\* \|/);
});

test("schemas of every kind come out, and the two generators agree on them", async () => {
  const ref = (name: string) => ({ $ref: `#/components/schemas/${name}` });
  const schemas = {
    Thing: {
      type: "object",
      description: "A thing & <b>more</b>.\n\nSecond paragraph | with a pipe.",
      required: ["guid", "kind", "class"],
      properties: {
        guid: { type: "string", minLength: 32, maxLength: 32, pattern: '^[0-9a-f"/\\\\]+$', description: "A | B\nC" },
        kind: { type: "string", enum: ["a:b", "a-b", "1", "", "a b:ü"] },
        level: { type: "integer", enum: [1, 2, -3] },
        tags: { type: "array", uniqueItems: true, items: { type: "string", enum: ["x", "y"] } },
        class: { type: "boolean", default: false },
        created_at: { type: "string", format: "date-time" },
        born: { type: "string", format: "date" },
        file: { type: "string", format: "binary" },
        ratio: { type: "number", format: "double", minimum: 0, exclusiveMinimum: true },
        big: { type: "integer", format: "int64" },
        parent: ref("Thing"),
        children: { type: "array", items: ref("Thing") },
        matrix: { type: "array", items: { type: "array", items: { type: "number" } } },
        page: ref("Page"),
        state: ref("State"),
        seen: { type: "string", readOnly: true },
        secret: { type: "string", writeOnly: true },
        default: { type: "string" },
      },
    },
    Page: { type: "integer", minimum: 0 },
    Names: { type: "array", items: { type: "string" } },
    State: { type: "string", enum: ["on", "off"], description: "On or off." },
    MaybeState: { type: "string", enum: ["on", null], nullable: true },
    Mixed: { enum: ["on", 1, true, null] },
    Empty: { type: "object" },
    Anything: {},
    Free: { type: "object", additionalProperties: true },
    Counts: { type: "object", additionalProperties: { type: "integer" } },
    Sealed: { type: "object", properties: { a: { type: "string" } }, additionalProperties: false },
    Extended: {
      allOf: [ref("Thing"), { type: "object", required: ["extra"], properties: { extra: { type: "string" } } }],
    },
    Cat: { type: "object", required: ["kind"], properties: { kind: { type: "string" } } },
    One: {
      oneOf: [ref("Cat"), ref("Sealed")],
      discriminator: { propertyName: "kind", mapping: { c: ref("Cat").$ref } },
    },
    Any: { anyOf: [{ type: "string" }, { type: "number" }] },
    Nullable: { type: "object", properties: { a: { type: "string", nullable: true }, b: { type: "string" } } },
    Inline: { type: "object", properties: { deep: { type: "object", properties: { er: { type: "string" } } } } },
    Odd: {
      type: "object",
      properties: { "a b": { type: "string" }, "content-type": { type: "string" }, $: { type: "string" } },
    },
    snake_case: { type: "object", properties: { a: { type: "string" } } },
    "dotted.name": { type: "object", properties: { a: { type: "string" } } },
  };
  const operations = {
    paths: {
      "/things": {
        parameters: [{ name: "page", in: "query", schema: ref("Page") }],
        get: {
          operationId: "listThings",
          parameters: [
            { name: "kind", in: "query", required: true, schema: { type: "string", enum: ["a", "b"] } },
            { name: "ids", in: "query", schema: { type: "array", items: { type: "string" } } },
            { name: "filter", in: "query", schema: { type: "object", properties: { a: { type: "string" } } } },
            { name: "X-Trace", in: "header", schema: { type: "string" } },
          ],
          responses: {
            "200": {
              description: "Things | all",
              content: { "application/json": { schema: { type: "array", items: ref("Thing") } } },
            },
            default: { description: "Otherwise", content: { "application/json": { schema: ref("Any") } } },
          },
        },
        post: {
          operationId: "createThing",
          tags: ["Things"],
          description: "Creates. [docs](https://example.com) [not](javascript:alert) <script>alert(1)</script>",
          requestBody: { required: true, content: { "application/json": { schema: ref("Extended") } } },
          responses: { "204": { description: "Nothing", headers: { "X-Rate": { schema: { type: "integer" } } } } },
        },
      },
    },
  };
  for (const [version, more] of [
    ["3.0.3", {}],
    [
      "3.1.0",
      {
        Tuple: { type: "array", prefixItems: [{ type: "string" }] },
        Const: { const: "x" },
        Union: { type: ["string", "null"] },
        Optional: { type: "object", properties: { a: { type: ["string", "null"] } } },
      },
    ],
  ] as const) {
    const source = await specFile(`shapes-${version}`, {
      ...specOf({ ...schemas, ...more }, operations),
      openapi: version,
    });
    const out = join(folder, `shapes-${version}`);
    const [notes] = await generate({ spec: source, out });
    const aliases = (notes ?? "").replace(/^.*: /, "").split(", ");
    // Whatever is a plain object or an enum is openapi-generator's own.
    expect(aliases).toEqual(
      [
        [
          "AnyIdpModel",
          "AnythingIdpModel",
          "CatIdpModel",
          ...(version === "3.1.0" ? ["ConstIdpModel"] : []),
          "CountsIdpModel",
        ],
        ["EmptyIdpModel", "ExtendedIdpModel", "FreeIdpModel", "InlineIdpModel", "MaybeStateIdpModel", "MixedIdpModel"],
        ["NamesIdpModel", "OddIdpModel", "OneIdpModel", "PageIdpModel", "SealedIdpModel"],
        version === "3.1.0" ? ["TupleIdpModel", "UnionIdpModel"] : [],
      ].flat(),
    );
    const files = await tree(out);
    const models = files["models/index.ts"] ?? "";
    const [thing] = /interface ThingIdpModel \{[^}]*\}/.exec(models) ?? [];
    expect(thing).toContain("created_at?: string;");
    expect(thing).toContain("tags?: Array<ThingIdpModelTagsEnum>;");
    expect(models).toMatch(/ThingIdpModelKindEnum = \{[^}]*\bAB2\b/);
    expect(models).toMatch(/interface NullableIdpModel \{[^}]*a\?: string \| null;/);
    // It extends a model with a property for responses alone, whose marker is for openapi-fetch.
    expect(models).toMatch(/type ExtendedIdpModel = ThingIdpModel & \{\s+extra: string;\s+\};/);
    expect(models).toContain('type OddIdpModel = components["schemas"]["Odd"];');
    expect(files["docs/CountsIdpModel.md"]).toContain("[key: string]: number");
    expect(files["docs/InlineIdpModel.md"]).toMatch(/deep\?: \{\s+er\?: string;\s+\};/);
    expect(files["docs/ThingsIdpApi.md"]).toContain("[docs](https://example.com)");
    expect(files["docs/ThingsIdpApi.md"]).not.toMatch(/<script|\]\(javascript/);
    expect(files["environments.ts"]).toContain('test: "https://api.example"');
    expect((await stat(join(out, "docs"))).isDirectory()).toBe(true);
  }
});

describe("what is generated may do nothing", () => {
  const others = { "models/A.ts": "export interface A { a: string }\n" };
  const inspect = (text: string) => inspectCode(new Map(Object.entries({ ...others, "models/B.ts": text })));

  test.each([
    "export interface B { a?: Array<string>; readonly b: 'x' | null }",
    'import type { A } from "./A.js";\nexport type B = A["a"];',
    'export * from "./A.js";\nexport {};',
    'export const B = { a: "x", "b-c": [1, -2, true, null], d: { e: "f" } } as const;\nexport type B = (typeof B)[keyof typeof B];',
    "/** a comment with `code` and ${braces} */\nexport type B = `a${string}`;",
  ])("allowed: %s", (text) => {
    expect(() => inspect(text)).not.toThrow();
  });

  test.each([
    ["alert(1);", /B\.ts:1: a statement/],
    ["export type A = string;\n\nglobalThis.x = 1;", /B\.ts:3: a statement/],
    ["export const b = alert(1);", /no literal/],
    ["export const b = { a: alert(1) };", /no literal/],
    ["export const b = { [alert(1)]: 1 };", /no literal/],
    ["export const b = { get a() { return 1; } };", /no literal/],
    ["export const b = { ...a };", /no literal/],
    ["export const b = { a };", /no literal/],
    ["export const b = { __proto__: {} };", /no literal/],
    ['export const b = { "__proto__": {} };', /no literal/],
    ["export const b = [...'a'];", /no literal/],
    ["export const b = `a${alert(1)}`;", /no literal/],
    ["export const b = () => 1;", /no literal/],
    ["export const b = 1, c = alert(1);", /no literal/],
    ["export const b = -alert(1);", /no literal/],
    ["export const { b } = {};", /no literal/],
    ["export let b = 1;", /a statement/],
    ["export function b() {}", /a statement/],
    ["export class B { static { alert(1); } }", /a statement/],
    ["export enum B { a = 1 }", /a statement/],
    ["export namespace B { alert(1); }", /a statement/],
    ["export default 1;", /a statement/],
    ['import fs from "node:fs";', /not generated/],
    ['import "./A.js";\nimport "../../src/client.js";', /B\.ts:2: an import/],
    ['export * from "https://evil.example/a.js";', /not generated/],
    ['export type B = import("fs").Stats;', /within a type/],
    ['/// <reference path="/etc/passwd" />\nexport {};', /directive/],
    ["// @ts-nocheck\nexport {};", /directive/],
    ["export interface B { a: string ", /B\.ts:1: /],
    ["/** closed */ alert(1) /* */\nexport {};", /a statement/],
  ])("refused: %s", (text, problem) => {
    expect(() => inspect(text)).toThrow(problem);
  });

  test.each([
    "<b>x</b>",
    "x <img src=x>",
    "<!-- x -->",
    "[x](javascript:alert)",
    "[x](http://a.example)",
    "[x]: javascript:alert",
    "![x](data:image)",
    "[x](../../etc/passwd)",
    "\\`<img src=x>`",
    "[x]\n\n[x]: javascript:alert",
    "- > <b>x</b>",
    "| a |\n| --- |\n| <b>x</b> |",
  ])("refused in a page: %s", (line) => {
    expect(() => inspectDocs(new Map([["docs/A.md", `# A\n\n${line}\n`]]))).toThrow(/generated\/docs\/A\.md:[35]: /);
  });

  test("allowed in a page: links to pages, code and examples", () => {
    const page =
      "# A\n\n[`B`](B.md) [x](https://a.example) http://a.example a@a.example `Array<string>` 1 < 2\n\n```ts\nconst a: Array<string> = [];\n```\n";
    expect(() => inspectDocs(new Map([["docs/A.md", page]]))).not.toThrow();
  });
});

describe("a model is openapi-generator's where its type is exactly openapi-typescript's", () => {
  const spec = { openapi: "3.0.3", components: { schemas: { "a-b": { type: "object" } } } };
  const paths = 'export interface components { schemas: { "a-b": { x: string; y?: number } } }';
  const choose = (model: string) => chooseModels(spec, model, paths, new Map([["a-b", "AB"]]));

  test("an interface", () => {
    const model = "/** A and B. */\nexport interface AB { x: string; y?: number }";
    expect(choose(model)).toEqual([{ name: "AB", text: `${model}\n`, page: `${model}\n`, isAlias: false }]);
  });

  test.each([
    "export interface AB { x: string; z?: number }",
    "export interface AB { x: string }",
    "export interface AB { x: 'a'; y?: number }",
    "export interface AB { x: string; y: number }",
    "export interface AB { readonly x: string; y?: number }",
    "export interface AB { x: any; y?: number }",
    "export type AB = any;",
    "export interface AB { x: Missing; y?: number }",
  ])("and an alias otherwise: %s", (model) => {
    expect(choose(model)).toEqual([
      {
        name: "AB",
        text: 'export type AB = components["schemas"]["a-b"];\n\n',
        page: "export type AB = { x: string; y?: number };\n\n",
        isAlias: true,
      },
    ]);
  });

  test("a schema without a model is refused", () => {
    expect(() => choose("export interface AC { x: string }")).toThrow('made no model for the schema "a-b"');
  });
});

test("an alias has the constants of its schema", async () => {
  const schemas = {
    Base: { type: "object", properties: { id: { type: "string" } } },
    Pet: {
      allOf: [
        { $ref: "#/components/schemas/Base" },
        { type: "object", properties: { kind: { type: "string", enum: ["big cat", "small-dog"], maxLength: 9 } } },
      ],
    },
    Level: { type: "integer", nullable: true, enum: [-1, 1, 1.5, null] },
  };
  const out = join(folder, "alias");
  expect(await generate({ spec: await specFile("alias", specOf(schemas)), out })).toEqual([
    "aliases of openapi-typescript's types: LevelIdpModel, PetIdpModel",
  ]);
  const models = (await tree(out))["models/index.ts"];
  expect(models).toContain('PetIdpModelKindEnum = { BigCat: "big cat", SmallDog: "small-dog" } as const;');
  expect(models).toContain("PetIdpModelConstraints = { kind: { maxLength: 9 } } as const;");
  expect(models).toContain("LevelIdpModel = { Minus1: -1, _1: 1, _1Point5: 1.5 } as const;");
});

test("a list of which nothing is known goes through", async () => {
  const schemas = { Loose: { type: "object", properties: { a: { type: "array" } } } };
  const out = join(folder, "loose");
  await generate({ spec: await specFile("loose", specOf(schemas, { openapi: "3.1.0" })), out });
  expect((await tree(out))["docs/LooseIdpModel.md"]).toContain("a?: unknown[];");
});

test("code that does not compile is refused with its place", () => {
  const files = new Map([["models/index.ts", "export interface AB {\n  x: Missing;\n}"]]);
  expect(() => checkTypes(files)).toThrow(/models\/index\.ts:2 does not compile/);
});

describe("enum keys", () => {
  test.each([
    [
      ["counterparties:pii:read", "customers:read"],
      ["CounterpartiesPiiRead", "CustomersRead"],
    ],
    [
      ["a:b", "a-b", "AB", ""],
      ["AB", "AB2", "AB3", "Empty"],
    ],
    [
      [1, -1, 1.5, "a", "a"],
      ["_1", "Minus1", "_1Point5", "A", "A"],
    ],
  ])("of %j are %j", (values, keys) => {
    expect(enumKeys(values)).toEqual(keys);
  });

  test("are identifiers, each once, for any values", () => {
    fc.assert(
      fc.property(fc.uniqueArray(fc.oneof(fc.string(), fc.string({ unit: "grapheme" }), fc.integer())), (values) => {
        const keys = enumKeys(values);
        expect(new Set(keys).size).toBe(values.length);
        for (const key of keys) expect(key).toMatch(/^[A-Za-z_]\w*$/);
      }),
    );
  });
});
