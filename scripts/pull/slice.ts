import { openapiOverlay, resolveJsonPath } from "openapi-format";
import { format, resolveConfig } from "prettier";
import { stringify } from "yaml";
import { UserError } from "../command.js";
import { bidi, proseKeys } from "../spec/check.js";
import { componentOf, getIn, isObject, mappedRef, methods, object, printable, resolve } from "../spec/json.js";
import { keepPlaces, parseYaml, place } from "../spec/parse.js";
import { refOf, walk } from "../spec/walk.js";
import type { Json, OpenApi } from "../spec/json.js";

/**
 * What of a description some operations need: the operations as they are, every component that they refer to, their
 * security schemes and tags, the servers, and of the `info` title, version and license. Extensions (`x-…`) are left out,
 * since they are orders to somebody's tools. `name` stands in error messages. Throws {@link UserError} where an operation
 * is not there, or not once.
 *
 * This is no job for openapi-format's filter: it looks at keys wherever they stand, so that a property called `query`
 * or a link's `operationId` vanishes, and it knows neither security schemes nor links.
 */
export function slice(spec: OpenApi, operationIds: readonly string[], name: string): OpenApi {
  const paths: Json = {};
  const tags = new Set<unknown>();
  const missing = new Set(operationIds);
  let usesDefaultSecurity = false;
  for (const [route, item] of Object.entries(object(spec["paths"]))) {
    const { operations, shared } = pathItem(spec, item);
    const wanted = operations.filter(([, { operationId }]) => operationIds.includes(String(operationId)));
    if (wanted.length === 0) continue;
    paths[route] = { ...shared, ...Object.fromEntries(wanted) };
    for (const [method, operation] of wanted) {
      const id = String(operation["operationId"]);
      if (!missing.delete(id)) {
        const where = place(spec, name, ["paths", route, method]);
        throw new UserError(`${where}: the operationId "${printable(id)}" stands twice`);
      }
      for (const tag of list(operation["tags"])) tags.add(tag);
      usesDefaultSecurity ||= operation["security"] === undefined;
    }
  }
  if (missing.size > 0) {
    const ids = [...missing].map((id) => `"${printable(id)}"`).join(", ");
    throw new UserError(`${name} has no operation ${ids}`);
  }
  const parts: OpenApi = {
    openapi: spec.openapi,
    info: pick(object(spec["info"]), ["title", "version", "license"]),
    ...pick(spec, ["jsonSchemaDialect", "servers", ...(usesDefaultSecurity ? ["security"] : [])]),
    tags: list(spec["tags"]).filter((tag) => tags.has(object(tag)["name"])),
    paths,
  };
  const components = neededComponents(spec, parts);
  return keepPlaces(spec, neutral({ ...parts, components }));
}

/** A path item's operations, and what stands beside them. It may be a reference to another one. */
function pathItem(spec: OpenApi, item: unknown): { operations: [method: string, operation: Json][]; shared: Json } {
  const { $ref: ref, ...own } = object(item);
  const whole = { ...(typeof ref === "string" ? object(resolve(spec, ref)) : {}), ...own };
  return {
    operations: methods.flatMap((method) => {
      const operation = whole[method];
      return isObject(operation) ? [[method, operation]] : [];
    }),
    shared: pick(whole, ["summary", "description", "servers", "parameters"]),
  };
}

/** The components that `parts` lead to, directly or through others, in the order in which the description has them. */
function neededComponents(spec: OpenApi, parts: OpenApi): Json {
  const all = object(spec["components"]);
  const needed = new Map<string, Set<string>>();
  const queue: Json[] = [parts];
  const need = (kind: string, name: string): void => {
    const names = needed.get(kind) ?? new Set();
    if (names.has(name)) return;
    needed.set(kind, names.add(name));
    queue.push({ components: { [kind]: { [name]: getIn(all, [kind, name]) } } });
  };
  for (const part of queue)
    walk(part, (entry) => {
      const component = componentOf(refOf(entry) ?? "");
      if (component !== undefined) need(...component);
      if (entry.key === "security" && entry.kind === "fields")
        for (const scheme of list(entry.value).flatMap((item) => Object.keys(object(item))))
          need("securitySchemes", scheme);
    });
  return Object.fromEntries(
    Object.entries(all).flatMap(([kind, components]) => {
      const names = needed.get(kind);
      if (names === undefined) return [];
      const keys = Object.keys(object(components)).filter((name) => names.has(name));
      return [[kind, pick(object(components), keys)]];
    }),
  );
}

/** A copy without extensions and empty parts, with prose that can end no comment and references written in full. */
function neutral(spec: OpenApi): OpenApi {
  const copy = structuredClone(spec);
  for (const key of ["tags", "components"]) if (Object.keys(Object(copy[key])).length === 0) delete copy[key];
  walk(copy, ({ parent, key, value, path, kind }) => {
    if (Array.isArray(parent) || typeof key === "number") return true;
    const isExtension = kind === "fields" || (kind === "names" && path.at(-2) === "responses");
    if (isExtension && key.startsWith("x-")) {
      delete parent[key];
      return false;
    }
    if (kind === "names" && path.at(-2) === "mapping" && typeof value === "string") parent[key] = mappedRef(value);
    // No parameters and an empty list of them are the same.
    if (kind === "fields" && key === "parameters" && list(value).length === 0 && Array.isArray(value))
      delete parent[key];
    if (kind === "fields" && proseKeys.has(key) && typeof value === "string")
      parent[key] = value
        .replace(/\r\n?|[\p{Zl}\p{Zp}]/gu, "\n")
        .replace(bidi, "")
        .replaceAll("*/", "* /");
    return true;
  });
  return copy;
}

/** An OpenAPI Overlay 1.0 document: what is added to a description, in order. */
export interface Overlay {
  name: string;
  version: string;
  actions: Json[];
}

/** Parses an overlay, YAML or JSON. `name` stands in error messages. Throws {@link UserError}. */
export function parseOverlay(text: string, name: string): Overlay {
  const overlay = object(parseYaml(text, name));
  const { overlay: version, actions = [] } = overlay;
  if (typeof version !== "string" || !/^1\.0\.\d+$/.test(version))
    throw new UserError(`${name} is not an overlay: expected "overlay: 1.0.0"`);
  if (!Array.isArray(actions) || !actions.every(isObject))
    throw new UserError(`${name}: "actions" must be a list of objects`);
  for (const [index, action] of actions.entries()) {
    const where = place(overlay, name, ["actions", index]);
    if (typeof action["target"] !== "string" || !action["target"].startsWith("$"))
      throw new UserError(`${where}: "target" must be a JSONPath that starts with "$"`);
    if (!("update" in action) && action["remove"] !== true)
      throw new UserError(`${where}: expected "update" or "remove: true"`);
  }
  return keepPlaces(overlay, { name, version, actions });
}

/**
 * A copy of a description with an overlay's actions applied. Throws {@link UserError} where an action finds no target:
 * upstream has then changed under it.
 */
export async function applyOverlay(spec: OpenApi, overlay: Overlay): Promise<OpenApi> {
  let result: OpenApi = structuredClone(spec);
  for (const [index, action] of overlay.actions.entries()) {
    const target = String(action["target"]);
    const refuse = (problem: string): UserError =>
      new UserError(`${place(overlay, overlay.name, ["actions", index])}: ${problem}: ${printable(target)}`);
    // openapi-format takes the wrong items then, since each removal moves those behind it.
    const parents = resolveJsonPath(result, target).map(({ parent }) => parent);
    if (
      action["remove"] === true &&
      parents.some((parent, at) => parents.indexOf(parent) !== at && Array.isArray(parent))
    )
      throw refuse("removes several items of one list, which takes one action each");
    const { data, resultData } = await openapiOverlay(result, {
      overlaySet: { overlay: overlay.version, actions: [{ ...action, target }] },
    });
    if (resultData["totalUnusedActions"] !== 0) throw refuse("the overlay's target is not there");
    result = data as OpenApi;
  }
  return keepPlaces(spec, withoutRepetition(result));
}

/** Overlays add to lists. What both sides state of these, which are sets, then stands there once. */
function withoutRepetition(spec: OpenApi): OpenApi {
  const tags = new Map<unknown, unknown>();
  for (const tag of list(spec["tags"])) {
    const { name } = object(tag);
    tags.set(name, { ...object(tags.get(name)), ...object(tag) });
  }
  if (tags.size > 0) spec["tags"] = [...tags.values()];
  walk(spec, ({ parent, key, value, kind }) => {
    if (kind !== "fields" || Array.isArray(parent) || !Array.isArray(value)) return;
    if (key === "required" || key === "enum" || key === "x-message-codes") parent[key] = [...new Set<unknown>(value)];
  });
  return spec;
}

/**
 * The message codes that the examples of answers show but `x-message-codes` of that answer does not list, each with its
 * status and operation. None where no answer has such a list.
 */
export function unlistedCodes(spec: OpenApi): string[] {
  const found = new Set<string>();
  let hasLists = false;
  for (const item of Object.values(object(spec["paths"])))
    for (const operation of Object.values(object(item)).map(object))
      for (const [status, given] of Object.entries(object(operation["responses"]))) {
        const response = dereferenced(spec, given);
        const listed = list(response["x-message-codes"]);
        hasLists ||= listed.length > 0;
        const shown = Object.values(object(response["content"])).flatMap((media) => [
          object(media)["example"],
          ...Object.values(object(object(media)["examples"])).map((example) => dereferenced(spec, example)["value"]),
        ]);
        for (const { message_code: code } of shown.map(object))
          if (typeof code === "string" && !listed.includes(code))
            found.add(`${printable(code)} (${status} of ${String(operation["operationId"])})`);
      }
  return hasLists ? [...found] : [];
}

function dereferenced(spec: OpenApi, value: unknown): Json {
  const { $ref: ref } = object(value);
  return object(typeof ref === "string" ? resolve(spec, ref) : value);
}

/** The order in which an object's fields are written; others follow, and extensions come last. */
const order = `
  openapi jsonSchemaDialect $ref info title type format name in url servers tags scheme operationId summary description
  version deprecated parameters nullable readOnly writeOnly required minimum maximum minLength maxLength pattern minItems
  maxItems uniqueItems items properties additionalProperties allOf oneOf anyOf discriminator enum default headers
  requestBody content schema example examples value paths responses components tokenUrl scopes security
`.split(/\s+/);

/** A description as YAML text, as prettier leaves it: equal descriptions give equal bytes, whatever the order of fields. */
export async function render(spec: OpenApi): Promise<string> {
  const copy = structuredClone(spec);
  const objects = new Set<Json>([copy]);
  walk(copy, ({ parent, kind }) => {
    if (kind === "fields" && !Array.isArray(parent)) objects.add(parent);
  });
  const rank = (key: string): number => {
    if (key.startsWith("x-")) return order.length + 1;
    return order.includes(key) ? order.indexOf(key) : order.length;
  };
  for (const fields of objects) {
    const sorted = Object.entries(fields).sort(([a], [b]) => rank(a) - rank(b));
    for (const [key] of sorted) delete fields[key];
    Object.assign(fields, Object.fromEntries(sorted));
  }
  // openapi-generator reads YAML 1.1, where a bare `no` is a boolean.
  const text = stringify(copy, { lineWidth: 0, aliasDuplicateObjects: false, compat: "yaml-1.1" });
  return formatted(text, "yaml");
}

/** Text as `prettier` leaves this project's own files, wherever it is written. */
export async function formatted(text: string, parser: "yaml" | "json"): Promise<string> {
  return format(text, { ...(await resolveConfig(import.meta.filename)), parser });
}

function list(value: unknown): unknown[] {
  return Array.isArray(value) ? value : [];
}

function pick(from: Json, keys: readonly string[]): Json {
  return Object.fromEntries(keys.flatMap((key) => (key in from ? [[key, from[key]]] : [])));
}
