import { execFile } from "node:child_process";
import { readFile, symlink } from "node:fs/promises";
import { relative } from "node:path";
import { promisify } from "node:util";
import { format, resolveConfig } from "prettier";
import { describe, expect, test } from "vitest";
import { applyOverlay } from "../../scripts/pull/overlay.js";
import { type Pulled, main, pull } from "../../scripts/pull.js";
import { checkSpec } from "../../scripts/spec/check.js";
import { readSpec, readText } from "../../scripts/spec/read.js";
import { type Json, getIn } from "../../scripts/spec/json.js";
import { parseSpec } from "../../scripts/spec/parse.js";
import { walk } from "../../scripts/spec/walk.js";
import { readCases, readFixture } from "../support/cases.js";
import { fixtureText } from "../support/fixture.js";
import { treeForEach } from "../support/tree.js";

const committed = "openapi/customer-tokens.yaml";
const library = "test/fixtures/library.yaml";
const operation = "$.paths['/api/customer_tokens'].post";

const { at, put, read, files, refusal } = treeForEach();

const config = (...operationIds: string[]): Promise<string> =>
  put("source.json", JSON.stringify({ url: "https://library.example", operationIds }));

/** The whole description, as upstream would publish it, of which a file is the slice, with further overlay actions. */
async function wholeUpstream(actions: Json[] = [], slice?: string): Promise<Json> {
  const spec = parseSpec(slice === undefined ? await fixtureText() : await readText(slice), "the slice");
  const whole = readFixture<{ actions: Json[] }>("upstream").actions;
  return applyOverlay(spec, { name: "the edits", version: "1.0.0", actions: [...whole, ...actions] });
}

/** Pulls operations that upstream publishes of the fixture, with the project's own overlay. */
async function pullFixture(upstream: Json, operationIds = ["createCustomerToken"]): Promise<Pulled> {
  const [from, overlay] = [await put("upstream.yaml", upstream), "openapi/overlay.yaml"];
  return pull({ from, config: await config(...operationIds), overlay, out: at("out/") });
}

const minimal = {
  openapi: "3.0.3",
  info: { title: "Library", version: "1" },
  paths: { "/books": { get: { operationId: "getBook", responses: {} } } },
};

/** Pulls a description whose operation responds with a schema. `edit` changes its JSON. */
async function pullAnswering(schema: Json, edit = (json: string) => json): Promise<Pulled> {
  const content = { "application/json": { schema: { $ref: "#/components/schemas/A" } } };
  const responses = { "200": { description: "ok", content } };
  const paths = { "/books": { get: { operationId: "getBook", responses } } };
  const upstream = JSON.stringify({ ...minimal, paths, components: { schemas: { A: schema } } });
  return pull({ from: await put("upstream.yaml", edit(upstream)), config: await config("getBook") });
}

/** Runs the command in this process. Returns its output. */
async function run(...args: string[]): Promise<{ stdout: string[]; stderr: string[] }> {
  const printed = { stdout: [] as string[], stderr: [] as string[] };
  await main(
    args,
    (text) => printed.stdout.push(text),
    (text) => printed.stderr.push(text),
  );
  return printed;
}

describe("the committed description", () => {
  test("lists as MessageCode the codes of its responses", async () => {
    const spec = await readSpec(committed);
    const lists: unknown[] = [];
    walk(spec, ({ key, value }) => {
      if (key === "x-message-codes") lists.push(...(value as unknown[]));
    });
    const enumerated = getIn(spec, ["components", "schemas", "MessageCode", "enum"]);
    expect(new Set(lists)).toEqual(new Set(enumerated as unknown[]));
  });

  test("comes out again, to the byte, from a whole description that holds it", async () => {
    await pull({ from: await put("upstream.yaml", await wholeUpstream([], committed)), out: at("out/") });
    expect(await read("out/customer-tokens.yaml")).toBe(await readFile(committed, "utf8"));
  });
});

describe("pull", () => {
  test("writes the slice, and where it came from as prettier leaves the project's own", async () => {
    const path = await config("getBook", "lend", "removeBook");
    const out = at("library.yaml");
    const pulled = await pull({ from: library, config: path, out });
    expect(pulled.written).toEqual([out, path]);
    expect(pulled.verdict).toMatchObject({ verdict: "minor", from: "nothing", to: "v7.1" });
    const text = await read("source.json");
    expect(JSON.parse(text)).toEqual({
      url: "https://library.example",
      operationIds: ["getBook", "lend", "removeBook"],
      version: "v7.1",
      sha256: expect.stringMatching(/^[0-9a-f]{64}$/),
    });
    expect(await format(text, { ...(await resolveConfig("package.json")), parser: "json" })).toBe(text);
    expect(checkSpec(await readSpec(out), out)).toBeUndefined();
  });

  test("changes nothing the second time", async () => {
    const options = { from: library, config: await config("lend", "getBook") };
    await pull(options);
    const before = await files();
    const { verdict, written } = await pull(options);
    expect(written).toEqual([]);
    expect(verdict).toMatchObject({ verdict: "none", from: "v7.1", to: "v7.1", changes: [] });
    expect(await files()).toEqual(before);
  });

  test("changes source.json alone if upstream's version alone changed", async () => {
    await pullFixture(await wholeUpstream());
    const update = { version: "v10", description: "# Other prose" };
    const { verdict, written } = await pullFixture(await wholeUpstream([{ target: "$.info", update }]));
    expect(written).toEqual([at("out/source.json")]);
    expect(verdict).toEqual({ verdict: "none", from: "v9.9.9", to: "v10", changes: [] });
  });

  test("takes one more operation by its id alone, with the overlay around it", async () => {
    await pullFixture(await wholeUpstream(), ["createCustomerToken", "getOther"]);
    const spec = await readSpec(at("out/customer-tokens.yaml"));
    expect(Object.keys(spec["paths"] as Json)).toEqual(["/api/customer_tokens", "/api/other", "/oauth/token"]);
    expect(getIn(spec, ["components", "responses", "Other"])).toEqual({ description: "Another" });
  });

  test("gives an older description the error responses that it lacks", async () => {
    const gone = ["401", "403", "422"].map((status) => `${operation}.responses['${status}']`);
    const actions = [...gone, "$.components.schemas.ErrorResponse"].map((target) => ({ target, remove: true }));
    expect((await pullFixture(await wholeUpstream(actions))).notes).toEqual([]);
    const spec = await readSpec(at("out/customer-tokens.yaml"));
    const responses = getIn(spec, ["paths", "/api/customer_tokens", "post", "responses"]) as Json;
    expect(Object.keys(responses)).toEqual(["201", "401", "403", "422"]);
    expect(getIn(spec, ["components", "schemas", "ErrorResponse", "required"])).toHaveLength(3);
  });

  test("takes OpenAPI 3.1, JSON with tabs, and a byte order mark", async () => {
    const spec = { ...(await wholeUpstream([], committed)), openapi: "3.1.0" };
    const from = await put("upstream.json", `\u{feff}${JSON.stringify(spec, null, "\t")}`);
    await pull({ from, out: at("out/") });
    expect(await readSpec(at("out/customer-tokens.yaml"))).toMatchObject({ openapi: "3.1.0" });
  });

  test("notes differences between the overlay's message codes and upstream's examples", async () => {
    expect((await pullFixture(await wholeUpstream())).notes).toEqual([]);
    const media = `${operation}.responses['403'].content['application/json']`;
    const upstream = await wholeUpstream([
      { target: `${media}.examples`, remove: true },
      { target: media, update: { example: { message_code: "too_poor" } } },
    ]);
    expect((await pullFixture(upstream)).notes).toEqual([
      "upstream's examples show a message_code that openapi/overlay.yaml does not list: too_poor (403 of createCustomerToken)",
      "upstream's examples no longer show a message_code that openapi/overlay.yaml lists: invalid_scopes (403 of createCustomerToken), forbidden (403 of createCustomerToken)",
    ]);
    // From then on, the first alone: the overlay may list codes that no example shows.
    expect((await pullFixture(upstream)).notes).toHaveLength(1);
  });

  test("does without an overlay, and with an empty one", async () => {
    const options = { from: library, config: await config("getBook") };
    expect((await pull(options)).notes).toEqual([`no overlay: there is no file ${at("overlay.yaml")}`]);
    await put("overlay.yaml", { overlay: "1.0.0", actions: [] });
    expect(await pull(options)).toMatchObject({ notes: [], written: [] });
  });

  test("keeps the digits of an integer that no number holds, says so, and sees them change", async () => {
    const pullMaximum = (digits: string) =>
      pullAnswering({ type: "integer", maximum: 0 }, (json) => json.replace('"maximum":0', `"maximum":${digits}`));
    const { notes } = await pullMaximum("9223372036854775807");
    expect(notes[1]).toMatch(
      /\/A\/maximum: JavaScript cannot represent 9223372036854775807; .* has 9223372036854776000 /,
    );
    expect(await read("customer-tokens.yaml")).toContain("maximum: 9223372036854775807\n");
    expect((await pullMaximum("9223372036854775807")).verdict.verdict).toBe("none");
    expect((await pullMaximum("9223372036854775806")).verdict.verdict).not.toBe("none");
  });

  test("notes what types cannot express: once for each keyword, and not for a property with its name", async () => {
    const properties = { not: { type: "file" }, a: { not: {}, unevaluatedProperties: false }, b: { not: {} } };
    const { notes } = await pullAnswering({ type: "object", properties, contains: {} });
    const matching = (pattern: RegExp): unknown => expect.stringMatching(pattern);
    expect(notes.slice(1)).toEqual([
      matching(/#\/components\/schemas\/A\/properties\/not\/type: "file" is not a JSON Schema type: any value/),
      matching(/:1:\d+: #\/components\/schemas\/A\/properties\/a\/not: types cannot express "not" \(and 1 more\)$/),
      matching(/:1:\d+: #\/components\/schemas\/A\/contains: types cannot express "contains"$/),
    ]);
  });

  test("gives the description the name that the config has for it", async () => {
    const path = await put("source.json", JSON.stringify({ url: "x", operationIds: ["getBook"], file: "library.yml" }));
    const { written } = await pull({ from: library, config: path });
    expect(written).toEqual([at("library.yml"), path]);
    expect(await read("source.json")).toContain('"file": "library.yml"');
  });
});

describe("pull refuses, and touches no file", () => {
  interface Case {
    upstream?: string | Json;
    source?: string | Json;
    overlay?: Json;
    says: string;
  }

  async function refused(options: Parameters<typeof pull>[0]): Promise<string> {
    const message = await refusal(() => pull(options));
    expect(message).not.toContain("\n");
    return message.replaceAll(at(), "FOLDER");
  }

  test.each(readCases<Case>("pull-refuses"))("%s", async (_, { upstream, source, overlay, says }) => {
    if (upstream !== undefined)
      await put("upstream.yaml", typeof upstream === "string" ? upstream : { ...minimal, ...upstream });
    if (source === undefined) await config("getBook");
    else await put("source.json", typeof source === "string" ? source : JSON.stringify(source));
    if (overlay !== undefined) await put("overlay.yaml", overlay);
    await put("customer-tokens.yaml", minimal);
    expect(await refused({ from: at("upstream.yaml"), config: at("source.json") })).toContain(says);
  });

  test("text that is not UTF-8", async () => {
    const from = await put("upstream.yaml", Buffer.from([0x61, 0xff, 0xfe]));
    expect(await refused({ from, config: await config("getBook") })).toBe("FOLDER/upstream.yaml is not UTF-8 text");
  });

  test.each([
    ["an overlay that was named and is not there", { overlay: "no/overlay.yaml" }, "there is no file no/overlay.yaml"],
    ["an --out that is not a description", { out: "notes.txt" }, "FOLDER/notes.txt is not an OpenAPI description"],
    ["an --out in a folder that is a file", { out: "notes.txt/x.yaml" }, "FOLDER/notes.txt/x.yaml and "],
  ])("%s", async (_, { out, ...options }: { out?: string; overlay?: string }, says) => {
    await put("notes.txt", "remember the milk");
    const given = { from: library, config: await config("getBook"), ...options };
    expect(await refused({ ...given, ...(out !== undefined && { out: at(out) }) })).toContain(says);
  });

  test.each([
    ["new/source.json", "new/source.json"],
    ["new/Source.json", "new/source.json"],
    ["new/../source.json", "source.json"],
    ["link.yaml", "source.json"],
    ["linked/overlay.yaml", "overlay.yaml"],
    ["whole.yaml", "whole.yaml"],
    ["here/whole.yaml", "whole.yaml"],
  ])("an --out that is another file that it reads or writes: %s", async (out, other) => {
    await config("getBook");
    await put("overlay.yaml", { overlay: "1.0.0", actions: [] });
    await put("whole.yaml", await readFile(library, "utf8"));
    await symlink(at("source.json"), at("link.yaml"));
    await symlink(".", at("linked"));
    await symlink(at(), at("here"));
    // Relative, as they are typed; the working directory stays.
    const typed = (path: string) => `${relative(".", at())}/${path}`;
    expect(await refused({ from: typed("whole.yaml"), config: typed("source.json"), out: typed(out) })).toContain(
      `/${other} would be one file: choose another with --out`,
    );
  });
});

describe("the command", () => {
  test("prints the verdict and the files that it wrote", async () => {
    const { stdout, stderr } = await run(library, "--source", await config("getBook"), "--out", at("x.yaml"));
    expect(stdout).toEqual([
      expect.stringMatching(/^minor: nothing → v7\.1\n/),
      `wrote ${at("x.yaml")} and ${at("source.json")}`,
    ]);
    expect(stderr).toEqual([expect.stringMatching(/^note: no overlay/)]);
  });

  test("writes nothing on a dry run, and prints the files that it would write, or JSON or Markdown alone", async () => {
    const args = [library, "--config", await config("getBook"), "--dry-run"];
    const before = await files();
    expect((await run(...args)).stdout.at(-1)).toBe(
      `would write ${at("customer-tokens.yaml")} and ${at("source.json")}`,
    );
    const json = (await run(...args, "--json")).stdout.join("\n");
    expect(Object.keys(JSON.parse(json) as Json)).toEqual(["verdict", "from", "to", "changes"]);
    expect((await run(...args, "--markdown")).stdout.join("\n")).toMatch(/^# .*: minor\n/);
    expect(await files()).toEqual(before);
  });

  test.each([
    [["a", "b"], /^expected one URL or file; see --help$/],
    [["--json", "--markdown"], /^--json and --markdown exclude each other$/],
  ])("refuses %j", async (args, says) => {
    await expect(run(...args)).rejects.toThrow(says);
  });

  test("reads standard input, and goes on if nobody reads its output", async () => {
    const args = ["node", "--import", "tsx/esm", "scripts/pull.ts", "-", "--config", await config("getBook")];
    const words = args.map((word) => `'${word}'`).join(" ");
    const { stdout, stderr } = await promisify(execFile)("sh", ["-c", `${words} < ${library} | true`]);
    expect(stdout).toBe("");
    expect(stderr).toMatch(/^note: no overlay[^\n]*\n$/);
    expect(Object.keys(await files())).toContain("customer-tokens.yaml");
  });
});
