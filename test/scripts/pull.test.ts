import { execFile } from "node:child_process";
import { mkdir, mkdtemp, readFile, readdir, rm, truncate, writeFile } from "node:fs/promises";
import { createServer } from "node:http";
import type { IncomingHttpHeaders, RequestListener } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import fc from "fast-check";
import { format, resolveConfig } from "prettier";
import { afterEach, beforeEach, describe, expect, onTestFinished, test } from "vitest";
import { stringify } from "yaml";
import { UserError } from "../../scripts/command.js";
import { download } from "../../scripts/pull/download.js";
import { main, pull } from "../../scripts/pull.js";
import { applyOverlay, parseOverlay, render, slice, unlistedCodes } from "../../scripts/pull/slice.js";
import { checkSpec, readSpec } from "../../scripts/spec/check.js";
import { componentOf, getIn, resolve } from "../../scripts/spec/json.js";
import { limits, parseSpec, parseYaml } from "../../scripts/spec/parse.js";
import { refOf, walk } from "../../scripts/spec/walk.js";
import type { Json, OpenApi } from "../../scripts/spec/json.js";

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
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  const paths = entries.filter((entry) => entry.isFile()).map((entry) => join(entry.parentPath, entry.name));
  const texts = await Promise.all(
    paths.map(async (path) => [path.slice(folder.length + 1), await readFile(path, "utf8")] as const),
  );
  return Object.fromEntries(texts.sort(([a], [b]) => (a < b ? -1 : 1)));
}

async function source(...operationIds: string[]): Promise<string> {
  return put("source.json", JSON.stringify({ url: "https://library.example", operationIds }));
}

async function readLibrary(): Promise<OpenApi> {
  return parseSpec(await readFile(library, "utf8"), library);
}

/** The whole description, as upstream would publish it, of which the committed file is the slice. */
async function wholeUpstream(): Promise<Json & { paths: Record<string, Json> }> {
  const spec = structuredClone(await readSpec(committed));
  walk(spec, ({ parent, key, kind }) => {
    if (kind === "fields" && String(key).startsWith("x-")) delete (parent as Json)[key];
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
    expect(unlistedCodes(spec)).toEqual([]);
  });

  test("comes out again, to the byte, from a whole description that holds it", async () => {
    const from = await put("upstream.yaml", await wholeUpstream());
    const { notes } = await pull({ from, out: join(folder, "out/") });
    expect(await readFile(join(folder, "out/customer-tokens.yaml"), "utf8")).toBe(await readFile(committed, "utf8"));
    expect(notes).toEqual([]);
  });
});

describe("pull", () => {
  test("writes the slice and where it came from", async () => {
    const path = await source("getBook");
    const out = join(folder, "library.yaml");
    const pulled = await pull({ from: library, source: path, out });
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
    await pull({ from: library, source: path });
    const text = await readFile(path, "utf8");
    expect(await format(text, { ...(await resolveConfig("package.json")), parser: "json" })).toBe(text);
  });

  test("changes nothing the second time", async () => {
    const options = { from: library, source: await source("lend", "getBook") };
    await pull(options);
    const before = await files();
    const { verdict, written } = await pull(options);
    expect(written).toEqual([]);
    expect(verdict).toMatchObject({ verdict: "none", from: "v7.1", to: "v7.1", changes: [] });
    expect(await files()).toEqual(before);
  });

  test("changes source.json alone where upstream's version alone changed", async () => {
    const upstream = await wholeUpstream();
    const options = { from: await put("upstream.yaml", upstream), out: join(folder, "out/") };
    await pull(options);
    Object.assign(upstream["info"] as Json, { version: "v10", description: "# Other prose" });
    await put("upstream.yaml", upstream);
    const { verdict, written } = await pull(options);
    expect(written).toEqual([join(folder, "out/source.json")]);
    expect(verdict).toEqual({ verdict: "none", from: "v9.9.9", to: "v10", changes: [] });
  });

  test("takes one more operation by its id alone, with the overlay around it", async () => {
    const from = await put("upstream.yaml", await wholeUpstream());
    const options = {
      from,
      source: await source("createCustomerToken", "getOther"),
      overlay: "openapi/overlay.yaml",
    };
    await pull(options);
    const spec = await readSpec(join(folder, "customer-tokens.yaml"));
    expect(Object.keys(spec["paths"] as Json)).toEqual(["/api/customer_tokens", "/api/other", "/oauth/token"]);
    expect(getIn(spec, ["components", "responses", "Other"])).toEqual({ description: "Another" });
  });

  test("gives an older description the error answers that it lacks", async () => {
    const upstream = await wholeUpstream();
    const operation = getIn(upstream, ["paths", "/api/customer_tokens", "post"]) as Json;
    const { "201": created } = operation["responses"] as Json;
    operation["responses"] = { "201": created };
    delete (getIn(upstream, ["components", "schemas"]) as Json)["ErrorResponse"];
    const from = await put("upstream.yaml", upstream);
    const { notes } = await pull({ from, out: join(folder, "out/") });
    const spec = await readSpec(join(folder, "out/customer-tokens.yaml"));
    expect(notes).toEqual([]);
    const responses = getIn(spec, ["paths", "/api/customer_tokens", "post", "responses"]) as Json;
    expect(Object.keys(responses)).toEqual(["201", "401", "403", "422"]);
    expect(getIn(spec, ["components", "schemas", "ErrorResponse", "required"])).toHaveLength(3);
  });

  test("takes OpenAPI 3.1, JSON with tabs, and a byte order mark", async () => {
    const spec = { ...(await wholeUpstream()), openapi: "3.1.0" };
    const from = await put("upstream.json", `\u{feff}${JSON.stringify(spec, null, "\t")}`);
    await pull({ from, out: join(folder, "out/") });
    expect(await readSpec(join(folder, "out/customer-tokens.yaml"))).toMatchObject({
      openapi: "3.1.0",
    });
  });

  test("says which message codes of upstream's examples the overlay does not list", async () => {
    const upstream = await wholeUpstream();
    const answer = ["paths", "/api/customer_tokens", "post", "responses", "403", "content"];
    const media = getIn(upstream, [...answer, "application/json"]) as Json;
    media["example"] = { message_code: "too_poor" };
    delete media["examples"];
    const from = await put("upstream.yaml", upstream);
    const { notes } = await pull({ from, out: join(folder, "out/") });
    expect(notes).toEqual([
      "upstream's examples show a message_code that openapi/overlay.yaml does not list: " +
        "too_poor (403 of createCustomerToken)",
    ]);
  });

  test("does without an overlay, and with an empty one", async () => {
    const options = { from: library, source: await source("getBook") };
    const without = await pull(options);
    expect(without.notes).toEqual([`no overlay: there is no file ${join(folder, "overlay.yaml")}`]);
    await put("overlay.yaml", { overlay: "1.0.0", actions: [] });
    const { notes, written } = await pull(options);
    expect({ notes, written }).toEqual({ notes: [], written: [] });
  });

  test("writes nothing on a dry run, and tells what it would", async () => {
    const args = [library, "--source", await source("getBook"), "--dry-run"];
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
        const args = [library, "--source", path, "--dry-run", format];
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

describe("pull refuses, and touches no file", () => {
  const cases: Record<string, { upstream?: unknown; source?: unknown; overlay?: unknown; says: string | RegExp }> = {
    "no such file": { says: /^there is no file .*upstream\.yaml$/ },
    "an empty file": { upstream: "", says: /is not an OpenAPI description$/ },
    "HTML in a file": { upstream: "\n<!DOCTYPE html><title>x</title>", says: /is HTML, not/ },
    "broken YAML": { upstream: "openapi: 3.0.3\npaths: [\n", says: /yaml:\d+:\d+: broken YAML: / },
    "broken JSON": { upstream: '{"openapi": "3.0.3",', says: /broken YAML/ },
    "Swagger 2": { upstream: { swagger: "2.0" }, says: /not an OpenAPI 3.0 or 3.1 .* version 2.0$/ },
    "OpenAPI 3.2": { upstream: { ...minimal, openapi: "3.2.0" }, says: /but version 3.2.0$/ },
    "another kind of YAML": { upstream: { name: "x" }, says: /not an OpenAPI 3.0 or 3.1 descr/ },
    "a list": { upstream: [minimal], says: /is not an OpenAPI description$/ },
    "an operation that is not there": {
      upstream: minimal,
      source: { url: "x", operationIds: ["getbook", "getBook"] },
      says: /upstream\.yaml has no operation "getbook"$/,
    },
    "an operation that is there twice": {
      upstream: { ...minimal, paths: { ...minimal.paths, "/b": minimal.paths["/books"] } },
      says: /yaml:\d+:\d+: #\/paths\/~1b\/get: the operationId "getBook" stands twice$/,
    },
    "a remote $ref, even beside the slice": {
      upstream: { ...minimal, components: { schemas: { A: { $ref: "https://x.example/a" } } } },
      says: /: #\/components\/schemas\/A\/\$ref: the reference "https:.*" must start with "#\/"$/,
    },
    "a $ref to a file": {
      upstream: { ...minimal, components: { schemas: { A: { $ref: "../../etc/passwd" } } } },
      says: /must start with "#\/"$/,
    },
    "a mapping to a file": {
      upstream: { ...minimal, x: { discriminator: { mapping: { a: "./a.yaml#/A" } } } },
      says: /#\/x\/discriminator\/mapping\/a: the reference "\.\/a\.yaml#\/A" must start/,
    },
    "no operation to keep": {
      upstream: minimal,
      source: { url: "x", operationIds: [] },
      says: /"operationIds" must be a list of at least one, each once$/,
    },
    "a source without a URL": {
      upstream: minimal,
      source: { operationIds: ["getBook"] },
      says: /source\.json: "url" must be a string$/,
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
      says: /#\/components\/schemas\/A\/\$ref: the reference "#\/components\/b" leads nowhere$/,
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
      source: join(folder, "source.json"),
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
    await expect(pull({ from, source: await source("getBook") })).rejects.toThrow(
      /upstream\.yaml is larger than 5 MB$/,
    );
  });

  test("text that is not UTF-8", async () => {
    const from = join(folder, "upstream.yaml");
    await writeFile(from, Buffer.from([0x61, 0xff, 0xfe]));
    await expect(pull({ from, source: await source("getBook") })).rejects.toThrow(/upstream\.yaml is not UTF-8 text$/);
  });

  test("an overlay that was named and is not there", async () => {
    const options = { from: library, source: await source("getBook"), overlay: "no/overlay.yaml" };
    await expect(pull(options)).rejects.toThrow(/^there is no file no\/overlay\.yaml$/);
  });

  test("an --out that is something else than a description", async () => {
    const out = await put("notes.txt", "remember the milk");
    await expect(pull({ from: library, source: await source("getBook"), out })).rejects.toThrow(
      /notes\.txt is not an OpenAPI description$/,
    );
    expect(await readFile(out, "utf8")).toBe("remember the milk");
  });

  test("a folder that can't be written to leaves both files as they were", async () => {
    await put("blocked", "a file where a folder is wanted");
    const before = { ...(await files()), "source.json": await readFile(await source("getBook"), "utf8") };
    const out = join(folder, "blocked", "x.yaml");
    await expect(pull({ from: library, source: join(folder, "source.json"), out })).rejects.toThrow(UserError);
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

  test("exits 0 and tells the verdict", async () => {
    const args = [library, "--source", await source("getBook"), "--out", join(folder, "x.yaml")];
    const { stdout, stderr } = await run("node", [...command, ...args]);
    expect(stdout).toMatch(/^minor: nothing → v7\.1\n/);
    expect(stdout).toMatch(/^wrote .*x\.yaml and .*source\.json$/m);
    expect(stderr).toMatch(/^note: no overlay/);
  });

  test("exits 1 with one sentence", async () => {
    const args = [library, "--source", await source("getBok")];
    await expect(run("node", [...command, ...args])).rejects.toMatchObject({
      code: 1,
      stdout: "",
      stderr: `error: ${library} has no operation "getBok"\n`,
    });
  });
});

describe("over HTTP", () => {
  interface Server {
    url: string;
    requests: { url: string; headers: IncomingHttpHeaders }[];
  }

  async function serve(listener: RequestListener): Promise<Server> {
    const requests: Server["requests"] = [];
    const server = createServer((request, response) => {
      requests.push({ url: request.url ?? "", headers: request.headers });
      listener(request, response);
    });
    await new Promise<void>((done) => server.listen(0, "127.0.0.1", done));
    onTestFinished(async () => {
      server.closeAllConnections();
      await new Promise((done) => server.close(done));
    });
    return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, requests };
  }

  async function get(address: string, timeoutMs = 10_000): Promise<string> {
    return Buffer.from(await download(new URL(address), { timeoutMs })).toString();
  }

  test("pulls what a server answers, and records the SHA-256 of exactly that", async () => {
    const { url } = await serve((_, response) => response.end(JSON.stringify(minimal)));
    const path = await source("getBook");
    await pull({ from: `${url}/api.yaml`, source: path });
    const hash = await import("node:crypto").then(({ createHash }) =>
      createHash("sha256").update(JSON.stringify(minimal)).digest("hex"),
    );
    expect(JSON.parse(await readFile(path, "utf8"))).toMatchObject({ sha256: hash });
  });

  test("pulls from the source's url where none is given", async () => {
    const { url } = await serve((_, response) => response.end(JSON.stringify(minimal)));
    const path = await put("source.json", JSON.stringify({ url, operationIds: ["getBook"] }));
    expect((await pull({ source: path })).written).toHaveLength(2);
  });

  test.each<[string, RequestListener, RegExp]>([
    ["404", (_, answer) => answer.writeHead(404).end("gone"), /answered 404, not 200$/],
    ["304", (_, answer) => answer.writeHead(304).end(), /answered 304, not 200$/],
    [
      "HTML by its type",
      (_, answer) => answer.setHeader("content-type", "text/html; charset=utf-8").end("openapi: 3"),
      /answered with HTML, not an OpenAPI description$/,
    ],
    ["a broken connection", (request) => request.socket.destroy(), /no answer from .*: UND_ERR_SOCKET$/],
    [
      "half an answer",
      (_, answer) => {
        answer.writeHead(200, { "content-length": "1000" }).write("open");
        setImmediate(() => answer.destroy());
      },
      /^no answer from /,
    ],
    [
      "an endless answer",
      (_, answer) => {
        const more = (): void => {
          while (answer.write("x".repeat(100_000)));
        };
        answer.on("drain", more);
        more();
      },
      /is larger than 5 MB$/,
    ],
    [
      "a redirect to plain http elsewhere",
      (_, answer) => answer.writeHead(302, { location: "http://library.example/api" }).end(),
      /^http:\/\/library\.example\/api is not asked: a URL must be https:, or http: on this machine$/,
    ],
    [
      "a redirect to a file",
      (_, answer) => answer.writeHead(302, { location: "file:///etc/passwd" }).end(),
      /is not asked/,
    ],
    [
      "a redirect to what is no URL",
      (_, answer) => answer.writeHead(302, { location: "http://[" }).end(),
      /redirects to what is not a URL$/,
    ],
    [
      "redirects without end",
      (_, answer) => answer.writeHead(307, { location: "/again" }).end(),
      /redirects more than 5 times$/,
    ],
  ])("refuses %s", async (_, listener, says) => {
    const { url } = await serve(listener);
    const attempt = get(`${url}/api.yaml?token=canary`);
    await expect(attempt).rejects.toThrow(says);
    await expect(attempt).rejects.toThrow(UserError);
    await expect(attempt).rejects.not.toThrow(/canary/);
  });

  test("gives up on a server that says nothing", async () => {
    const { url } = await serve(() => undefined);
    await expect(get(url, 50)).rejects.toThrow(/^no answer from .* within 50 ms$/);
  });

  test("refuses a closed port", async () => {
    await expect(get("http://127.0.0.1:1/")).rejects.toThrow(/^no answer from http:/);
  });

  test("asks no host but this one without encryption", async () => {
    await expect(get("http://library.example/")).rejects.toThrow(/is not asked/);
  });

  test("follows a redirect on this machine, and keeps credentials to the first origin", async () => {
    const last = await serve((_, response) => response.end("here"));
    const middle = await serve((request, response) =>
      response.writeHead(302, { location: request.url === "/a" ? "/b" : `${last.url}/c` }).end(),
    );
    const address = middle.url.replace("http://", "http://me:canary@");
    expect(await get(`${address}/a`)).toBe("here");
    const expected = `Basic ${Buffer.from("me:canary").toString("base64")}`;
    expect(middle.requests.map(({ headers }) => headers.authorization)).toEqual([expected, expected]);
    expect(last.requests.map(({ headers }) => headers.authorization)).toEqual([undefined]);
  });

  test.each([
    "http://me:canary@127.0.0.1:1/x?key=canary#canary",
    "http://canary:canary@library.example/",
    "https://me:canary@[/",
    "ftp://me:canary@library.example/",
  ])("prints no credentials of %s", async (from) => {
    const attempt = pull({ from, source: await source("getBook") });
    await expect(attempt).rejects.toThrow(UserError);
    await expect(attempt).rejects.not.toThrow(/canary/);
  });
});

describe("slice", () => {
  test("keeps an operation as it is, and what it refers to", async () => {
    const spec = await readLibrary();
    const kept = slice(spec, ["getBook"], library);
    expect(Object.keys(kept["paths"] as Json)).toEqual(["/books/{isbn}"]);
    const item = getIn(kept, ["paths", "/books/{isbn}"]) as Json;
    expect(Object.keys(item)).toEqual(["summary", "parameters", "get"]);
    // All but the extensions, and what would end a comment or a line.
    const operation = getIn(spec, ["paths", "/books/{isbn}", "get"]) as Json;
    delete operation["x-accepts"];
    operation["description"] = "Reads one book.\nNothing is lent.";
    const answer = getIn(operation, ["responses", "200"]) as Json;
    answer["description"] = "The book * / and more";
    const media = getIn(answer, ["content", "application/json", "schema", "properties"]) as Json;
    delete (media["x-shelf"] as Json)["x-order"];
    expect(item["get"]).toEqual(operation);
  });

  test("keeps of the components those that are needed, of every kind", async () => {
    const names = (ids: string[], spec: OpenApi): unknown =>
      Object.fromEntries(
        Object.entries(slice(spec, ids, library)["components"] as Json).map(([kind, all]) => [
          kind,
          Object.keys(all as Json),
        ]),
      );
    const spec = await readLibrary();
    expect(names(["getBook"], spec)).toEqual({
      schemas: ["Item", "Book", "Map", "Base", "Problem"],
      parameters: ["Isbn"],
      examples: ["Found"],
      headers: ["Shelf"],
      links: ["Loan"],
      responses: ["Problem"],
    });
    expect(names(["lend"], spec)).toEqual({
      schemas: ["Book", "Base", "Notice"],
      requestBodies: ["Loan"],
      callbacks: ["Due"],
      securitySchemes: ["ApiKey", "Staff"],
    });
  });

  test("keeps of the rest what the operations use", async () => {
    const spec = await readLibrary();
    const { components: _, paths: __, ...rest } = slice(spec, ["getBook"], library);
    expect(rest).toEqual({
      openapi: "3.0.3",
      info: { title: "Library API", version: "v7.1", license: { name: "Apache-2.0" } },
      servers: [{ url: "https://library.example/v1", description: "The reading room" }],
      tags: [{ name: "Books", description: "What stands on the shelves" }],
    });
    expect(slice(spec, ["lend"], library)["security"]).toEqual([{ ApiKey: [] }]);
    expect(slice(spec, ["removeBook"], library)["tags"]).toEqual([{ name: "Staff" }]);
  });

  test("quotes what YAML 1.1 takes for a boolean or a number", async () => {
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

  test("follows a path item that is a reference", () => {
    const spec = parseSpec(
      stringify({
        openapi: "3.1.0",
        info: { title: "x", version: "1" },
        paths: { "/a": { $ref: "#/components/pathItems/A" } },
        components: {
          pathItems: { A: { get: { operationId: "a", security: [], responses: {} } } },
        },
      }),
      "x",
    );
    expect(slice(spec, ["a"], "x")).toMatchObject({ paths: { "/a": { get: { operationId: "a" } } } });
  });

  test("leaves the description that it is given alone", async () => {
    const spec = await readLibrary();
    const before = structuredClone(spec);
    const kept = slice(spec, ["getBook"], library);
    const overlay = parseOverlay(
      stringify({ overlay: "1.0.0", actions: [{ target: "$.info", update: { title: "y" } }] }),
      "overlay",
    );
    await applyOverlay(kept, overlay);
    await render(kept);
    expect(spec).toEqual(before);
    expect(kept).toMatchObject({ info: { title: "Library API" } });
  });
});

describe("applyOverlay", () => {
  test("states once what both sides state of a set", async () => {
    const spec = parseSpec(
      stringify({
        ...minimal,
        tags: [{ name: "A", description: "old" }, { name: "B" }],
        components: { schemas: { X: { required: ["a"], enum: [1], example: { enum: [1, 1] } } } },
      }),
      "x",
    );
    const actions = [
      { target: "$", update: { tags: [{ name: "A", description: "new" }] } },
      { target: "$.components.schemas", update: { X: { required: ["a", "b"], enum: [2, 1] } } },
    ];
    const overlaid = await applyOverlay(spec, parseOverlay(stringify({ overlay: "1.0.0", actions }), "overlay"));
    expect(overlaid["tags"]).toEqual([{ name: "A", description: "new" }, { name: "B" }]);
    expect(getIn(overlaid, ["components", "schemas", "X"])).toEqual({
      required: ["a", "b"],
      enum: [1, 2],
      example: { enum: [1, 1] },
    });
  });
});

describe("parseSpec refuses", () => {
  const head = 'openapi: 3.0.3\ninfo: {title: x, version: "1"}\npaths: {}\n';
  const cases: Record<string, [text: string, says: RegExp]> = {
    "a key twice": [`${head}info: {}`, /^x\.yaml:4:1: the key "info" stands twice$/],
    "a number and a string as the same key": [
      `${head}x:\n  200: a\n  "200": b`,
      /^x\.yaml:6:3: the key "200" stands twice$/,
    ],
    "a key that is a list": [`${head}? [a]\n: b`, /a key must be a plain string$/],
    "two documents": [`${head}---\n${head}`, /broken YAML/],
    "an unknown tag": [`${head}x: !!js/function a`, /^x\.yaml:4:4: broken YAML: Unresolved tag/],
    "a type that JSON does not have": [
      `%YAML 1.1\n---\n${head}x: !!set {a}`,
      /^x\.yaml:6:\d+: #\/x is of a YAML type that JSON does not have$/,
    ],
    "a number that JSON does not have": [`${head}x: .inf`, /#\/x is a number that JSON/],
    "a control character": [`${head}x: "a\\u0000"`, /^x\.yaml:4:4: #\/x holds a control character$/],
    "half a surrogate pair": [`${head}x: "a\\ud800"`, /holds a control character$/],
    "an alias to nothing": [`${head}x: *a`, /^x\.yaml:4:4: broken YAML|aliases refer to nothing/],
    "an alias to what it stands in": [`${head}x: &a\n  b: *a`, /nested deeper than 100 levels$/],
    "a billion laughs": [
      `a: &a [x,x,x,x,x,x,x,x,x]\n${[..."bcdefghij"]
        .map((name, at) => `${name}: &${name} [${Array(9).fill(`*${"abcdefghi"[at]}`).join()}]`)
        .join("\n")}`,
      /aliases refer to nothing or multiply beyond bounds$/,
    ],
    "very many aliases": [`a: &a x\nb: [${"*a,".repeat(1e5)}]`, /more than 1000 YAML aliases$/],
    "few aliases to very much": [
      `a: &a [${"x,".repeat(1e4)}]\nb: [${"*a,".repeat(100)}]`,
      /has more than 500000 values$/,
    ],
    "deep brackets": ["[".repeat(1e6), /nested deeper than 100 levels$/],
    "deep braces": ["{a: ".repeat(1e6), /nested deeper than 100 levels$/],
    "deep dashes": ["- ".repeat(1e6), /nested deeper than 100 levels$/],
    "deep question marks": ["? ".repeat(1e6), /nested deeper than 100 levels$/],
    "deep indentation": [
      Array.from({ length: 3000 }, (_, depth) => `${" ".repeat(depth)}a:\n`).join(""),
      /nested deeper than 100 levels$/,
    ],
    "a hundred and one levels": [`${head}x: ${"[".repeat(101)}${"]".repeat(101)}`, /100 levels$/],
    "very many tokens": [`[${",".repeat(2e6)}]`, /has more than 1000000 YAML tokens$/],
    "50 MB": [`# ${"x".repeat(50e6)}`, /is larger than 5 MB$/],
    ...Object.fromEntries(
      ["__proto__", "constructor", "prototype", "toString", "hasOwnProperty"].map((key) => [
        `the key ${key}`,
        [
          `${head}components:\n  schemas:\n    ${key}: {polluted: true}`,
          new RegExp(`^x\\.yaml:6:5: the key "${key}" is refused, since JavaScript objects inherit`),
        ],
      ]),
    ),
  };

  test.each(Object.entries(cases))("%s", (_, [text, says]) => {
    let error: unknown;
    try {
      parseSpec(text, "x.yaml");
    } catch (thrown) {
      error = thrown;
    }
    expect(error).toBeInstanceOf(UserError);
    expect((error as Error).message).toMatch(says);
    expect((error as Error).message.length).toBeLessThan(400);
    expect(Object.keys(Object.prototype)).toEqual([]);
    expect({}).not.toHaveProperty("polluted");
  });

  test("nothing of a JSON file that is fine", () => {
    expect(parseSpec(JSON.stringify(minimal), "x")).toEqual(minimal);
  });

  test("but refuses, whatever the text", () => {
    const pieces = [
      ..."{}[]:,-?&*!|>%@#'\"\\ \n\t\r\0",
      ..."openapi: 3.0.3|paths|<<|&a|*a|---|...|!!map|%YAML 1.1|info: {}|  |? |0x1F|.nan|~".split("|"),
      "\n  - ",
      "\u2028",
      "\ud800",
    ];
    const text = fc.oneof(
      fc.string({ unit: "binary", maxLength: 300 }),
      fc.array(fc.constantFrom(...pieces), { maxLength: 60 }).map((parts) => parts.join("")),
      fc.json().map((json) => json.replace("{", '{"openapi":"3.0.3",')),
    );
    fc.assert(
      fc.property(text, (input) => {
        try {
          const spec = parseSpec(`openapi: 3.1.0\n${input}`, "x");
          expect(JSON.parse(JSON.stringify(spec))).toEqual(spec);
          checkSpec(spec, "x");
        } catch (error) {
          if (!(error instanceof UserError)) throw error;
        }
      }),
      { numRuns: 500 },
    );
  });
});

describe("checkSpec refuses", () => {
  const schemas = (all: Json): Json => ({ ...minimal, components: { schemas: all } });
  const operation = (fields: Json): Json => ({
    ...minimal,
    paths: { "/books": { get: { operationId: "getBook", responses: {}, ...fields } } },
  });
  const chain = (length: number, link: (next: Json) => Json): Json =>
    schemas(
      Object.fromEntries(
        Array.from({ length }, (_, at) => [
          `S${at}`,
          at + 1 < length ? link({ $ref: `#/components/schemas/S${at + 1}` }) : { type: "string" },
        ]),
      ),
    );
  const names = "\"'`\\<>\n\u2028\u2029".split("");

  const cases: Record<string, [spec: Json, says: RegExp]> = {
    "a reference to nothing": [
      schemas({ A: { $ref: "#/components/schemas/B" } }),
      /^x:\d+:\d+: #\/components\/schemas\/A\/\$ref: the reference ".*" leads nowhere$/,
    ],
    "a mapping to nothing": [
      schemas({ A: { discriminator: { propertyName: "a", mapping: { b: "#/components/schemas/B" } } } }),
      /\/mapping\/b: the reference "#\/components\/schemas\/B" leads nowhere$/,
    ],
    "a mapping to a bare name": [
      schemas({ A: { discriminator: { propertyName: "a", mapping: { b: "A" } } } }),
      /\/mapping\/b: must be written in full: #\/components\/schemas\/A$/,
    ],
    "a reference to what objects inherit": [
      schemas({ A: { $ref: "#/components/schemas/A/constructor" } }),
      /leads nowhere$/,
    ],
    "references in a circle": [
      schemas({ A: { $ref: "#/components/schemas/B" }, B: { $ref: "#/components/schemas/A" } }),
      /\/A\/\$ref: the reference leads only to further references$/,
    ],
    "a reference to itself": [
      schemas({ A: { $ref: "#/components/schemas/A" } }),
      /\/A\/\$ref: the reference leads only to further references$/,
    ],
    "references that explode": [
      chain(40, (next) => ({ allOf: [next, next] })),
      /#\/components\/schemas\/S0: its references hold more than 1000000 values$/,
    ],
    "references that lead to references alone, very often": [
      chain(8_000, (next) => next),
      /its references lead through too many others$|leads only to further references$/,
    ],
    "a chain of references without end in sight": [
      chain(8_000, (next) => ({ properties: { next } })),
      /its references lead through too many others$/,
    ],
    "no info": [{ openapi: "3.0.3", paths: {} }, /#\/info: must be an object$/],
    "nothing to generate": [{ ...minimal, paths: {} }, /#\/paths: must hold an operation/],
    "paths in a list": [{ ...minimal, paths: [] }, /#\/paths: must be an object$/],
    "a component's name that leads out of the folder": [
      schemas({ "../../evil": {} }),
      /#\/components\/schemas\/\.\.~1\.\.~1evil: a component's name has only letters/,
    ],
    "a component called ..": [schemas({ "..": {} }), /a component's name/],
    "a component's name with a slash, of another kind": [
      { ...minimal, components: { parameters: { "a/b": {} } } },
      /#\/components\/parameters\/a~1b: a component's name/,
    ],
    "a component's name beyond ASCII": [schemas({ Ж: {} }), /a component's name/],
    "a very long name": [schemas({ ["A".repeat(201)]: {} }), /a name has at most 200 characters$/],
    ...Object.fromEntries(
      ["books", "/a*/b", "/a`b", "/a'b", '/a"b', "/a b", "/${x}", "/{a", "/a\\b", "/a?b"].map((path) => [
        `the path ${path}`,
        [{ ...minimal, paths: { [path]: {} } }, /: a path starts with '\/' and has only/],
      ]),
    ),
    ...Object.fromEntries(
      [...names, "*/", "/*", "${a}"].flatMap((text) => [
        [
          `a property's name with ${JSON.stringify(text)}`,
          [
            schemas({ A: { properties: { [`a${text}b`]: {} } } }),
            /#\/components\/schemas\/A\/properties\/a.*: a name must be without quotes/,
          ],
        ],
        [
          `an enum's value with ${JSON.stringify(text)}`,
          [
            schemas({ A: { enum: ["fine", `a${text}b`] } }),
            /#\/components\/schemas\/A\/enum\/1: must be text without quotes/,
          ],
        ],
        [
          `a parameter's name with ${JSON.stringify(text)}`,
          [
            operation({ parameters: [{ name: `a${text}`, in: "query" }] }),
            /\/parameters\/0\/name: must be text without quotes/,
          ],
        ],
        [
          `a server's URL with ${JSON.stringify(text)}`,
          [{ ...minimal, servers: [{ url: `https://x${text}` }] }, /#\/servers\/0\/url: must be text/],
        ],
        [`a tag with ${JSON.stringify(text)}`, [operation({ tags: [`a${text}`] }), /\/tags\/0: must be text without/]],
      ]),
    ),
    ...Object.fromEntries(
      ["description", "summary", "title"].flatMap((key) =>
        ["*/", "\u2028", "\u2029"].map((text) => [
          `a ${key} with ${JSON.stringify(text)}`,
          [
            schemas({ A: { properties: { a: { [key]: `a ${text} b` } } } }),
            new RegExp(`/a/${key}: would end a comment of generated code`),
          ],
        ]),
      ),
    ),
    "a scope's words that end a comment": [
      {
        ...minimal,
        components: {
          securitySchemes: { A: { type: "oauth2", flows: { implicit: { scopes: { a: "*/" } } } } },
        },
      },
      /\/scopes\/a: would end a comment/,
    ],
    "a pattern with a line separator": [
      schemas({ A: { pattern: "a\u2028" } }),
      /\/pattern: holds a Unicode line separator$/,
    ],
    "a default with a line separator": [
      schemas({ A: { default: { b: "\u2029" } } }),
      /\/default\/b: holds a Unicode line separator$/,
    ],
    "an operationId that is code": [
      operation({ operationId: "a();b" }),
      /\/operationId: an operationId has only letters/,
    ],
    "an operationId twice": [
      { ...minimal, paths: { ...minimal.paths, "/b": minimal.paths["/books"] } },
      /#\/paths\/~1b\/get\/operationId: the operationId "getBook" stands twice$/,
    ],
    "a media type that is none": [
      operation({ requestBody: { content: { "a'/b": {} } } }),
      /\/content\/a'~1b: must be a media type$/,
    ],
    "a status that is none": [
      operation({ responses: { "200; x": {} } }),
      /\/responses\/200; x: must be an HTTP status/,
    ],
    ...Object.fromEntries(
      ["x-enum-varnames", "x-enum-descriptions", "x-accepts"].map((key) => [
        `the extension ${key}`,
        [
          schemas({ A: { enum: ["a"], [key]: ["a = 1, b"] } }),
          new RegExp(`/${key}: an extension that generators could obey; allowed are`),
        ],
      ]),
    ),
    "an environment that is no name": [
      { ...minimal, servers: [{ url: "https://x.example", "x-environment": "a: 1" }] },
      /\/x-environment: must be a name of lower-case letters/,
    ],
    "an environment twice": [
      {
        ...minimal,
        servers: ["a", "b"].map((host) => ({ url: `https://${host}`, "x-environment": "sandbox" })),
      },
      /#\/servers\/1\/x-environment: the environment "sandbox" stands twice$/,
    ],
    "an environment without encryption": [
      { ...minimal, servers: [{ url: "http://x.example", "x-environment": "a" }] },
      /the url of an environment must be https:/,
    ],
    "an environment with something to fill in": [
      { ...minimal, servers: [{ url: "https://x.example/{a}", "x-environment": "a" }] },
      /the url of an environment must be https:/,
    ],
    "message codes that are no list": [
      operation({ responses: { "401": { "x-message-codes": "a" } } }),
      /\/x-message-codes: must be a list of strings$/,
    ],
    "a security scheme that is not described": [
      operation({ security: [{ Nobody: [] }] }),
      /\/security: the security scheme "Nobody" is not described$/,
    ],
  };

  test.each(Object.entries(cases))("%s", (_, [spec, says]) => {
    const parsed = parseSpec(JSON.stringify(spec), "x");
    let error: unknown;
    try {
      checkSpec(parsed, "x");
    } catch (thrown) {
      error = thrown;
    }
    expect(error).toBeInstanceOf(UserError);
    expect((error as Error).message).toMatch(says);
    expect((error as Error).message).toMatch(/^x(:\d+:\d+)?: #\//);
    expect((error as Error).message).not.toMatch(/[\p{Cc}\p{Zl}\p{Zp}]/u);
  });

  test("nothing that only looks odd", () => {
    const spec = operation({
      description: "Accept: text/* `code` <b> ${x} 'quoted' \"twice\"\nnext line",
      parameters: [{ name: "filter[a b].$top", in: "query", schema: { pattern: "^['\"`\\\\*/]+$" } }],
      requestBody: {
        content: { "*/*": { example: { "a'b": "*/ `${x}`" } }, "text/a; charset=utf-8": {} },
      },
      responses: { "2XX": { headers: { "x-a": {} } }, default: {} },
    });
    const tree = { type: "object", properties: { next: { $ref: "#/components/schemas/Tree" } } };
    const whole = { ...spec, components: { schemas: { Tree: tree, "A.b-c_1": { default: "it's" } } } };
    expect(checkSpec(parseSpec(stringify(whole), "x"), "x")).toBeUndefined();
  });
});

describe("random descriptions", () => {
  const names = ["A", "B", "C", "D", "E"];
  const reference = fc.constantFrom(...names).map((name) => ({ $ref: `#/components/schemas/${name}` }));
  const text = fc.oneof(
    fc.string({ unit: "grapheme" }),
    fc.constantFrom("no", "on", "0o17", "1e3", "~", "2001-01-01", "12:30", "<<", "a: b", " #", "-"),
  );
  const schema = fc.letrec<{ schema: Json }>((tie) => ({
    schema: fc.oneof(
      { depthSize: "small", withCrossShrink: true },
      fc.record({ type: fc.constant("string"), description: text, example: fc.jsonValue() }),
      reference,
      fc.record({ allOf: fc.array(tie("schema"), { minLength: 1, maxLength: 3 }) }),
      fc.record({ type: fc.constant("array"), items: tie("schema") }),
      fc.record({
        type: fc.constant("object"),
        properties: fc.dictionary(
          fc.constantFrom("query", "get", "operationId", "example", "properties", "x-a", "$ref", "type"),
          tie("schema"),
          { maxKeys: 3 },
        ),
        "x-noise": fc.jsonValue(),
      }),
    ),
  })).schema;
  const description: fc.Arbitrary<{ spec: OpenApi; keep: string[] }> = fc
    .record({
      schemas: fc.tuple(...names.map(() => schema)),
      bodies: fc.array(schema, { minLength: 1, maxLength: 4 }),
      keep: fc.infiniteStream(fc.boolean()),
    })
    .map(({ schemas, bodies, keep }) => ({
      spec: {
        openapi: "3.0.3",
        info: { title: "Random", version: "1" },
        paths: Object.fromEntries(
          bodies.map((body, at) => [
            `/p${at}`,
            {
              post: {
                operationId: `op${at}`,
                requestBody: { content: { "application/json": { schema: body } } },
                responses: { "200": { description: "ok" } },
              },
            },
          ]),
        ),
        components: { schemas: Object.fromEntries(schemas.map((value, at) => [names[at], value])) },
      },
      keep: bodies.map((_, at) => `op${at}`).filter((_, at) => at === 0 || keep.next().value),
    }))
    // As parsing leaves it: JSON has no -0.
    .map(({ spec, keep }) => ({ spec: JSON.parse(JSON.stringify(spec)) as OpenApi, keep }));

  test("give slices that hold what they refer to and nothing else", () => {
    fc.assert(
      fc.property(description, ({ spec, keep }) => {
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

  test("are written so that they are read again as they were, and written the same", async () => {
    await fc.assert(
      fc.asyncProperty(description, async ({ spec, keep }) => {
        const kept = slice(spec, keep, "x");
        const written = await render(kept);
        let read: OpenApi;
        try {
          read = parseSpec(written, "x");
        } catch (error) {
          // What may not be read is not written either: pull reads what it is about to write.
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

test("limits leave the provider's descriptions a hundredfold of room, and still end soon", () => {
  // Compared here, so that nobody raises one without thought of what it bounds.
  expect(limits).toMatchObject({ bytes: 5e6, tokens: 1e6, depth: 100, aliases: 1000 });
  expect(parseYaml("a: 1", "x")).toEqual({ a: 1 });
});
