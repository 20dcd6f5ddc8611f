import { execFile } from "node:child_process";
import { chmod, lstat, mkdir, readFile, readdir, rm, symlink, writeFile } from "node:fs/promises";
import { delimiter, dirname, join, resolve } from "node:path";
import { promisify } from "node:util";
import { describe, expect, test, vi } from "vitest";
import { generate } from "../../scripts/generate.js";
import { readTree } from "../../scripts/generate/files.js";
import { ensureJar, readGeneratorConfig } from "../../scripts/generate/jar.js";
import { problemsIn } from "../../scripts/generate/type-check.js";
import { cachedNode } from "../../scripts/npm.js";
import { type Json, getIn } from "../../scripts/spec/json.js";
import { type ObjectType, fieldsOf } from "../../scripts/spec/walk.js";
import { readFixture } from "../support/cases.js";
import { isPosix } from "../support/mode.js";
import { copyRepository } from "../support/repository.js";
import { treeForAll } from "../support/tree.js";

const committed = Object.fromEntries(await readTree("generated"));
const { at, put, files, refusal } = treeForAll();

/** Generates from a description, in folders of the same name. */
async function generated(name: string, spec: Json, options: Parameters<typeof generate>[0] = {}) {
  const notes = await generate({ spec: await put(`${name}.yaml`, spec), out: at(name), ...options });
  return { notes, files: await files(name) };
}

/** A small description. */
const described = (paths: Json, components?: Json): Json => ({
  openapi: "3.0.3",
  info: { title: "A test", version: "1" },
  paths,
  ...(components && { components }),
});

describe("the same bytes", () => {
  const script = ["--import", "tsx/esm", "scripts/generate.ts"];

  test("are generated through a link, in another locale, time zone and Node, over any previous output, and for another version of the spec", async () => {
    const text = await readFile("openapi/customer-tokens.yaml", "utf8");
    const source = await put("bumped.yaml", text.replace(/^( {2}version:).*$/m, '$1 "v99.1.2"'));
    await put("elsewhere/generated/models/StaleIdpModel.ts", "");
    await put("elsewhere/generated/paths.ts", committed["paths.ts"]);
    const link = at("link");
    await symlink(at("elsewhere/generated"), link);
    const node = await cachedNode("24.21.0");
    const run = promisify(execFile);
    expect((await run(node, ["--version"])).stdout.trim()).toBe("v24.21.0");
    const env = { ...process.env, TZ: "Pacific/Kiritimati", LC_ALL: "tr_TR.UTF-8", LANG: "tr_TR.UTF-8" };
    await run(node, [...script, "--source", source, "--out", link], { env });
    expect(await files("elsewhere/generated")).toEqual(committed);
    expect((await lstat(link)).isSymbolicLink()).toBe(true);
    expect(await readdir(at("elsewhere"))).toEqual(["generated"]);
  }, 120_000);

  test.runIf(isPosix)("are generated in a non-ASCII folder, in the locale that knows only ASCII", async () => {
    const home = at("my projects", "ü");
    const [cwd, temporary, jars] = [join(home, "repository"), join(home, "tmp"), join(home, ".cache")];
    await copyRepository(cwd);
    await symlink(resolve("node_modules"), join(cwd, "node_modules"));
    for (const made of [temporary, jars]) await mkdir(made);
    await symlink(dirname(await ensureJar(await readGeneratorConfig())), join(jars, "openapi-generator-cli"));
    const env = { ...process.env, HOME: home, LC_ALL: "C", TMPDIR: temporary };
    await promisify(execFile)(process.execPath, [...script, "--check"], { cwd, env });
  });

  test("hold no banner, no version and no litter, and the schemas that the client names are openapi-generator's", () => {
    const expected = /^(?:\w+\.ts|(?:models\/index|emulator\/spec)\.ts|docs\/\w+\.md)$/;
    expect(Object.keys(committed).filter((path) => !expected.test(path))).toEqual([]);
    for (const text of Object.values(committed)) expect(text).not.toMatch(/OpenAPI Generator|7\.25\.0|v0\.\d+/);
    expect(committed["models/index.ts"]).not.toMatch(
      /\b(?:PostCustomerToken|CustomerToken|ErrorResponse|MessageCode|AccessToken\w*)IdpModel = components\[/,
    );
  });
});

test("--check lists the differences, and changes nothing", async () => {
  for (const [path, text] of Object.entries(committed)) await put(`checked/${path}`, text);
  await put("checked/paths.ts", `${committed["paths.ts"]}// edited`);
  await put("checked/models/Extra.ts", "");
  await rm(at("checked/environments.ts"));
  const before = await files("checked");
  await mkdir(at("temporary"));
  vi.stubEnv("TMPDIR", at("temporary"));
  const lines: string[] = [];
  await expect(generate({ out: at("checked"), check: true }, (line) => lines.push(line))).rejects.toThrow(
    /generates:\n +changed: paths\.ts\n +missing: environments\.ts\n +extra: +models\/Extra\.ts\nrun `npm run generate -- --out .*checked` and/,
  );
  expect(lines[0]).toMatch(/Read and check openapi\/customer-tokens\.yaml /);
  expect(await files("checked")).toEqual(before);
  expect(await readdir(at("temporary"))).toEqual([]);
});

describe("a step that fails leaves everything as it was:", () => {
  const kept = { "paths.ts": "// Generated from the spec by `npm run generate`. Do not edit.\n\n// kept" };

  async function failure(options: Parameters<typeof generate>[0]): Promise<string> {
    await put("failed/out/paths.ts", kept["paths.ts"]);
    const message = await refusal(() => generate({ out: at("failed/out"), ...options }), "failed");
    expect(await files("failed")).toEqual({ "out/paths.ts": kept["paths.ts"] });
    expect(message.length).toBeLessThan(600);
    return message;
  }

  type Config = Awaited<ReturnType<typeof readGeneratorConfig>>;

  test.each<[string, (generator: Config) => Parameters<typeof generate>[0], RegExp]>([
    ["no spec", () => ({ spec: at("none.yaml") }), /there is no file/],
    [
      "a generator that fails says why",
      ({ generators, ...generator }) => {
        const unknown = { ...generators["models-and-docs"], generatorName: "no-such-generator" };
        return { generator: { ...generator, generators: { "models-and-docs": unknown } } };
      },
      /openapi-generator failed: .*no-such-generator/,
    ],
    [
      "a jar that is not the pinned one",
      (generator) => ({ generator: { ...generator, storageDir: at("wrong-jar") } }),
      /wrong-jar\/7\.25\.0\.jar is not openapi-generator 7\.25\.0: .*delete it/,
    ],
    [
      "a version that nobody has pinned",
      (generator) => ({ generator: { ...generator, version: "7.26.0" } }),
      /no SHA-256 is pinned/,
    ],
  ])("%s", async (_, options, says) => {
    await put("wrong-jar/7.25.0.jar", "not a jar");
    expect(await failure(options(await readGeneratorConfig()))).toMatch(says);
  });

  test("no Java", async () => {
    vi.stubEnv("PATH", "");
    expect(await failure({})).toBe("there is no java on the PATH: install Java 11 or newer");
  });

  test.runIf(isPosix).each([
    ["that emits nothing", "exit 0", /made no page of \w+IdpModel/],
    [
      "that is too old",
      "echo 'UnsupportedClassVersionError: has been compiled by a more recent version' >&2; exit 1",
      /^this java is too old: install Java 11 or newer$/,
    ],
  ])("a Java %s", async (title, program, says) => {
    await chmod(await put(`${title}/java`, `#!/bin/sh\n${program}\n`), 0o755);
    vi.stubEnv("PATH", `${at(title)}${delimiter}${process.env["PATH"]}`);
    expect(await failure({})).toMatch(says);
  });

  test("no jar, and no network", async () => {
    for (const name of ["HTTPS_PROXY", "https_proxy"]) vi.stubEnv(name, "http://127.0.0.1:9");
    const generator = { ...(await readGeneratorConfig()), storageDir: at("no-jar") };
    expect(await failure({ generator })).toMatch(/could not be downloaded: allow access to Maven Central once, or put/);
    expect(await readdir(at("no-jar"))).toEqual([]);
  });

  test("a folder that holds anything else", async () => {
    await mkdir(at("others/src"), { recursive: true });
    await mkdir(at("by-hand/models"), { recursive: true });
    await put("by-hand/paths.ts", "// by hand");
    await writeFile(at("a-file"), "");
    const refused = (name: string, says: RegExp) => expect(generate({ out: at(name) })).rejects.toThrow(says);
    await refused("others", /others holds src, which is not generated and would be lost/);
    await refused("by-hand", /holds models, which is not generated/);
    await refused("a-file", /a-file cannot be read as a folder/);
    expect(await readdir(at("others"))).toEqual(["src"]);
  });
});

test("names come from the configuration, and pages of tags that are not ASCII have different names", async () => {
  const config = await readGeneratorConfig();
  const settings = { ...config.generators["models-and-docs"], modelNameSuffix: "Dto", apiNameSuffix: "Api" };
  const generator = { ...config, generators: { "models-and-docs": settings } };
  const operations = ["Käufer", "日本", "中国", "straße"].map((tag, index) => {
    return [`/${index}`, { get: { operationId: `get${index}`, tags: [tag], responses: {} } }] as const;
  });
  const schemas = { Thing: { type: "object", properties: { a: { type: "string" } } } };
  const named = await generated("named", described(Object.fromEntries(operations), { schemas }), { generator });
  expect(Object.keys(named.files).filter((path) => path.startsWith("docs/"))).toEqual([
    "docs/KauferApi.md",
    "docs/StrasseApi.md",
    expect.stringMatching(/^docs\/Tag\w+Api\.md$/),
    expect.stringMatching(/^docs\/Tag\w+Api\.md$/),
    "docs/ThingDto.md",
  ]);
});

test("a property may be called like any keyword", async () => {
  // Every field that OpenAPI or JSON Schema gives to a type of object.
  const types = new Set<ObjectType>(["openapi"]);
  for (const type of types)
    for (const kind of fieldsOf(type).values()) types.add(kind.replaceAll(/\[\]|\{\}/g, "") as ObjectType);
  const keywords = [...new Set([...types].flatMap((type) => [...fieldsOf(type).keys()]))];
  const schemas = keywords.map((name, index) => {
    return [`S${index}`, { type: "object", required: [name], properties: { [name]: { type: "integer" } } }] as const;
  });
  const outcome = await generated("keywords", described({}, { schemas: Object.fromEntries(schemas) }));
  const lines = keywords.flatMap((name, index) =>
    [`models.S${index}IdpModel`, `components["schemas"]["S${index}"]`].flatMap((type, which) => [
      `export const v${index}_${which}: ${type} = { ${JSON.stringify(name)}: 1 };`,
      `// @ts-expect-error\nexport const w${index}_${which}: ${type} = {};`,
    ]),
  );
  const imports = 'import type * as models from "./models/index.js";\nimport type { components } from "./paths.js";';
  const program = { "program.ts": [imports, ...lines].join("\n") };
  expect(problemsIn(new Map(Object.entries({ ...outcome.files, ...program })))).toEqual([]);
});

test("operations come out if no schema has a name", async () => {
  const text = { type: "string" };
  const schema = { allOf: [{ properties: { a: text } }, { properties: { "a b": text, name: text } }] };
  const ok = { description: "ok ![image](https://idp.example/x.png)", content: { "application/json": { schema } } };
  const ping = { operationId: "ping", tags: ["Ping"], responses: { "200": ok, default: ok } };
  const unnamed = await generated("unnamed", described({ "/ping": { get: ping } }));
  expect(Object.keys(unnamed.files).sort()).toEqual([
    "docs/PingIdpApi.md",
    "emulator/spec.ts",
    "environments.ts",
    "models/index.ts",
    "paths.ts",
  ]);
  expect(unnamed.files["models/index.ts"]).toMatch(/\nexport \{\};\n$/);
  expect(unnamed.files["docs/PingIdpApi.md"]).toContain('`{ a?: string; } & { "a b"?: string; name?: string; }`');
  expect(unnamed.files["docs/PingIdpApi.md"]).toMatch(/\| \*\*200\*\* \|.*\n\| \*\*default\*\* \|/);
});

describe.each([
  ["3.0.3", {}, ""],
  ["3.1.0", readFixture<Json>("shapes-3.1"), " Const Loose Tuple Union"],
])("schemas of every kind, in %s,", (openapi, more, furtherReplaced) => {
  const shapes = readFixture<Json>("shapes");
  const schemas = { ...(getIn(shapes, ["components", "schemas"]) as Json), ...more };

  test("come out, and the two generators agree on them", async () => {
    const outcome = await generated(openapi, { ...shapes, openapi, components: { schemas } });
    // Whatever is a plain object or an enum is openapi-generator's own.
    const replaced =
      "Any Anything Cat Counts Empty Extended Free Inline Level MaybeState Mixed Names Odd One Page Pet Sealed Value";
    const all = (replaced + furtherReplaced).split(" ").map((name) => `${name}IdpModel`);
    expect(outcome.notes).toEqual([
      'the schemas "UserList" and "user_list" would share a model name: the second is called UserListIdpModel2',
      `models with openapi-typescript's types: ${all.sort().join(", ")}`,
    ]);
    for (const [path, patterns] of Object.entries(readFixture<Record<string, string[]>>("shapes-generated")))
      for (const pattern of patterns) expect(outcome.files[path]).toMatch(new RegExp(pattern));
    expect(outcome.files["docs/ThingsIdpApi.md"]).not.toMatch(/<script|\]\(javascript/);
    if ("Loose" in more) expect(outcome.files["docs/LooseIdpModel.md"]).toContain("a?: unknown[];");
  });
});
