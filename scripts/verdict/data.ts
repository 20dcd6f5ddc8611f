import { type Finding, type Place, type Side, below, both, quote, thePart } from "./findings.js";
import { entries, escapeStep, follow, isObject, list, object, resolve, schemasOf } from "../spec/json.js";
import type { Json, OpenApi } from "../spec/json.js";
import { type Operation, methods, parametersOf } from "../spec/operations.js";
import { typesOf } from "./constraints.js";
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
  for (const [old, now] of operations) comparison.operation(old, now);
  comparison.top();
  const exported = comparison.exportedSchemas();
  return { findings: comparison.findings, exported };
}

class DataComparison {
  readonly findings: Finding[] = [];
  readonly #old: OpenApi;
  readonly #new: OpenApi;
  readonly #schemas: SchemaComparison;

  constructor(oldSpec: OpenApi, newSpec: OpenApi) {
    this.#old = oldSpec;
    this.#new = newSpec;
    this.#schemas = new SchemaComparison(oldSpec, newSpec);
  }

  operation(old: Operation, now: Operation): void {
    const place: Place = { subject: old.name, side: "request", part: "", path: [] };
    this.#rest(place, old.item, now.item, ["$ref", "parameters", "servers", "additionalOperations", ...methods]);
    const [before, after] = [old.fields, now.fields];
    const walked = ["parameters", "requestBody", "responses", "security", "servers"];
    this.#rest(place, before, after, ["operationId", ...walked]);

    const [oldServers, newServers] = [old, now].map(({ item, fields }) => fields["servers"] ?? item["servers"]);
    if (oldServers !== undefined || newServers !== undefined)
      this.#add(compareServers(place, oldServers ?? this.#old["servers"], newServers ?? this.#new["servers"]));
    this.#add(compareRequirements(place, requirements(this.#old, old), requirements(this.#new, now)));
    const request: Place = { ...place, part: "request" };
    for (const [step, was, is] of this.#shared(byPlace(this.#old, old), byPlace(this.#new, now)))
      this.#parameter(below(request, step), was, is);
    if (before["requestBody"] !== undefined && after["requestBody"] !== undefined) {
      const [was, is] = [follow(this.#old, before["requestBody"]), follow(this.#new, after["requestBody"])];
      this.#rest(request, was, is, ["content", "required"]);
      this.#contents(request, was["content"], is["content"]);
    }
    for (const [status, was, is] of this.#shared(before["responses"], after["responses"]))
      this.#answer({ ...place, side: "answer", part: `${status} answer` }, was, is);
    this.#rest(place, object(before["responses"]), object(after["responses"]), statuses(before, after));
  }

  /** What is beside the operations. */
  top(): void {
    const place = (subject: string): Place => ({ subject, side: "request", part: "", path: [] });
    const walked = ["openapi", "info", "servers", "security", "paths", "components"];
    this.#rest(place("top level"), this.#old, this.#new, walked);
    const [from, to] = [this.#old.openapi, this.#new.openapi];
    if (from !== to) {
      const message = `version changed from ${quote(from)} to ${quote(to)}`;
      this.findings.push({ level: "patch", place: place("openapi"), message });
    }
    this.#rest(place("info"), object(this.#old["info"]), object(this.#new["info"]), ["version"]);
    this.#add(compareServers(place("servers"), this.#old["servers"], this.#new["servers"]));
    const [before, after] = [object(this.#old["paths"]), object(this.#new["paths"])];
    const routes = Object.keys({ ...before, ...after }).filter((path) => path.startsWith("/"));
    this.#rest(place("paths"), before, after, routes);
    this.#components(object(this.#old["components"]), object(this.#new["components"]));
  }

  /** Compares the schemas that both specs have and no shared operation leads to. Returns all, with their sides. */
  exportedSchemas(): Map<string, Set<Side>> {
    const exported = new Map<string, Set<Side>>();
    for (const [name, before, after] of both(entries(schemasOf(this.#old)), entries(schemasOf(this.#new)))) {
      if (before === undefined || after === undefined) continue;
      const place: Place = { subject: name, side: "export", part: "", path: [] };
      if (!this.#schemas.compared.has(name)) this.#add(this.#schemas.part(place, before, after));
      const sides = [...(this.#schemas.compared.get(name) ?? [])].filter((side) => side !== "export");
      exported.set(name, new Set(sides.length > 0 ? sides : ["export"]));
    }
    return exported;
  }

  #add(findings: Finding[]): void {
    for (const finding of findings) this.findings.push(finding);
  }

  /** {@link restOf} two objects, with what their references lead to. */
  #rest(place: Place, before: Json, after: Json, covered: string[]): void {
    const full = (spec: OpenApi, fields: Json): Json =>
      Object.fromEntries(
        entries(fields).map(([key, value]) => [key, covered.includes(key) ? undefined : withTargets(spec, value)]),
      );
    this.#add(restOf(place, full(this.#old, before), full(this.#new, after), covered));
  }

  #parameter(place: Place, before: Json, after: Json): void {
    const wire = ["style", "explode", "allowReserved", "allowEmptyValue"];
    this.#rest(place, before, after, ["in", "name", "required", "schema", "content", ...wire]);
    this.#serialization(place, before, after);
    const [wasEmpty, isEmpty] = [before["allowEmptyValue"] === true, after["allowEmptyValue"] === true];
    if (wasEmpty !== isEmpty) {
      const message = `${isEmpty ? "may" : "may no longer"} be empty in ${thePart}`;
      this.findings.push({ level: isEmpty ? "minor" : "major", place, message });
    }
    this.#described(place, before, after);
  }

  #serialization(place: Place, before: Json, after: Json): void {
    const isSingle = [conjunction(this.#old, [before["schema"]]), conjunction(this.#new, [after["schema"]])].every(
      ({ nodes }) => typesOf(nodes)?.every((type) => type !== "array" && type !== "object") === true,
    );
    const [was, is] = [serialization(before, isSingle), serialization(after, isSingle)];
    const message = `written as ${quote(is)} instead of ${quote(was)} in ${thePart}`;
    if (was !== is) this.findings.push({ level: "major", place, message });
    else if (isSingle && before["explode"] !== after["explode"])
      this.findings.push({
        level: "patch",
        place,
        message: `${quote("explode")} changed, which no single value shows`,
      });
  }

  /** What a parameter or a header says of its value. */
  #described(place: Place, before: Json, after: Json): void {
    const isThere = [before, after].every(({ required }) => required === true);
    if (before["schema"] !== undefined && after["schema"] !== undefined)
      this.#add(this.#schemas.part(place, before["schema"], after["schema"], isThere));
    else if (mediaTypes(before) !== undefined && mediaTypes(before) === mediaTypes(after))
      this.#contents(place, before["content"], after["content"]);
    else if (before["schema"] !== after["schema"] || mediaTypes(before) !== mediaTypes(after)) {
      const message = `has another content type in ${thePart}`;
      this.findings.push({ level: "major", place, message, review: true });
    }
  }

  #answer(place: Place, before: Json, after: Json): void {
    this.#rest(place, before, after, ["headers", "content", "x-message-codes"]);
    const codes = (answer: Json) => list(answer["x-message-codes"]).map((code): [string, true] => [String(code), true]);
    for (const [code, was, is] of both(codes(before), codes(after))) {
      const words = `message code ${quote(code)}`;
      if (!was) this.findings.push({ level: "minor", place, message: `${words} added to ${thePart}` });
      else if (!is) this.findings.push({ level: "patch", place, message: `${words} removed from ${thePart}` });
    }
    for (const [name, was, is] of this.#shared(before["headers"], after["headers"])) {
      const here = below(place, `header ${name}`);
      this.#rest(here, was, is, ["required", "schema", "content", "style", "explode"]);
      this.#serialization(here, was, is);
      this.#described(here, was, is);
    }
    this.#contents(place, before["content"], after["content"]);
  }

  #contents(place: Place, before: unknown, after: unknown): void {
    for (const [, was, is] of this.#shared(before, after)) {
      this.#rest(place, was, is, ["schema"]);
      this.#add(this.#schemas.part(place, was["schema"] ?? true, is["schema"] ?? true, true));
    }
  }

  /** What both specs have under the same key. */
  #shared(before: unknown, after: unknown): [key: string, before: Json, after: Json][] {
    return both(entries(before), entries(after))
      .filter(([, was, is]) => was !== undefined && is !== undefined)
      .map(([key, was, is]) => [key, follow(this.#old, was), follow(this.#new, is)]);
  }

  #components(before: Json, after: Json): void {
    const place = (subject: string): Place => ({ subject, side: "request", part: "", path: [] });
    for (const [name, was, is] of both(entries(before["schemas"]), entries(after["schemas"])))
      if (was === undefined)
        this.findings.push({ level: "minor", place: place(name), message: "schema added, and its type" });
      else if (is === undefined)
        this.findings.push({ level: "major", place: place(name), message: "schema removed, and its type" });
    this.#add(compareSecuritySchemes(this.#old, this.#new));

    // The rest is compared by the operations that refer to it.
    const referred = JSON.stringify([this.#old, this.#new]);
    for (const kind of Object.keys({ ...before, ...after })) {
      if (kind === "schemas" || kind === "securitySchemes") continue;
      const [was, is] = [object(before[kind]), object(after[kind])];
      const names = Object.keys({ ...was, ...is });
      const isUsed = (name: string) => referred.includes(JSON.stringify(`#/components/${kind}/${escapeStep(name)}`));
      if (names.length === 0 || kind === "examples")
        this.#rest(place("components"), { [kind]: before[kind] }, { [kind]: after[kind] }, []);
      else this.#rest(place(`components ${kind}`), was, is, names.filter(isUsed));
    }
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

/** The keys of responses, without what is no status. */
function statuses(before: Json, after: Json): string[] {
  const all = { ...object(before["responses"]), ...object(after["responses"]) };
  return Object.keys(all).filter((key) => !key.startsWith("x-"));
}

/** Parameters by "query parameter page". */
function byPlace(spec: OpenApi, operation: Operation): Json {
  const all = parametersOf(spec, operation);
  return Object.fromEntries(all.map((each) => [`${String(each["in"])} parameter ${String(each["name"])}`, each]));
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
