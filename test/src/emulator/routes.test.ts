import { runInThisContext } from "node:vm";
import type { ValidateFunction } from "ajv";
import standalone from "ajv/dist/standalone/index.js";
import fc from "fast-check";
import { afterAll, describe, expect, onTestFinished, test, vi } from "vitest";
import { spec } from "../../../generated/emulator/spec.js";
import type { ReceivedRequest } from "../../../src/emulator/operations.js";
import { match, startServer } from "../../../src/emulator/server.js";
import { readFixture } from "../../support/cases.js";
import type { EmulatorPath } from "../../../src/emulator/types.js";

describe("a path", () => {
  test.each(readFixture<[template: string, path: string, parameters: unknown][]>("emulator/paths"))(
    "%s against %s",
    (template, path, parameters) => {
      expect(match(template, path) ?? false).toEqual(parameters);
    },
  );

  test("returns every value as it was", () => {
    fc.assert(
      fc.property(fc.string({ minLength: 1, unit: "grapheme" }), (value) => {
        expect(match("/{x}", `/${encodeURIComponent(value)}`)).toEqual({ x: value });
      }),
    );
  });
});

test("a route gets the path's parameters, the query and the method; a path without parameters comes first", async () => {
  const received: ReceivedRequest[] = [];
  const respond = (body: string) => (request: ReceivedRequest) => {
    received.push(request);
    return { status: 200, body };
  };
  const routes = {
    "/users/{guid}": { GET: respond("one"), PATCH: respond("changed"), DELETE: respond("gone") },
    "/users/me": { GET: respond("me") },
  };
  const faults = { play() {}, clear() {}, next: () => undefined, secondsToWait: () => undefined };
  const { url, close } = await startServer({}, Date.now, routes, () => faults, []);
  onTestFinished(close);
  const ask = async (method: string, path: string, body?: string) => {
    const response = await fetch(`${url}${path}`, { method, ...(body !== undefined && { body }) });
    return [response.status, await response.text(), response.headers.get("allow")];
  };
  expect(await ask("GET", "/users/a%2Fb?page=2&page=3&x=%26")).toEqual([200, "one", null]);
  expect(await ask("PATCH", "/users/a", '{"name":"b"}')).toEqual([200, "changed", null]);
  expect(await ask("GET", "/users/me")).toEqual([200, "me", null]);
  expect(await ask("HEAD", "/users/me")).toEqual([200, "", null]);
  expect(await ask("PUT", "/users/a")).toEqual([405, "", "GET, PATCH, DELETE, HEAD, OPTIONS"]);
  expect((await ask("GET", "/users/a/b"))[0]).toBe(404);
  expect(received).toMatchObject([
    { method: "GET", parameters: { guid: "a/b" }, body: undefined },
    { method: "PATCH", parameters: { guid: "a" }, body: { name: "b" } },
    { method: "GET", parameters: {} },
    { method: "HEAD", parameters: {} },
  ]);
  expect([...(received[0]?.query ?? [])]).toEqual([
    ["page", "2"],
    ["page", "3"],
    ["x", "&"],
  ]);
});

describe("another description", () => {
  const schema = {
    type: "object",
    required: ["text"],
    properties: {
      text: { type: "string", nullable: true },
      // A property of this name, and keywords as OpenAPI 3.0 has them.
      nullable: { $ref: "#/components/schemas/Wide", nullable: true },
      word: { type: "string", pattern: "^\\-\\_$" },
    },
    example: { text: "a", $id: 7 },
  };
  const wide = { type: "number", minimum: 0, exclusiveMinimum: true, maximum: 9, exclusiveMaximum: false };
  const content = { "application/json": { schema } };
  const extended = {
    ...spec,
    paths: {
      ...spec.paths,
      "/api/notes/{note_guid}": {
        summary: "A note",
        parameters: [{ name: "note_guid", in: "path", required: true, schema: { type: "string" } }],
        get: { operationId: "getNote", responses: {} },
        put: { operationId: "putNote", requestBody: { $ref: "#/components/requestBodies/Note" }, responses: {} },
        patch: { operationId: "patchNote", requestBody: { content }, responses: {} },
      },
    },
    components: {
      ...spec.components,
      schemas: { ...spec.components.schemas, Wide: wide },
      requestBodies: { Note: { content } },
    },
  };
  const path = "/api/notes/{note_guid}" as EmulatorPath;

  /** The emulator as it is with that description. */
  const load = async () => {
    vi.doMock("../../../generated/emulator/spec.js", () => ({ spec: extended }));
    vi.resetModules();
    return Promise.all([import("../../../src/emulator/emulator.js"), import("../../../src/emulator/description.js")]);
  };
  afterAll(() => {
    vi.doUnmock("../../../generated/emulator/spec.js");
    vi.resetModules();
  });

  test("its operations are counted, respond with 501 until they are implemented, and with faults", async () => {
    const [{ startEmulator }] = await load();
    const emulator = await startEmulator();
    onTestFinished(() => emulator.close());
    emulator.play({ path, nth: 2, status: 200, body: { text: "a" } });
    const get = () => fetch(`${emulator.url}/api/notes/1`);
    const refused = await get();
    expect([refused.status, await refused.json()]).toMatchObject([501, { message_code: "not_implemented" }]);
    const injected = await get();
    expect([injected.status, await injected.json()]).toEqual([200, { text: "a" }]);
    expect(emulator.counts[path]).toBe(2);
    expect((await fetch(`${emulator.url}/api/notes/1`, { method: "DELETE" })).status).toBe(405);
    expect(() => emulator.play({ path: "/api/notes/1" as EmulatorPath })).toThrow("/api/notes/{note_guid}");
  });

  test.each([`"`, "'", "`", "*/", "\\", "\n", "\u2028", "${", "]", ")"])("its text runs nowhere: %j", async (end) => {
    const [, { ajv }] = await load();
    const text = `${end};globalThis.ran=1;//`;
    const schema = { properties: { [text]: { enum: [text], description: text } }, required: [text], [text]: text };
    // What the build writes into the package.
    const code = standalone.default(ajv, ajv.compile(schema));
    const check = runInThisContext(
      `(() => { const module = {}; ${code}; return module.exports; })()`,
    ) as ValidateFunction;
    expect([check({ [text]: text }), check({ [text]: "" }), check({})]).toEqual([true, false, false]);
    expect(globalThis).not.toHaveProperty("ran");
  });

  test("its bodies are checked, wherever their schema is", async () => {
    const [, { bodyChecks }] = await load();
    expect(bodyChecks["getNote"]).toBeUndefined();
    const right = [{ text: null }, { text: "", nullable: 9, word: "-_" }, { text: "", nullable: 0.1 }];
    const wrong = [
      {},
      { text: 7 },
      { text: "", nullable: 0 },
      { text: "", nullable: 9.1 },
      { text: "", nullable: null },
      { text: "", word: "-" },
    ];
    for (const check of [bodyChecks["putNote"], bodyChecks["patchNote"]]) {
      expect(right.filter((body) => check?.(body) !== true)).toEqual([]);
      expect(wrong.filter((body) => check?.(body) !== false)).toEqual([]);
    }
  });
});
