import { type Finding, type Place, type Side, below, both, finding, quote, thePart } from "./findings.js";
import { entries, escapeStep, follow, isObject, list, object, resolve, schemasOf } from "../spec/json.js";
import type { Json, OpenApi } from "../spec/json.js";
import { type Operation, methods, parametersOf } from "../spec/operations.js";
import { typesOf, valuesOf } from "./constraints.js";
import { conjunction } from "./nodes.js";
import type { OperationPairs } from "./operations.js";
import { SchemaComparison } from "./schemas.js";
import { compareRequirements, compareSecuritySchemes, requirements } from "./security.js";
import { compareServers } from "./servers.js";
import { restOf } from "./texts.js";

/**
 * Compares what types cannot say, place by place: constraints, formats, hosts, security, texts. What no rule knows is a
 * patch to review, never nothing. `exported` are the schemas that both specs have, with the sides that they are used on.
 */
export function compareData(
  oldSpec: OpenApi,
  newSpec: OpenApi,
  operations: OperationPairs,
): { findings: Finding[]; exported: Map<string, Set<Side>> } {
  const comparison = new DataComparison(oldSpec, newSpec);
  const exported = new Map<string, Set<Side>>();
  const findings = [...operations].flatMap(([old, now]) => [...comparison.operation(old, now)]);
  findings.push(...comparison.top(), ...comparison.schemas(exported));
  return { findings, exported };
}

function top(subject: string, ...path: string[]): Place {
  return { subject, side: "request", part: "", path };
}

class DataComparison {
  readonly #old: OpenApi;
  readonly #new: OpenApi;
  readonly #schemas: SchemaComparison;

  constructor(oldSpec: OpenApi, newSpec: OpenApi) {
    this.#old = oldSpec;
    this.#new = newSpec;
    this.#schemas = new SchemaComparison(oldSpec, newSpec);
  }

  *operation(old: Operation, now: Operation): Iterable<Finding> {
    const place = top(old.name);
    const [before, after] = [old.fields, now.fields];
    yield* this.#rest(place, old.item, now.item, ["$ref", "parameters", "servers", "additionalOperations", ...methods]);
    const walked = ["operationId", "parameters", "requestBody", "responses", "security", "servers"];
    yield* this.#rest(place, before, after, walked);
    const [oldServers, newServers] = [old, now].map(({ item, fields }) => fields["servers"] ?? item["servers"]);
    if (oldServers !== undefined || newServers !== undefined)
      yield* compareServers(place, oldServers ?? this.#old["servers"], newServers ?? this.#new["servers"]);
    yield* compareRequirements(place, requirements(this.#old, old), requirements(this.#new, now));

    const request: Place = { ...place, part: "request" };
    for (const [step, was, is] of this.#shared(byPlace(this.#old, old), byPlace(this.#new, now))) {
      const here = below(request, step);
      const isEmpty = is["allowEmptyValue"] === true;
      if (isEmpty !== (was["allowEmptyValue"] === true)) {
        const message = `${isEmpty ? "may" : "may no longer"} be empty in ${thePart}`;
        yield finding(isEmpty ? "minor" : "major", here, message);
      }
      yield* this.#parameter(here, was, is);
    }
    const body = (fields: Json): Json => ("requestBody" in fields ? { body: fields["requestBody"] } : {});
    for (const [, was, is] of this.#shared(body(before), body(after))) {
      yield* this.#rest(request, was, is, ["content", "required"]);
      yield* this.#contents(request, was["content"], is["content"]);
    }
    const [was, is] = [object(before["responses"]), object(after["responses"])];
    yield* this.#rest(
      place,
      was,
      is,
      Object.keys({ ...was, ...is }).filter((key) => !key.startsWith("x-")),
    );
    for (const [status, one, other] of this.#shared(was, is))
      if (!status.startsWith("x-"))
        yield* this.#answer({ ...place, side: "answer", part: `${status} answer` }, one, other);
  }

  /** What is beside the operations. */
  *top(): Iterable<Finding> {
    const [old, now] = [this.#old, this.#new];
    const walked = ["openapi", "info", "servers", "security", "paths", "components"];
    yield* this.#rest(top("top level"), old, now, walked);
    if (old.openapi !== now.openapi)
      yield finding("patch", top("openapi"), `version changed from ${quote(old.openapi)} to ${quote(now.openapi)}`);
    yield* this.#rest(top("info"), object(old["info"]), object(now["info"]), ["version"]);
    yield* compareServers(top("servers"), old["servers"], now["servers"]);
    const [paths, others] = [object(old["paths"]), object(now["paths"])];
    yield* this.#rest(
      top("paths"),
      paths,
      others,
      Object.keys({ ...paths, ...others }).filter((path) => path.startsWith("/")),
    );

    yield* compareSecuritySchemes(old, now);
    // The rest of the components is compared by the operations that refer to it.
    const referred = JSON.stringify([old, now]);
    for (const [kind, before, after] of both(entries(old["components"]), entries(now["components"]))) {
      if (kind === "schemas" || kind === "securitySchemes") continue;
      const names = Object.keys({ ...object(before), ...object(after) });
      const used = names.filter((name) =>
        referred.includes(JSON.stringify(`#/components/${kind}/${escapeStep(name)}`)),
      );
      if (names.length === 0 || kind === "examples")
        yield* restOf(top("components"), { [kind]: before }, { [kind]: after });
      else yield* restOf(top(`components ${kind}`), object(before), object(after), used);
    }
  }

  /** Compares the schemas that no shared operation leads to, and lists those that both specs have, with their sides. */
  *schemas(exported: Map<string, Set<Side>>): Iterable<Finding> {
    for (const [name, before, after] of both(entries(schemasOf(this.#old)), entries(schemasOf(this.#new)))) {
      if (before === undefined) yield finding("minor", top(name), "schema added, and its type");
      else if (after === undefined) yield finding("major", top(name), "schema removed, and its type");
      if (before === undefined || after === undefined) continue;
      const sides = this.#schemas.compared.get(name);
      if (!sides) yield* this.#schemas.part({ ...top(name), side: "export" }, before, after);
      exported.set(name, sides ?? new Set(["export"]));
    }
  }

  /** {@link restOf} two objects, with what their references lead to. */
  #rest(place: Place, before: Json, after: Json, covered: string[]): Iterable<Finding> {
    const full = (spec: OpenApi, fields: Json): Json =>
      Object.fromEntries(
        entries(fields).map(([key, value]) => [key, covered.includes(key) || withTargets(spec, value)]),
      );
    return restOf(place, full(this.#old, before), full(this.#new, after), covered);
  }

  /** A parameter, or a header. */
  *#parameter(place: Place, before: Json, after: Json): Iterable<Finding> {
    const wire = ["style", "explode", "allowReserved", "allowEmptyValue"];
    yield* this.#rest(place, before, after, ["in", "name", "required", "schema", "content", ...wire]);
    const isSingle = hasNoParts(this.#old, before["schema"]) && hasNoParts(this.#new, after["schema"]);
    const [was, is] = [serialization(before, isSingle), serialization(after, isSingle)];
    if (was !== is) yield finding("major", place, `written as ${quote(is)} instead of ${quote(was)} in ${thePart}`);
    else if (before["explode"] !== after["explode"])
      yield finding("patch", place, `${quote("explode")} is put in other words in ${thePart}`);

    const isThere = [before, after].every(({ required }) => required === true);
    if (before["schema"] !== undefined && after["schema"] !== undefined)
      yield* this.#schemas.part(place, before["schema"], after["schema"], isThere);
    else if (mediaTypes(before) !== undefined && mediaTypes(before) === mediaTypes(after))
      yield* this.#contents(place, before["content"], after["content"]);
    else if (before["schema"] !== after["schema"] || mediaTypes(before) !== mediaTypes(after))
      yield finding("major", place, `has another content type in ${thePart}`, "review");
  }

  *#answer(place: Place, before: Json, after: Json): Iterable<Finding> {
    yield* this.#rest(place, before, after, ["headers", "content", "x-message-codes"]);
    const codes = (answer: Json) => list(answer["x-message-codes"]).map((code): [string, true] => [String(code), true]);
    for (const [code, was, is] of both(codes(before), codes(after)))
      if (!was) yield finding("minor", place, `message code ${quote(code)} added to ${thePart}`);
      else if (!is) yield finding("patch", place, `message code ${quote(code)} removed from ${thePart}`);
    for (const [name, was, is] of this.#shared(before["headers"], after["headers"]))
      yield* this.#parameter(below(place, `header ${name}`), was, is);
    yield* this.#contents(place, before["content"], after["content"]);
  }

  *#contents(place: Place, before: unknown, after: unknown): Iterable<Finding> {
    for (const [, was, is] of this.#shared(before, after)) {
      yield* this.#rest(place, was, is, ["schema"]);
      yield* this.#schemas.part(place, was["schema"] ?? true, is["schema"] ?? true, true);
    }
  }

  /** What both specs have under the same key. */
  #shared(before: unknown, after: unknown): [key: string, before: Json, after: Json][] {
    return both(entries(before), entries(after))
      .filter(([, was, is]) => was !== undefined && is !== undefined)
      .map(([key, was, is]) => [key, follow(this.#old, was), follow(this.#new, is)]);
  }
}

/** A value with all that its references lead to. */
function withTargets(spec: OpenApi, value: unknown): unknown {
  const targets: Json = {};
  const add = (part: unknown): void => {
    if (typeof part !== "object" || part === null) return;
    const ref = Array.isArray(part) ? undefined : (part as Json)["$ref"];
    if (typeof ref === "string" && !Object.hasOwn(targets, ref)) {
      targets[ref] = resolve(spec, ref);
      add(targets[ref]);
    }
    Object.values(part).forEach(add);
  };
  add(value);
  return Object.keys(targets).length > 0 ? [value, targets] : value;
}

/** Parameters by "query parameter page". */
function byPlace(spec: OpenApi, operation: Operation): Json {
  const all = parametersOf(spec, operation);
  return Object.fromEntries(all.map((each) => [`${String(each["in"])} parameter ${String(each["name"])}`, each]));
}

/** Whether a schema allows neither lists nor objects, as far as can be seen. */
function hasNoParts(spec: OpenApi, schema: unknown, depth = 0): boolean {
  const { nodes, alternatives } = conjunction(spec, [schema]);
  const types = typesOf(nodes) ?? valuesOf(nodes)?.map((value) => (/^[[{]/.test(value) ? "object" : "string"));
  if (types) return !types.some((type) => type === "array" || type === "object");
  return alternatives.length > 0 && depth < 5 && alternatives.every((one) => hasNoParts(spec, one, depth + 1));
}

/** How a parameter is written into the request, with the defaults of OpenAPI. */
function serialization(parameter: Json, isSingle: boolean): string {
  const byDefault = ["query", "cookie"].includes(String(parameter["in"])) ? "form" : "simple";
  const style = parameter["style"] ?? byDefault;
  const explode = parameter["explode"] ?? style === "form";
  const words = isSingle ? [style] : [style, explode === true ? "explode" : "no explode"];
  return [...words, ...(parameter["allowReserved"] === true ? ["allowReserved"] : [])].join(", ");
}

/** The media types of a parameter or header that is described by `content`, undefined for others. */
function mediaTypes({ content }: Json): string | undefined {
  return isObject(content) ? Object.keys(content).sort().join() : undefined;
}
