import { describe, expect, test } from "vitest";
import { stringify } from "yaml";
import { UserError } from "../../../scripts/command.js";
import { checkSpec } from "../../../scripts/spec/check.js";
import { parseSpec } from "../../../scripts/spec/parse.js";
import type { Json } from "../../../scripts/spec/json.js";

const minimal = {
  openapi: "3.0.3",
  info: { title: "Library", version: "1" },
  paths: { "/books": { get: { operationId: "getBook", responses: {} } } },
};

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
  const names = "\n\u2028\u2029".split("");

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
      /#\/components\/schemas\/S0: its references hold more than 100000000 values$/,
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
    "a component's name with a slash, of another kind": [
      { ...minimal, components: { parameters: { "a/b": {} } } },
      /#\/components\/parameters\/a~1b: a component's name/,
    ],
    "a component's name beyond ASCII": [schemas({ Ж: {} }), /a component's name/],
    "a very long path": [
      { ...minimal, paths: { [`/${"a".repeat(2000)}`]: {} } },
      /#\/paths\/~1a.*: a name has at most 2000 characters$/,
    ],
    "a very long name": [schemas({ ["A".repeat(201)]: {} }), /a name has at most 200 characters$/],
    ...Object.fromEntries(
      ["books", "/{a", "/a}", "/{a/b}", "/{}", "/a\\b", "/a\nb"].map((path) => [
        `the path ${path}`,
        [{ ...minimal, paths: { [path]: {} } }, /: a path starts with "\/", has \{names\} in braces alone/],
      ]),
    ),
    ...Object.fromEntries(
      names.flatMap((text) => [
        [
          `a property's name with ${JSON.stringify(text)}`,
          [
            schemas({ A: { properties: { [`a${text}b`]: {} } } }),
            /#\/components\/schemas\/A\/properties\/a.*: a name must stand on one line/,
          ],
        ],
        [
          `an enum's value with ${JSON.stringify(text)}`,
          [
            schemas({ A: { enum: ["fine", `a${text}b`] } }),
            /#\/components\/schemas\/A\/enum\/1: must stand on one line/,
          ],
        ],
        [
          `a parameter's name with ${JSON.stringify(text)}`,
          [
            operation({ parameters: [{ name: `a${text}`, in: "query" }] }),
            /\/parameters\/0\/name: must stand on one line/,
          ],
        ],
        [
          `a server's URL with ${JSON.stringify(text)}`,
          [{ ...minimal, servers: [{ url: `https://x${text}` }] }, /#\/servers\/0\/url: must stand on one line/],
        ],
        [
          `a tag with ${JSON.stringify(text)}`,
          [operation({ tags: [`a${text}`] }), /\/tags\/0: must stand on one line/],
        ],
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
      operation({ requestBody: { content: { "a b": {} } } }),
      /\/content\/a b: must be a media type/,
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
    ...Object.fromEntries(
      Object.entries({
        maxLength: ["32", "a whole number of 0 or more"],
        minItems: [-1, "a whole number of 0 or more"],
        minimum: ["1", "a number"],
        exclusiveMinimum: ["1", "true or false"],
        pattern: [1, "a string"],
        type: [{ a: 1 }, "a string"],
        nullable: ["true", "true or false"],
        readOnly: [1, "true or false"],
        required: [true, "a list"],
        enum: ["a", "a list"],
        properties: [["a"], "an object"],
        items: ["string", "a schema"],
        allOf: [{}, "a list"],
        additionalProperties: ["string", "a schema"],
        discriminator: ["type", "an object"],
      }).map(([keyword, [value, expected]]): [string, [Json, RegExp]] => [
        `${keyword}: ${JSON.stringify(value)}`,
        [
          schemas({ A: { properties: { [keyword]: { [keyword]: value } } } }),
          new RegExp(
            `^x:\\d+:\\d+: #/components/schemas/A/properties/${keyword}/${keyword}: must be ${String(expected)}$`,
          ),
        ],
      ]),
    ),
    "a schema that is text": [
      schemas({ A: { anyOf: ["string"] } }),
      /#\/components\/schemas\/A\/anyOf\/0: must be a schema$/,
    ],
    "a required name that is a number": [schemas({ A: { required: [1] } }), /\/required\/0: must be a string$/],
    "a required name on two lines": [schemas({ A: { required: ["a\nb"] } }), /\/required\/0: a name must stand on one/],
    "parameters that are an object": [operation({ parameters: {} }), /\/parameters: must be a list$/],
    "a parameter's required": [
      operation({ parameters: [{ name: "a", in: "query", required: "yes" }] }),
      /\/parameters\/0\/required: must be true or false$/,
    ],
    "a keyword that is misspelt": [
      schemas({ A: { maxLenght: 1 } }),
      /\/A\/maxLenght: is no field that OpenAPI or JSON/,
    ],
    "a path parameter that is not described": [
      { ...minimal, paths: { "/a/{b}": { get: { operationId: "a", responses: {} } } } },
      /#\/paths\/~1a~1{b}\/get: no parameter with "in: path" describes the {b} of the path$/,
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
        content: { "*/*": { example: { "a'b": "*/ `${x}`" } }, 'text/a; charset="utf-8"': {} },
      },
      responses: { "2XX": { headers: { "x-a": {} } }, default: {} },
    });
    const odd = 'it\'s a "<b>" of `${x}` \\ */ /* #?';
    const parameters = [
      { name: "a", in: "path", required: true, schema: {} },
      { name: odd, in: "query", schema: { enum: [odd], format: odd } },
    ];
    Object.assign(spec["paths"] as Json, {
      [`/$\{a}/*/it's/a b#c?d={e}"\`<>|[]`]: { parameters, get: { operationId: "odd", tags: [odd], responses: {} } },
      [`/${"long".repeat(100)}`]: {},
    });
    const tree = { type: "object", properties: { next: { $ref: "#/components/schemas/Tree" } } };
    const whole = {
      ...spec,
      components: { schemas: { Tree: tree, "A.b-c_1": { default: "it's" }, "..": { properties: { [odd]: {} } } } },
    };
    expect(checkSpec(parseSpec(stringify(whole), "x"), "x")).toBeUndefined();
  });
});
