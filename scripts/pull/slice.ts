import { createHash } from "node:crypto";
import { UserError } from "../command.js";
import { bidi, isUsableName, proseKeys } from "../spec/check.js";
import {
  type Json,
  type OpenApi,
  type Path,
  componentOf,
  escapeStep,
  follow,
  getIn,
  isObject,
  list,
  mappedRef,
  methods,
  object,
  printable,
  resolve,
  steps,
} from "../spec/json.js";
import { keepPlaces, place } from "../spec/parse.js";
import { type Entry, isRefKey, refOf, walk } from "../spec/walk.js";

/** An operation of the whole description. */
interface Operation {
  route: string;
  method: string;
  fields: Json;
  /** What its path has beside operations. */
  shared: Json;
  /** Its operationId as the description has it. */
  written: string | undefined;
  /** Its operationId as the slice has it. */
  id: string;
}

/**
 * What of a description some operations need: the operations, every component that they refer to, their security schemes
 * and tags, the servers, and of the `info` title, version and license.
 *
 * Where the description is sound and generators would still fail, the slice says the same in other words: an operation
 * without a usable operationId gets one, what a reference finds outside of `components` becomes a component, and a
 * reference inside an example, which is data, is left out. Extensions (`x-…`) are left out too, since they are orders to
 * somebody's tools.
 *
 * `wanted` holds operationIds, or methods with paths, such as "POST /v1/things". `name` stands in error messages. Throws
 * {@link UserError} where an operation is not there, or not once.
 *
 * This is no job for openapi-format's filter: it looks at keys wherever they stand, so that a property called `query`
 * or a link's `operationId` vanishes, and it knows neither security schemes nor links.
 */
export function slice(spec: OpenApi, wanted: readonly string[], name: string): OpenApi {
  const all = operationsOf(spec);
  const kept = select(all, wanted, spec, name);
  const paths: Json = {};
  for (const { route, method, fields, shared, id } of kept)
    paths[route] = { ...object(paths[route] ?? shared), [method]: { ...fields, operationId: id } };
  const used = new Set(kept.flatMap(({ fields }) => list(fields["tags"])));
  const tags = list(spec["tags"]).filter((tag) => used.has(object(tag)["name"]));
  const usesDefaultSecurity = kept.some(({ fields }) => fields["security"] === undefined);
  const parts: OpenApi = {
    openapi: spec.openapi,
    info: pick(object(spec["info"]), ["title", "version", "license"]),
    ...pick(spec, ["jsonSchemaDialect", "servers", ...(usesDefaultSecurity ? ["security"] : [])]),
    ...(tags.length > 0 && { tags }),
    paths,
  };
  const ids = new Map(all.map(({ written, id }) => [written, id]));
  return keepPlaces(spec, withComponents(spec, parts, ids));
}

function operationsOf(spec: OpenApi): Operation[] {
  const all = Object.entries(object(spec["paths"])).flatMap(([route, item]) => {
    // A path may be a reference to another one, with more beside it.
    const whole = { ...follow(spec, item), ...object(item) };
    const shared = pick(whole, ["summary", "description", "servers", "parameters"]);
    return methods.flatMap((method): Operation[] => {
      const fields = whole[method];
      if (!isObject(fields)) return [];
      const { operationId } = fields;
      return [
        { route, method, fields, shared, written: operationId === undefined ? undefined : String(operationId), id: "" },
      ];
    });
  });
  const times = countBy(all, ({ written }) => written);
  for (const operation of all) {
    const { written, method, route } = operation;
    // One without a letter or digit, such as "", says nothing.
    const isUsed = written !== undefined && times.get(written) === 1 && /[A-Za-z0-9]/.test(written);
    operation.id = usableName(isUsed ? written : `${method}_${route}`);
  }
  // What two of them would have is told apart by what they are, so that no third one changes a name.
  const clashes = countBy(all, ({ id }) => id.toLowerCase());
  for (const operation of all) {
    const { written, method, route, id } = operation;
    if (id !== written && clashes.get(id.toLowerCase()) !== 1) operation.id = `${id}_${hash(`${method} ${route}`)}`;
  }
  return all;
}

function select(all: readonly Operation[], wanted: readonly string[], spec: OpenApi, name: string): Operation[] {
  const kept = new Set<Operation>();
  const missing: string[] = [];
  for (const text of wanted) {
    const byId = all.filter(({ written }) => written === text);
    const found =
      byId.length > 0 ? byId : all.filter(({ method, route }) => `${method.toUpperCase()} ${route}` === text);
    const [operation, second] = found;
    if (second !== undefined) {
      const where = place(spec, name, ["paths", second.route, second.method]);
      const other = `${second.method.toUpperCase()} ${second.route}`;
      throw new UserError(
        `${where}: the operationId "${printable(text)}" stands twice: select by method and path, as in "${printable(other)}"`,
      );
    }
    if (operation === undefined) missing.push(`"${printable(text)}"`);
    else kept.add(operation);
  }
  if (missing.length > 0) throw new UserError(`${name} has no operation ${missing.join(", ")}`);
  return all.filter((operation) => kept.has(operation));
}

/** A description's `parts`, cleaned, with the components that they lead to, directly or through others. */
function withComponents(spec: OpenApi, parts: OpenApi, ids: ReadonlyMap<unknown, string>): OpenApi {
  const whole = object(spec["components"]);
  /** By kind and name, in the order in which the description has them. */
  const components: Record<string, Json> = {};
  const names = new ComponentNames(whole);
  const queue: Json[] = [];
  const keep = (part: Json): Json => {
    const copy = structuredClone(part);
    queue.push(copy);
    return copy;
  };
  const need = (kind: string, name: string, value: unknown): void => {
    if (value === undefined || Object.hasOwn((components[kind] ??= {}), name)) return;
    const { components: kept } = keep({ components: { [kind]: { [name]: value } } });
    Object.assign(components[kind], object(kept)[kind]);
  };
  const result = keep(parts) as OpenApi;
  for (const part of queue)
    walk(part, (entry) => {
      if (!clean(entry, ids)) return false;
      const { parent, key, value, path, kind } = entry;
      if (key === "security" && kind === "fields")
        for (const scheme of list(value).flatMap((item) => Object.keys(object(item))))
          need("securitySchemes", scheme, getIn(whole, ["securitySchemes", scheme]));
      const ref = kind === "data" ? undefined : refOf({ ...entry, value: (parent as Json)[key] });
      const target = ref?.startsWith("#/") === true ? resolve(spec, ref) : undefined;
      // A path in a callback is no component.
      if (ref === undefined || target === undefined || path.at(-4) === "callbacks") return true;
      const [ofKind, name] = names.of(ref, kindAt(path));
      need(ofKind, name, target);
      (parent as Json)[key] = `#/components/${ofKind}/${escapeStep(name)}`;
      return true;
    });
  const ordered = Object.keys(whole).flatMap((kind) => {
    const kept = object(components[kind]);
    const first = Object.keys(object(whole[kind])).filter((name) => name in kept);
    return Object.keys(kept).length === 0 ? [] : [[kind, { ...pick(kept, first), ...kept }]];
  });
  const rest = Object.entries(components).filter(([kind, kept]) => !(kind in whole) && Object.keys(kept).length > 0);
  const all = Object.fromEntries([...ordered, ...rest]);
  return Object.keys(all).length === 0 ? result : { ...result, components: all };
}

/** Names for what references lead to: a component's own one, or a new one for what is no component by itself. */
class ComponentNames {
  #byRef = new Map<string, [kind: string, name: string]>();
  #taken: Set<string>;

  constructor(components: Json) {
    const all = Object.entries(components);
    this.#taken = new Set(all.flatMap(([kind, named]) => Object.keys(object(named)).map((name) => taken(kind, name))));
  }

  of(ref: string, kindOfPlace: string): [kind: string, name: string] {
    const way = steps(ref);
    const component = componentOf(ref);
    if (component !== undefined && way.length === 3) return component;
    const known = this.#byRef.get(`${kindOfPlace} ${ref}`);
    if (known !== undefined) return known;
    const base = usableName(way.filter((step) => !structure.has(step)).join("_"));
    const name = this.#taken.has(taken(kindOfPlace, base)) ? `${base}_${hash(ref)}` : base;
    this.#taken.add(taken(kindOfPlace, name));
    this.#byRef.set(`${kindOfPlace} ${ref}`, [kindOfPlace, name]);
    return [kindOfPlace, name];
  }
}

/** Two names that differ in case alone are one to a file system. */
function taken(kind: string, name: string): string {
  return `${kind} ${name.toLowerCase()}`;
}

/** Steps of a reference that say nothing about what it leads to. */
const structure = new Set(
  "components schemas paths responses parameters properties definitions $defs content schema".split(" "),
);

/** The kind of component that a reference wants, by where it stands: its `path` ends in "$ref". */
function kindAt(path: Path): string {
  const [container, key] = path.slice(-3);
  const kinds = ["responses", "parameters", "examples", "headers", "links", "callbacks"];
  if (kinds.includes(String(container)) && path.at(-1) === "$ref") return String(container);
  return key === "requestBody" ? "requestBodies" : "schemas";
}

/** Cleans one value of a copy, see {@link slice}; false where nothing below it is of interest. */
function clean({ parent, key, value, path, kind }: Entry, ids: ReadonlyMap<unknown, string>): boolean {
  if (Array.isArray(parent) || typeof key === "number") return true;
  const container = path.at(-2);
  const isExtension = kind === "fields" || (kind === "names" && container === "responses");
  const isSample =
    kind === "data" && path.some((step) => step === "example" || step === "examples" || step === "value");
  const isLeftOut =
    (isExtension && key.startsWith("x-")) ||
    (isSample && isRefKey(key)) ||
    // What references find in them is a component, and openapi-typescript takes them for properties.
    (kind === "fields" && (key === "definitions" || key === "$defs")) ||
    // No parameters and an empty list of them are the same.
    (kind === "fields" && key === "parameters" && Array.isArray(value) && value.length === 0);
  if (isLeftOut) {
    delete parent[key];
    return false;
  }
  if (kind === "names" && container === "mapping" && typeof value === "string") parent[key] = mappedRef(value);
  if (kind !== "fields") return true;
  // A link names an operation. One that is not in the description stays as it is.
  if (key === "operationId" && path.at(-3) === "links") parent[key] = ids.get(value) ?? value;
  if (path.join(".") === "info.version") parent[key] = String(value);
  // Unquoted, a number is no text to YAML.
  if (proseKeys.has(key) && (typeof value === "number" || typeof value === "boolean")) parent[key] = String(value);
  if (proseKeys.has(key) && typeof value === "string")
    parent[key] = value
      .replace(/\r\n?|[\p{Zl}\p{Zp}]/gu, "\n")
      .replace(bidi, "")
      .replaceAll("*/", "* /");
  return true;
}

/** Text as a name that generators take: letters, digits, "_", "." and "-", with a letter or "_" before them. */
function usableName(text: string): string {
  if (isUsableName(text)) return text;
  const name = text.replace(/[^A-Za-z0-9.-]+/g, "_").replace(/^_+(?=.)|(?<=.)_+$/g, "");
  const whole = /^[A-Za-z_]/.test(name) ? name : `_${name}`;
  return isUsableName(whole) ? whole : `${whole.slice(0, 100)}_${hash(text)}`;
}

function hash(text: string): string {
  return createHash("sha256").update(text).digest("hex").slice(0, 6);
}

function countBy<T>(items: readonly T[], key: (item: T) => unknown): Map<unknown, number> {
  const counts = new Map<unknown, number>();
  for (const item of items) counts.set(key(item), (counts.get(key(item)) ?? 0) + 1);
  return counts;
}

function pick(from: Json, keys: readonly string[]): Json {
  return Object.fromEntries(keys.flatMap((key) => (key in from ? [[key, from[key]]] : [])));
}
