import { UserError } from "../cli.js";
import { withComponents } from "../spec/components.js";
import { hash, usableName } from "../spec/names.js";
import { type Json, type OpenApi, type Path, asArray, asObject, printable } from "../spec/json.js";
import { type Operation, operationsOf } from "../spec/operations.js";
import { keepPlaces, place } from "../spec/parse.js";
import { cleaner } from "./clean.js";
import { Tally } from "./notes.js";

/** An operation of the whole description, and its name. */
interface Named extends Operation {
  /** Its operationId as the description has it. */
  written: string | undefined;
  /** Its operationId as the slice has it. */
  id: string;
}

/**
 * The part of a description that some operations need: the operations, every component that they refer to, their security
 * schemes and tags, the servers, and title, version and license of the `info`.
 *
 * If the description is valid and generators would fail all the same, the slice says the same in other words: an operation
 * without a usable operationId gets one, the target of a reference outside of `components` becomes a component, and a
 * reference inside an example, which is data, is left out. Extensions (`x-…`) are left out too, since they configure other
 * people's tools.
 *
 * `wanted` holds operationIds, or methods with paths, such as "POST /v1/things". `name` is used in error messages. `note`
 * gets a sentence for each field that OpenAPI does not have. Throws {@link UserError} if an operation is not there, or
 * not once.
 *
 * openapi-format's filter cannot do this: it looks at keys at any place, so that a property called `query` or a link's
 * `operationId` vanishes, and it knows neither security schemes nor links.
 */
export function slice(
  spec: OpenApi,
  wanted: readonly string[],
  name: string,
  note: (sentence: string) => void = () => {},
): OpenApi {
  const all = named(operationsOf(spec));
  const kept = select(all, wanted, spec, name);
  const paths: Json = {};
  for (const { path, method, item, fields, id } of kept) {
    const shared = pick(item, ["summary", "description", "servers", "parameters"]);
    paths[path] = { ...asObject(paths[path] ?? shared), [method]: { ...fields, operationId: id } };
  }
  const used = new Set(kept.flatMap(({ fields }) => asArray(fields["tags"])));
  const tags = asArray(spec["tags"]).filter((tag) => used.has(asObject(tag)["name"]));
  const usesDefaultSecurity = kept.some(({ fields }) => fields["security"] === undefined);
  const parts: OpenApi = {
    openapi: spec.openapi,
    info: pick(asObject(spec["info"]), ["title", "version", "license"]),
    ...pick(spec, ["jsonSchemaDialect", "servers", ...(usesDefaultSecurity ? ["security"] : [])]),
    ...(tags.length > 0 && { tags }),
    paths,
  };
  const ids = new Map(all.map(({ written, id }) => [written, id]));
  const unknown = new Tally();
  const noteUnknown = (path: Path): void => unknown.add(path.at(-1), () => place(spec, name, path));
  const whole = withComponents(spec, parts, cleaner(spec, ids, noteUnknown));
  unknown.sentences(() => "left out, since OpenAPI and JSON Schema have no such field").forEach(note);
  return keepPlaces(spec, whole);
}

/** Gives operations names that generators accept. */
function named(operations: readonly Operation[]): Named[] {
  const all = operations.map((operation): Named => {
    const { operationId } = operation.fields;
    return { ...operation, written: operationId === undefined ? undefined : String(operationId), id: "" };
  });
  const times = countBy(all, ({ written }) => written);
  for (const operation of all) {
    const { written, method, path } = operation;
    // One without a letter or digit, such as "", is not usable.
    const isUsed = written !== undefined && times.get(written) === 1 && /[A-Za-z0-9]/.test(written);
    operation.id = usableName(isUsed ? written : `${method}_${path}`);
  }
  // A name that two operations would share gets a hash of the operation, so that no third one changes a name.
  const clashes = countBy(all, ({ id }) => id.toLowerCase());
  for (const operation of all) {
    const { written, method, path, id } = operation;
    if (id !== written && clashes.get(id.toLowerCase()) !== 1) operation.id = `${id}_${hash(`${method} ${path}`)}`;
  }
  return all;
}

function select(all: readonly Named[], wanted: readonly string[], spec: OpenApi, name: string): Named[] {
  const kept = new Set<Named>();
  const missing: string[] = [];
  for (const text of wanted) {
    const byId = all.filter(({ written }) => written === text);
    const [operation, second] = byId.length > 0 ? byId : all.filter(({ route }) => route === text);
    if (second !== undefined) {
      const where = place(spec, name, ["paths", second.path, second.method]);
      const words = `the operationId "${printable(text)}" is used twice: select by method and path`;
      throw new UserError(`${where}: ${words}, as in "${printable(second.route)}"`);
    }
    if (operation === undefined) missing.push(`"${printable(text)}"`);
    else kept.add(operation);
  }
  if (missing.length > 0) {
    const isSplit = Object.values(asObject(spec["paths"])).some((item) =>
      /^[^#]/.test(String(asObject(item)["$ref"] ?? "#")),
    );
    const hint = isSplit
      ? "; some of its paths are in other documents: bundle them with `npx @redocly/cli bundle`"
      : "";
    throw new UserError(`${name} has no operation ${missing.join(", ")}${hint}`);
  }
  return all.filter((operation) => kept.has(operation));
}

function countBy<T>(items: readonly T[], key: (item: T) => unknown): Map<unknown, number> {
  const counts = new Map<unknown, number>();
  for (const item of items) counts.set(key(item), (counts.get(key(item)) ?? 0) + 1);
  return counts;
}

/** The members with these keys, in the order that they have. */
function pick(from: Json, keys: readonly string[]): Json {
  return Object.fromEntries(Object.entries(from).filter(([key]) => keys.includes(key)));
}
