import { readFile } from "node:fs/promises";
import { Ajv } from "ajv";
import { parse } from "yaml";
import { sample } from "../../scripts/generate/sample.js";
import { type Json, type OpenApi, follow, asObject, objectsIn } from "../../scripts/spec/json.js";
import { type Operation, operationsOf, parametersOf } from "../../scripts/spec/operations.js";
import { json, tokenResponse } from "./service.js";

/** Checks values by the schemas of a description, whose keywords mean the same in JSON Schema, or nearly. */
export function schemaCheck(spec: OpenApi): (schema: unknown, value: unknown) => string | undefined {
  const ajv = new Ajv({ strict: false, validateFormats: false, logger: false });
  ajv.addSchema({ $id: "spec", components: inJsonSchema(spec["components"]) });
  return (schema, value) => (ajv.validate(inJsonSchema(schema) as Json, value) ? undefined : ajv.errorsText());
}

function inJsonSchema(part: unknown): unknown {
  return JSON.parse(JSON.stringify(part ?? {}), (key, value: unknown) => {
    if (key === "$ref") return `spec${String(value)}`;
    // A boolean up to OpenAPI 3.0.
    return key.startsWith("exclusive") && typeof value === "boolean" ? undefined : value;
  });
}

/**
 * A service in memory as a description has it, behind a `fetch` to inject. It responds with a sample of the operation's first
 * response. `calls` are the operations that were asked for, `problems` what was not as described.
 */
export function describedService(spec: OpenApi) {
  const check = schemaCheck(spec);
  const calls: string[] = [];
  const problems: string[] = [];

  function problemsOf(operation: Operation, request: Request, text: string): unknown[] {
    const { fields } = operation;
    const { pathname, searchParams } = new URL(request.url);
    const names = [...operation.path.matchAll(/\{(.*?)\}/g)].map(([, name]) => name);
    const values = patternOf(operation.path).exec(pathname)?.slice(1) ?? [];
    const parameters = parametersOf(spec, operation).map(({ name, in: place, required, schema }) => {
      const key = String(name);
      const found = {
        path: values[names.indexOf(key)],
        query: searchParams.get(key),
        header: request.headers.get(key),
      };
      const value = found[place as keyof typeof found] ?? undefined;
      if (value === undefined) return required === true && `${key} is missing`;
      return check(schema, value) && check(schema, Number(value));
    });
    const { required, content } = follow(spec, fields["requestBody"]);
    const media = asObject(content)[request.headers.get("content-type") ?? ""];
    const body =
      text === "" ? required === true && "the body is missing" : check(asObject(media)["schema"], JSON.parse(text));
    const security = objectsIn(fields["security"] ?? spec["security"]);
    const granted = request.headers.get("authorization")?.split(/[ ,]/) ?? [];
    const isEnough = (requirement: Json) =>
      Object.values(requirement)
        .flat()
        .every((scope) => granted.includes(String(scope)));
    const grant = security.length > 0 && !security.some(isEnough) && `${granted.join(" ")} is not enough`;
    return [...parameters, body, grant].filter((problem) => problem);
  }

  const fetch: typeof globalThis.fetch = async (input, init) => {
    const request = new Request(input, init);
    const { pathname } = new URL(request.url);
    const text = await request.text();
    // A token that says which scopes it has.
    if (pathname === "/oauth/token")
      return tokenResponse((JSON.parse(text) as { scope: string }).scope.replaceAll(" ", ","), 3600);
    const isAsked = ({ method, path }: Operation) =>
      method.toUpperCase() === request.method && patternOf(path).test(pathname);
    const operation = operationsOf(spec).find(isAsked);
    if (operation === undefined) throw new Error(`${request.method} ${pathname} is not described`);
    calls.push(operation.name);
    problems.push(...problemsOf(operation, request, text).map((problem) => `${operation.name}: ${String(problem)}`));
    const [[status, response] = ["", undefined]] = Object.entries(asObject(operation.fields["responses"]));
    const media = asObject(follow(spec, response)["content"])["application/json"];
    if (media === undefined) return new Response(null, { status: Number(status) });
    const schema = follow(spec, asObject(media)["schema"]);
    // Whole: the client wants more than the description requires.
    return json(sample(spec, { ...schema, required: Object.keys(asObject(schema["properties"])) }), Number(status));
  };
  return { fetch, calls, problems };
}

function patternOf(path: string): RegExp {
  return new RegExp(`^${path.replaceAll(/\{.*?\}/g, "([^/]+)")}$`);
}

/** The committed description with the operations of test/fixtures/operations.yaml, as if the provider had added them. */
export async function extendedDescription(): Promise<OpenApi> {
  const [base, extra] = await Promise.all(
    ["openapi/customer-tokens.yaml", "test/fixtures/operations.yaml"].map(async (name) => {
      return parse(await readFile(name, "utf8")) as OpenApi;
    }),
  );
  const components = { ...asObject(base?.["components"]) };
  for (const [kind, added] of Object.entries(asObject(extra?.["components"])))
    components[kind] = { ...asObject(components[kind]), ...asObject(added) };
  return { ...(base as OpenApi), paths: { ...asObject(base?.["paths"]), ...asObject(extra?.["paths"]) }, components };
}
