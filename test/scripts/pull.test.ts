import { execFile } from "node:child_process";
import { mkdir, mkdtemp, readFile, rm, symlink, truncate, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join, relative } from "node:path";
import { promisify } from "node:util";
import { format, resolveConfig } from "prettier";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { stringify } from "yaml";
import { UserError } from "../../scripts/command.js";
import { render } from "../../scripts/pull/render.js";
import { type Pulled, main, pull } from "../../scripts/pull.js";
import { checkSpec, readSpec } from "../../scripts/spec/check.js";
import { getIn } from "../../scripts/spec/json.js";
import { readTree } from "../../scripts/generate/files.js";
import { parseSpec, readText } from "../../scripts/spec/parse.js";
import { walk } from "../../scripts/spec/walk.js";
import type { Json } from "../../scripts/spec/json.js";
import { fixtureText } from "../support/fixture.js";

const committed = "openapi/customer-tokens.yaml";
const library = "test/fixtures/library.yaml";

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "pull-"));
});
afterEach(() => rm(folder, { recursive: true, force: true }));

async function put(name: string, content: unknown): Promise<string> {
  const path = join(folder, name);
  await mkdir(join(path, ".."), { recursive: true });
  await writeFile(path, typeof content === "string" ? content : stringify(content));
  return path;
}

/** Every file below the test's folder with its text. */
async function files(): Promise<Record<string, string>> {
  return Object.fromEntries(await readTree(folder));
}

async function source(...operationIds: string[]): Promise<string> {
  return put("source.json", JSON.stringify({ url: "https://library.example", operationIds }));
}

/** The whole description, as upstream would publish it, of which a file is the slice. Default: the fixture. */
async function wholeUpstream(slice?: string): Promise<Json & { paths: Record<string, Json> }> {
  const text = slice === undefined ? await fixtureText() : await readText(slice);
  const spec = parseSpec(text, "the slice");
  walk(spec, ({ parent, key, kind }) => {
    if (kind === "extension") delete (parent as Json)[key];
  });
  const paths = spec["paths"] as Record<string, Json>;
  const schemas = getIn(spec, ["components", "schemas"]) as Json;
  delete paths["/oauth/token"];
  for (const name of ["MessageCode", "AccessTokenRequest", "AccessToken", "AccessTokenError"]) delete schemas[name];
  delete spec["tags"];
  Object.assign(spec["info"] as Json, {
    title: "Identity API",
    description: "# All of it",
    version: "v9.9.9",
    contact: { name: "Support" },
  });
  paths["/api/other"] = {
    get: {
      operationId: "getOther",
      responses: { "200": { $ref: "#/components/responses/Other" } },
    },
  };
  Object.assign(spec["components"] as Json, { responses: { Other: { description: "Another" } } });
  return { ...spec, paths };
}

/** Pulls what upstream publishes of the fixture, with the project's own overlay. */
async function pullFixture(upstream: Json, operationIds = ["createCustomerToken"]): Promise<Pulled> {
  const from = await put("upstream.yaml", upstream);
  const overlay = "openapi/overlay.yaml";
  return pull({ from, config: await source(...operationIds), overlay, out: join(folder, "out/") });
}

describe("the committed description", () => {
  test("is in the form that pull writes", async () => {
    expect(await render(await readSpec(committed))).toBe(await readFile(committed, "utf8"));
  });

  test("lists as MessageCode what its answers list", async () => {
    const spec = await readSpec(committed);
    const lists: unknown[] = [];
    walk(spec, ({ key, value }) => {
      if (key === "x-message-codes") lists.push(...(value as unknown[]));
    });
    const enumerated = getIn(spec, ["components", "schemas", "MessageCode", "enum"]);
    expect(new Set(lists)).toEqual(new Set(enumerated as unknown[]));
  });

  test("comes out again, to the byte, from a whole description that holds it", async () => {
    const from = await put("upstream.yaml", await wholeUpstream(committed));
    await pull({ from, out: join(folder, "out/") });
    expect(await readFile(join(folder, "out/customer-tokens.yaml"), "utf8")).toBe(await readFile(committed, "utf8"));
  });
});

describe("pull", () => {
  test("writes the slice and where it came from", async () => {
    const path = await source("getBook");
    const out = join(folder, "library.yaml");
    const pulled = await pull({ from: library, config: path, out });
    expect(pulled.written).toEqual([out, path]);
    expect(pulled.verdict).toMatchObject({ verdict: "minor", from: "nothing", to: "v7.1" });
    expect(JSON.parse(await readFile(path, "utf8"))).toEqual({
      url: "https://library.example",
      operationIds: ["getBook"],
      version: "v7.1",
      sha256: expect.stringMatching(/^[0-9a-f]{64}$/),
    });
    expect(checkSpec(await readSpec(out), out)).toBeUndefined();
  });

  test("writes source.json as prettier leaves the project's own", async () => {
    const path = await source("getBook", "lend", "removeBook");
    await pull({ from: library, config: path });
    const text = await readFile(path, "utf8");
    expect(await format(text, { ...(await resolveConfig("package.json")), parser: "json" })).toBe(text);
  });

  test("changes nothing the second time", async () => {
    const options = { from: library, config: await source("lend", "getBook") };
    await pull(options);
    const before = await files();
    const { verdict, written } = await pull(options);
    expect(written).toEqual([]);
    expect(verdict).toMatchObject({ verdict: "none", from: "v7.1", to: "v7.1", changes: [] });
    expect(await files()).toEqual(before);
  });

  test("changes source.json alone where upstream's version alone changed", async () => {
    const upstream = await wholeUpstream();
    await pullFixture(upstream);
    Object.assign(upstream["info"] as Json, { version: "v10", description: "# Other prose" });
    const { verdict, written } = await pullFixture(upstream);
    expect(written).toEqual([join(folder, "out/source.json")]);
    expect(verdict).toEqual({ verdict: "none", from: "v9.9.9", to: "v10", changes: [] });
  });

  test("takes one more operation by its id alone, with the overlay around it", async () => {
    await pullFixture(await wholeUpstream(), ["createCustomerToken", "getOther"]);
    const spec = await readSpec(join(folder, "out/customer-tokens.yaml"));
    expect(Object.keys(spec["paths"] as Json)).toEqual(["/api/customer_tokens", "/api/other", "/oauth/token"]);
    expect(getIn(spec, ["components", "responses", "Other"])).toEqual({ description: "Another" });
  });

  test("gives an older description the error answers that it lacks", async () => {
    const upstream = await wholeUpstream();
    const operation = getIn(upstream, ["paths", "/api/customer_tokens", "post"]) as Json;
    const { "201": created } = operation["responses"] as Json;
    operation["responses"] = { "201": created };
    delete (getIn(upstream, ["components", "schemas"]) as Json)["ErrorResponse"];
    expect((await pullFixture(upstream)).notes).toEqual([]);
    const spec = await readSpec(join(folder, "out/customer-tokens.yaml"));
    const responses = getIn(spec, ["paths", "/api/customer_tokens", "post", "responses"]) as Json;
    expect(Object.keys(responses)).toEqual(["201", "401", "403", "422"]);
    expect(getIn(spec, ["components", "schemas", "ErrorResponse", "required"])).toHaveLength(3);
  });

  test("takes OpenAPI 3.1, JSON with tabs, and a byte order mark", async () => {
    const spec = { ...(await wholeUpstream(committed)), openapi: "3.1.0" };
    const from = await put("upstream.json", `\u{feff}${JSON.stringify(spec, null, "\t")}`);
    await pull({ from, out: join(folder, "out/") });
    expect(await readSpec(join(folder, "out/customer-tokens.yaml"))).toMatchObject({
      openapi: "3.1.0",
    });
  });

  test("says where the overlay's message codes and upstream's examples part", async () => {
    const upstream = await wholeUpstream();
    expect((await pullFixture(upstream)).notes).toEqual([]);
    const answer = ["paths", "/api/customer_tokens", "post", "responses", "403", "content"];
    const media = getIn(upstream, [...answer, "application/json"]) as Json;
    media["example"] = { message_code: "too_poor" };
    delete media["examples"];
    expect((await pullFixture(upstream)).notes).toEqual([
      "upstream's examples show a message_code that openapi/overlay.yaml does not list: too_poor (403 of createCustomerToken)",
      "upstream's examples no longer show a message_code that openapi/overlay.yaml lists: invalid_scopes (403 of createCustomerToken), forbidden (403 of createCustomerToken)",
    ]);
    // From then on, the first alone: the overlay may list what no example shows.
    expect((await pullFixture(upstream)).notes).toHaveLength(1);
  });

  test("does without an overlay, and with an empty one", async () => {
    const options = { from: library, config: await source("getBook") };
    const without = await pull(options);
    expect(without.notes).toEqual([`no overlay: there is no file ${join(folder, "overlay.yaml")}`]);
    await put("overlay.yaml", { overlay: "1.0.0", actions: [] });
    const { notes, written } = await pull(options);
    expect({ notes, written }).toEqual({ notes: [], written: [] });
  });

  test("keeps the digits of an integer that no number holds, says so, and sees them change", async () => {
    const described = (maximum: string): string =>
      JSON.stringify(answering({ type: "integer", maximum: 0 })).replace('"maximum":0', `"maximum":${maximum}`);
    const options = {
      from: await put("upstream.yaml", described("9223372036854775807")),
      config: await source("getBook"),
    };
    const { notes } = await pull(options);
    expect(notes[1]).toMatch(
      /\/A\/maximum: JavaScript has no number 9223372036854775807; .* gets 9223372036854776000 /,
    );
    expect(await readFile(join(folder, "customer-tokens.yaml"), "utf8")).toContain("maximum: 9223372036854775807\n");
    expect((await pull(options)).verdict.verdict).toBe("none");
    await put("upstream.yaml", described("9223372036854775806"));
    expect((await pull(options)).verdict.verdict).not.toBe("none");
  });

  test("says what no type can: once for each keyword, and nothing of a property that is called like one", async () => {
    const properties = { not: { type: "file" }, a: { not: {}, unevaluatedProperties: false }, b: { not: {} } };
    const upstream = answering({ type: "object", properties, contains: {} });
    const { notes } = await pull({
      from: await put("upstream.yaml", JSON.stringify(upstream)),
      config: await source("getBook"),
    });
    expect(notes.slice(1)).toEqual([
      expect.stringMatching(
        /#\/components\/schemas\/A\/properties\/not\/type: "file" is no type of JSON Schema: any value/,
      ),
      expect.stringMatching(
        /:1:\d+: #\/components\/schemas\/A\/properties\/a\/not: types cannot say what "not" asks for \(and 1 more\)$/,
      ),
      expect.stringMatching(/:1:\d+: #\/components\/schemas\/A\/contains: types cannot say what "contains" asks for$/),
    ]);
  });

  test("takes prose that ends in blanks", async () => {
    const description = "Without a dot. \n\n ";
    const from = await put("upstream.yaml", JSON.stringify(answering({ type: "string", description })));
    await pull({ from, config: await source("getBook") });
    const spec = await readSpec(join(folder, "customer-tokens.yaml"));
    expect(getIn(spec, ["components", "schemas", "A", "description"])).toBe(description);
  });

  test("gives the description the name that the config has for it", async () => {
    await put("source.json", JSON.stringify({ url: "x", operationIds: ["getBook"], file: "library.yml" }));
    const { written } = await pull({ from: library, config: join(folder, "source.json") });
    expect(written.map((path) => path.slice(folder.length + 1))).toEqual(["library.yml", "source.json"]);
    expect((await files())["source.json"]).toContain('"file": "library.yml"');
  });

  test("writes nothing on a dry run, and tells what it would", async () => {
    const args = [library, "--config", await source("getBook"), "--dry-run"];
    const before = await files();
    const printed: string[] = [];
    await main(
      args,
      (text) => printed.push(text),
      () => undefined,
    );
    expect(await files()).toEqual(before);
    expect(printed.at(-1)).toBe(
      `would write ${join(folder, "customer-tokens.yaml")} and ${join(folder, "source.json")}`,
    );
  });

  test("prints JSON alone, or Markdown alone, on stdout", async () => {
    const path = await source("getBook");
    const outputs = await Promise.all(
      ["--json", "--markdown"].map(async (format) => {
        const printed: string[] = [];
        const args = [library, "--config", path, "--dry-run", format];
        await main(
          args,
          (text) => printed.push(text),
          () => undefined,
        );
        return printed.join("\n");
      }),
    );
    expect(Object.keys(JSON.parse(outputs[0] ?? "") as Json)).toEqual(["verdict", "from", "to", "changes"]);
    expect(outputs[1]).toMatch(/^# .*: minor\n/);
  });
});

const minimal = {
  openapi: "3.0.3",
  info: { title: "Library", version: "1" },
  paths: { "/books": { get: { operationId: "getBook", responses: {} } } },
};

/** A description whose operation answers with a schema. */
function answering(schema: Json): Json {
  const content = { "application/json": { schema: { $ref: "#/components/schemas/A" } } };
  return {
    ...minimal,
    paths: { "/books": { get: { operationId: "getBook", responses: { "200": { description: "ok", content } } } } },
    components: { schemas: { A: schema } },
  };
}

describe("pull refuses, and touches no file", () => {
  const cases: Record<string, { upstream?: unknown; source?: unknown; overlay?: unknown; says: string | RegExp }> = {
    "no such file": { says: /^there is no file .*upstream\.yaml$/ },
    "an empty file": { upstream: "", says: /is not an OpenAPI description$/ },
    "HTML in a file": { upstream: "\n<!DOCTYPE html><title>x</title>", says: /is HTML, not/ },
    "broken YAML": { upstream: "openapi: 3.0.3\npaths: [\n", says: /yaml:\d+:\d+: broken YAML: / },
    "broken JSON": { upstream: '{"openapi": "3.0.3",', says: /broken YAML/ },
    "Swagger 2": {
      upstream: { swagger: "2.0" },
      says: /not an OpenAPI 3.0, 3.1 or 3.2 .* version 2.0: `npx swagger2openapi` converts it$/,
    },
    "OpenAPI 3.3": { upstream: { ...minimal, openapi: "3.3.0" }, says: /but version 3.3.0$/ },
    "another kind of YAML": { upstream: { name: "x" }, says: /not an OpenAPI 3.0, 3.1 or 3.2 descr/ },
    "a list": { upstream: [minimal], says: /is not an OpenAPI description$/ },
    "an operation that is not there": {
      upstream: minimal,
      source: { url: "x", operationIds: ["getbook", "getBook"] },
      says: /upstream\.yaml has no operation "getbook"$/,
    },
    "an operation that is there twice": {
      upstream: { ...minimal, paths: { ...minimal.paths, "/b": minimal.paths["/books"] } },
      says: /yaml:\d+:\d+: #\/paths\/~1b\/get: the operationId "getBook" stands twice: select by method and path, as in "GET \/b"$/,
    },
    "a remote $ref": {
      upstream: answering({ $ref: "https://x.example/a" }),
      says: /yaml:\d+:\d+: #\/components\/schemas\/A\/\$ref: the reference "https:.*" must start with "#\/"/,
    },
    "a $ref to a file": {
      upstream: answering({ $ref: "../../etc/passwd" }),
      says: /the reference "\.\.\/\.\.\/etc\/passwd" must start with "#\/"/,
    },
    "a mapping to a file": {
      upstream: answering({ discriminator: { propertyName: "a", mapping: { a: "./a.yaml#/A" } } }),
      says: /#\/components\/schemas\/A\/discriminator\/mapping\/a: the reference "\.\/a\.yaml#\/A" must start/,
    },
    "no operation to keep": {
      upstream: minimal,
      source: { url: "x", operationIds: [] },
      says: /"operationIds" must be a list of at least one operation, each named once$/,
    },
    "a source without a URL": {
      upstream: minimal,
      source: { operationIds: ["getBook"] },
      says: /source\.json: "url" must be a string$/,
    },
    "a name of a file that leads elsewhere": {
      upstream: minimal,
      source: { url: "x", operationIds: ["getBook"], file: "../x.yaml" },
      says: /source\.json: "file" must be the name of a YAML file, such as customer-tokens\.yaml$/,
    },
    "paths in other documents": {
      upstream: { ...minimal, paths: { "/books": { $ref: "paths/books.yaml" } } },
      says: /has no operation "getBook"; some of its paths are in other documents: `npx redocly bundle` makes one of all$/,
    },
    "a schema in another document": {
      upstream: answering({ $ref: "schemas.yaml#/A" }),
      says: /since no other document is read: `npx redocly bundle` makes one of several$/,
    },
    "a source that is no JSON": { upstream: minimal, source: "{", says: /source\.json.*broken YAML/ },
    "an overlay of another version": {
      upstream: minimal,
      overlay: { overlay: "2.0.0", actions: [] },
      says: /overlay\.yaml is not an overlay: expected "overlay: 1\.0\.0"$/,
    },
    "an overlay without a list of actions": {
      upstream: minimal,
      overlay: { overlay: "1.0.0", actions: {} },
      says: /"actions" must be a list of objects$/,
    },
    "an overlay action that does nothing": {
      upstream: minimal,
      overlay: { overlay: "1.0.0", actions: [{ target: "$.info" }] },
      says: /yaml:\d+:\d+: #\/actions\/0: expected "update" or "remove: true"$/,
    },
    "an overlay action without target": {
      upstream: minimal,
      overlay: { overlay: "1.0.0", actions: [{ target: "info", update: {} }] },
      says: /"target" must be a JSONPath that starts with "\$"$/,
    },
    "an overlay action whose target is gone": {
      upstream: minimal,
      overlay: {
        overlay: "1.0.0",
        actions: [
          { target: "$.info", update: { title: "x" } },
          { target: "$.servers[?(@.url == 'https://x.example')]", update: {} },
        ],
      },
      says: /yaml:\d+:\d+: #\/actions\/1: the overlay's target is not there: \$\.servers\[/,
    },
    "an overlay that removes several items of one list at once": {
      upstream: { ...minimal, servers: [{ url: "/a" }, { url: "/b" }, { url: "/c" }] },
      overlay: {
        overlay: "1.0.0",
        actions: [{ target: "$.servers[?(@.url != '/c')]", remove: true }],
      },
      says: /#\/actions\/0: removes several items of one list/,
    },
    "an overlay that adds a reference to nothing": {
      upstream: minimal,
      overlay: {
        overlay: "1.0.0",
        actions: [{ target: "$", update: { components: { schemas: { A: { $ref: "#/components/b" } } } } }],
      },
      says: /#\/components\/schemas\/A\/\$ref: the reference "#\/components\/b" leads nowhere; an action in .*overlay\.yaml can mend it$/,
    },
  };

  test.each(Object.entries(cases))("%s", async (_, { upstream, source: state, overlay, says }) => {
    if (upstream !== undefined) await put("upstream.yaml", upstream);
    if (state === undefined) await source("getBook");
    else await put("source.json", state);
    if (overlay !== undefined) await put("overlay.yaml", overlay);
    await put("customer-tokens.yaml", minimal);
    const before = await files();
    const attempt = pull({
      from: join(folder, "upstream.yaml"),
      config: join(folder, "source.json"),
    });
    const error = await attempt.then(
      () => undefined,
      (reason: unknown) => reason,
    );
    expect(error).toBeInstanceOf(UserError);
    expect(String((error as Error).message)).toMatch(says);
    expect((error as Error).message).not.toContain("\n");
    expect(await files()).toEqual(before);
  });

  test("a file that is too large, before reading it", async () => {
    const from = await put("upstream.yaml", minimal);
    await truncate(from, 50_000_000);
    await expect(pull({ from, config: await source("getBook") })).rejects.toThrow(
      /upstream\.yaml is larger than 32 MB$/,
    );
  });

  test("text that is not UTF-8", async () => {
    const from = join(folder, "upstream.yaml");
    await writeFile(from, Buffer.from([0x61, 0xff, 0xfe]));
    await expect(pull({ from, config: await source("getBook") })).rejects.toThrow(/upstream\.yaml is not UTF-8 text$/);
  });

  test("an overlay that was named and is not there", async () => {
    const options = { from: library, config: await source("getBook"), overlay: "no/overlay.yaml" };
    await expect(pull(options)).rejects.toThrow(/^there is no file no\/overlay\.yaml$/);
  });

  test("an --out that is something else than a description", async () => {
    const out = await put("notes.txt", "remember the milk");
    await expect(pull({ from: library, config: await source("getBook"), out })).rejects.toThrow(
      /notes\.txt is not an OpenAPI description$/,
    );
    expect(await readFile(out, "utf8")).toBe("remember the milk");
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
    await source("getBook");
    await put("overlay.yaml", { overlay: "1.0.0", actions: [] });
    await put("whole.yaml", await readFile(library, "utf8"));
    await symlink(join(folder, "source.json"), join(folder, "link.yaml"));
    await symlink(".", join(folder, "linked"));
    await symlink(folder, join(folder, "here"));
    const before = await files();
    // Relative, as they are typed; the working directory stays.
    const at = (path: string) => `${relative(".", folder)}/${path}`;
    const attempt = pull({ from: at("whole.yaml"), config: at("source.json"), out: at(out) });
    await expect(attempt).rejects.toThrow(`/${other} would be one file: choose another with --out`);
    await expect(attempt).rejects.toBeInstanceOf(UserError);
    expect(await files()).toEqual(before);
  });

  test("a folder that can't be written to leaves both files as they were", async () => {
    await put("blocked", "a file where a folder is wanted");
    const before = { ...(await files()), "source.json": await readFile(await source("getBook"), "utf8") };
    const out = join(folder, "blocked", "x.yaml");
    await expect(pull({ from: library, config: join(folder, "source.json"), out })).rejects.toThrow(UserError);
    expect(await files()).toEqual(before);
  });

  test.each([
    [["a", "b"], /^expected one URL or file; see --help$/],
    [["--json", "--markdown"], /^--json and --markdown exclude each other$/],
    [["--dryrun"], /'--dryrun'.*see --help$/],
  ])("%j on the command line", async (args, says) => {
    await expect(
      main(
        args,
        () => undefined,
        () => undefined,
      ),
    ).rejects.toThrow(says);
  });
});

describe("the command", () => {
  const run = promisify(execFile);
  const command = ["--import", "tsx", "scripts/pull.ts"];

  test("reads standard input, and goes on if nobody reads its output", async () => {
    const path = await source("getBook");
    const words = ["node", ...command, "-", "--config", path].map((word) => `'${word}'`).join(" ");
    const { stdout, stderr } = await run("sh", ["-c", `${words} < ${library} | true`]);
    expect({ stdout, stderr }).toEqual({
      stdout: "",
      stderr: expect.stringMatching(/^note: no overlay[^\n]*\n$/) as string,
    });
    expect(Object.keys(await files())).toContain("customer-tokens.yaml");
  });

  test("exits 0 and tells the verdict", async () => {
    const args = [library, "--source", await source("getBook"), "--out", join(folder, "x.yaml")];
    const { stdout, stderr } = await run("node", [...command, ...args]);
    expect(stdout).toMatch(/^minor: nothing → v7\.1\n/);
    expect(stdout).toMatch(/^wrote .*x\.yaml and .*source\.json$/m);
    expect(stderr).toMatch(/^note: no overlay/);
  });

  test("exits 1 with one sentence", async () => {
    const args = [library, "--config", await source("getBok")];
    await expect(run("node", [...command, ...args])).rejects.toMatchObject({
      code: 1,
      stdout: "",
      stderr: `error: ${library} has no operation "getBok"\n`,
    });
  });
});
