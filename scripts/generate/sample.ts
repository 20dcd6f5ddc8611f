import { type Json, type OpenApi, entries, follow, asArray, asObject, objectsIn } from "../spec/json.js";
import { type Operation, parametersOf } from "../spec/operations.js";
import { anything } from "./rewrite.js";
import { literal } from "./text.js";

/**
 * A value that a schema allows, for an example: the shortest if there is a choice, and cut off if it is long.
 *
 * @param around the schemas that this one is inside of
 */
export function sample(spec: OpenApi, value: unknown, around: readonly Json[] = [], budget = { values: 100 }): unknown {
  if (--budget.values < 0) return {};
  const schema = merged(spec, value, around);
  if ("const" in schema) return schema["const"];
  const values = asArray(schema["enum"]);
  if (values.length > 0) return values[0];
  const inside = [...around, follow(spec, value)];
  const below = (part: unknown): unknown => sample(spec, part, inside, budget);
  const { prefixItems, items, minItems, properties, required } = schema;
  switch ([schema["type"]].flat().find((type) => type !== "null") ?? schema["type"]) {
    case "string":
      return text(schema);
    case "integer":
    case "number":
      return number(schema);
    case "boolean":
      return true;
    case "null":
      return null;
    case "array": {
      // Whatever contains itself does so in a list that may be empty.
      const first = inside.includes(follow(spec, items)) ? [] : [items];
      const described = asArray(prefixItems ?? first);
      const length = Math.max(described.length, Math.min(Number(minItems) || 0, 100));
      return Array.from({ length }, (_, index) => below(index < described.length ? described[index] : items));
    }
  }
  const described = asObject(properties);
  // Samples are of requests.
  const names = asArray(required).filter((name) => merged(spec, described[String(name)], inside)["readOnly"] !== true);
  return Object.fromEntries(names.map((name) => [name, below(described[String(name)])]));
}

/** A schema together with the one that it refers to, with all of its `allOf`, and with one of its alternatives. */
function merged(spec: OpenApi, value: unknown, around: readonly Json[], visited: readonly unknown[] = []): Json {
  if (visited.includes(value) || asObject(value)["type"] === anything) return {};
  const { $ref, allOf, oneOf, anyOf, ...own } = asObject(value);
  const alternatives = [oneOf, anyOf].flatMap((each) => {
    return objectsIn(each).find((part) => !around.includes(follow(spec, part))) ?? [];
  });
  const parts = [...($ref === undefined ? [] : [follow(spec, value)]), ...objectsIn(allOf), ...alternatives];
  return [...parts.map((part) => merged(spec, part, around, [...visited, value])), own].reduce((all, part) => ({
    ...all,
    ...part,
    required: [...asArray(all["required"]), ...asArray(part["required"])],
    properties: together(asObject(all["properties"]), asObject(part["properties"])),
  }));
}

/** Properties of two schemas that both apply. */
function together(properties: Json, others: Json): Json {
  const both = entries(others).map(([name, field]) => {
    return [name, Object.hasOwn(properties, name) ? { allOf: [properties[name], field] } : field] as const;
  });
  return { ...properties, ...Object.fromEntries(both) };
}

const formats: Readonly<Record<string, string>> = {
  "date-time": "2026-08-01T00:00:00Z",
  date: "2026-08-01",
  email: "user@example.com",
  uri: "https://example.com",
  uuid: "00000000-0000-4000-8000-000000000000",
};

function text({ format, pattern, example, minLength }: Json): string {
  if (pattern !== undefined && typeof example === "string") return example;
  return formats[String(format)] ?? "x".repeat(Math.min(Math.max(Number(minLength) || 1, 1), 100));
}

/** Zero, or a number near one of the bounds. Up to OpenAPI 3.0 a boolean says whether a bound is excluded. */
function number({ type, minimum, maximum, exclusiveMinimum, exclusiveMaximum, multipleOf }: Json): number {
  const step = Number(multipleOf) || 1;
  const bounds = [
    { bound: minimum, isExclusive: exclusiveMinimum === true, sign: 1 },
    { bound: exclusiveMinimum, isExclusive: true, sign: 1 },
    { bound: maximum, isExclusive: exclusiveMaximum === true, sign: -1 },
    { bound: exclusiveMaximum, isExclusive: true, sign: -1 },
  ].flatMap(({ bound, ...rest }) => (typeof bound === "number" ? [{ bound, ...rest }] : []));
  const fits = (value: number): boolean =>
    (type !== "integer" || Number.isInteger(value)) &&
    (multipleOf === undefined || Number.isInteger(value / step)) &&
    bounds.every(({ bound, isExclusive, sign }) => sign * (value - bound) > 0 || (value === bound && !isExclusive));
  const given = bounds.map(({ bound }) => bound);
  const near = given.map((bound) => bound / step);
  const steps = near.flatMap((each) => [Math.ceil(each), Math.floor(each) + 1, Math.floor(each), Math.ceil(each) - 1]);
  const middle = given.reduce((sum, bound) => sum + bound, 0) / given.length;
  return [0, ...given, ...steps.map((each) => each * step), middle].find(fits) ?? 0;
}

/** A call of the openapi-fetch client, as TypeScript. */
export function exampleCall(spec: OpenApi, operation: Operation): string {
  const { path, method, fields } = operation;
  const params: Record<string, Json> = {};
  for (const parameter of parametersOf(spec, operation)) {
    const { name, in: location, required, schema, content } = parameter;
    if (required !== true || typeof name !== "string" || typeof location !== "string") continue;
    const [media] = Object.values(asObject(content));
    const value = sample(spec, schema ?? asObject(media)["schema"]);
    // Callers serialize a parameter that has a media type themselves.
    const isWritten = schema !== undefined || typeof value === "string";
    params[location] = { ...params[location], [name]: isWritten ? value : JSON.stringify(value) };
  }
  const contents = entries(follow(spec, fields["requestBody"])["content"]);
  // If the service takes several, the client sends JSON without being told.
  const [media, body] = contents.find(([name]) => name === "application/json") ?? contents[0] ?? [];
  const init = {
    ...(Object.keys(params).length > 0 && { params }),
    ...(media !== undefined && media !== "application/json" && { headers: { "Content-Type": media } }),
    ...(media !== undefined && { body: sample(spec, asObject(body)["schema"]) }),
  };
  const argument = Object.keys(init).length > 0 ? `, ${literal(init)}` : "";
  const scopes = scopesOf(spec, fields);
  const credentials = [
    'clientId: process.env["CYBRID_CLIENT_ID"] ?? ""',
    'clientSecret: process.env["CYBRID_CLIENT_SECRET"] ?? ""',
    ...(scopes.length > 0 ? [`scopes: ${literal(scopes)}`] : []),
  ];
  return `import { clientCredentials, createCustomerTokensClient } from "cybrid-customer-tokens";

const cybrid = createCustomerTokensClient({
  auth: clientCredentials({
    ${credentials.join(",\n    ")},
  }),
});

const { data, error, response } = await cybrid.api.${method.toUpperCase()}(${literal(path)}${argument});
`;
}

/** The OAuth scopes that are enough for an operation; none if it wants none. Lists of other schemes hold no scopes. */
function scopesOf(spec: OpenApi, { security = spec["security"] }: Json): unknown[] {
  const schemes = asObject(asObject(spec["components"])["securitySchemes"]);
  const takesScopes = (name: string) => /^(?:oauth2|openIdConnect)$/.test(String(follow(spec, schemes[name])["type"]));
  // Each requirement is enough.
  const choices = objectsIn(security).map((requirement) =>
    entries(requirement).flatMap(([name, scopes]) => (takesScopes(name) ? asArray(scopes) : [])),
  );
  return [...new Set(choices.find((scopes) => scopes.length > 0))];
}
