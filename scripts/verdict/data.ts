import { type Finding, type Place, type Tell, both, quote, thePart } from "./findings.js";
import { entries, escapeStep, follow, isObject, list, object, schemasOf } from "../spec/json.js";
import type { Json, OpenApi } from "../spec/json.js";
import { type Operation, methods, parametersOf } from "../spec/operations.js";
import type { OperationPairs } from "./operations.js";
import { SchemaComparison } from "./schemas.js";
import { compareRequirements, compareSecuritySchemes, requirements } from "./security.js";
import { compareServers } from "./servers.js";
import { tellRest, tellText } from "./texts.js";

/**
 * Compares what types cannot say, place by place: constraints, formats, hosts, security, texts. What no rule knows is a
 * patch to review, never nothing. `exported` are the schemas in both specs that no shared operation leads to.
 */
export function compareData(
  oldSpec: OpenApi,
  newSpec: OpenApi,
  operations: OperationPairs,
): { findings: Finding[]; exported: string[] } {
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
  readonly #tell: Tell = (level, place, message, more) => this.findings.push({ level, place, message, ...more });

  constructor(oldSpec: OpenApi, newSpec: OpenApi) {
    this.#old = oldSpec;
    this.#new = newSpec;
    this.#schemas = new SchemaComparison(oldSpec, newSpec, this.#tell);
  }

  operation(old: Operation, now: Operation): void {
    const place: Place = { subject: old.name, side: "request", part: "", path: "" };
    tellRest(this.#tell, place, old.item, now.item, ["$ref", "parameters", "servers", ...methods]);
    const [was, is] = [old.fields, now.fields];
    const walked = ["parameters", "requestBody", "responses", "security", "servers"];
    tellRest(this.#tell, place, was, is, ["operationId", ...walked]);

    const oldServers = was["servers"] ?? old.item["servers"];
    const newServers = is["servers"] ?? now.item["servers"];
    if (oldServers !== undefined || newServers !== undefined)
      compareServers(this.#tell, place, oldServers ?? this.#old["servers"], newServers ?? this.#new["servers"]);
    compareRequirements(this.#tell, place, requirements(this.#old, old), requirements(this.#new, now));
    for (const [path, before, after] of this.#shared(byPlace(this.#old, old), byPlace(this.#new, now)))
      this.#parameter({ ...place, part: "request", path }, before, after);
    if (was["requestBody"] !== undefined && is["requestBody"] !== undefined) {
      const oldBody = follow(this.#old, was["requestBody"]);
      const newBody = follow(this.#new, is["requestBody"]);
      const here: Place = { ...place, part: "request" };
      tellRest(this.#tell, here, oldBody, newBody, ["content", "required"]);
      this.#contents(here, oldBody["content"], newBody["content"]);
    }
    for (const [status, old, now] of this.#shared(was["responses"], is["responses"]))
      this.#answer({ ...place, side: "answer", part: `${status} answer` }, old, now);
  }

  /** What stands beside the operations. */
  top(): void {
    const place = (subject: string): Place => ({ subject, side: "request", part: "", path: "" });
    const walked = ["openapi", "info", "servers", "security", "paths", "components"];
    tellRest(this.#tell, place("top level"), this.#old, this.#new, walked);
    if (this.#old.openapi !== this.#new.openapi)
      this.#tell(
        "patch",
        place("openapi"),
        `version changed from ${quote(this.#old.openapi)} to ${quote(this.#new.openapi)}`,
      );
    tellRest(this.#tell, place("info"), object(this.#old["info"]), object(this.#new["info"]), ["version"]);
    compareServers(this.#tell, place("servers"), this.#old["servers"], this.#new["servers"]);
    const [oldPaths, newPaths] = [object(this.#old["paths"]), object(this.#new["paths"])];
    const routes = Object.keys({ ...oldPaths, ...newPaths }).filter((path) => path.startsWith("/"));
    tellRest(this.#tell, place("paths"), oldPaths, newPaths, routes);
    this.#components(object(this.#old["components"]), object(this.#new["components"]));
  }

  /** Compares the schemas that both specs have and no shared operation leads to, and returns their names. */
  exportedSchemas(): string[] {
    const shared = both(entries(schemasOf(this.#old)), entries(schemasOf(this.#new))).filter(
      ([name, was, is]) => was !== undefined && is !== undefined && !this.#schemas.compared.has(name),
    );
    for (const [name, was, is] of shared)
      this.#schemas.part({ subject: name, side: "export", part: "", path: "" }, was, is);
    return shared.map(([name]) => name);
  }

  #parameter(place: Place, was: Json, is: Json): void {
    const wire = ["style", "explode", "allowReserved", "allowEmptyValue"];
    tellRest(this.#tell, place, was, is, ["in", "name", "required", "schema", "content", ...wire]);
    const [before, after] = [serialization(was), serialization(is)];
    if (before !== after)
      this.#tell("major", place, `written as ${quote(after)} instead of ${quote(before)} in ${thePart}`);
    const [wasEmpty, isEmpty] = [was["allowEmptyValue"] === true, is["allowEmptyValue"] === true];
    if (wasEmpty !== isEmpty)
      this.#tell(isEmpty ? "minor" : "major", place, `${isEmpty ? "may" : "may no longer"} be empty in ${thePart}`);
    this.#parameterSchemas(place, was, is);
  }

  #parameterSchemas(place: Place, was: Json, is: Json): void {
    if (was["schema"] !== undefined && is["schema"] !== undefined)
      this.#schemas.part(place, was["schema"], is["schema"]);
    else if (mediaTypes(was) !== undefined && mediaTypes(was) === mediaTypes(is))
      this.#contents(place, was["content"], is["content"]);
    else if (was["schema"] !== is["schema"] || mediaTypes(was) !== mediaTypes(is))
      this.#tell("major", place, `has another content type in ${thePart}`, { review: true });
  }

  #answer(place: Place, was: Json, is: Json): void {
    tellRest(this.#tell, place, was, is, ["headers", "content", "x-message-codes"]);
    const codes = (answer: Json) => list(answer["x-message-codes"]).map((code): [string, true] => [String(code), true]);
    for (const [code, old, now] of both(codes(was), codes(is)))
      if (!old) this.#tell("minor", place, `message code ${quote(code)} added to ${thePart}`);
      else if (!now) this.#tell("patch", place, `message code ${quote(code)} removed from ${thePart}`);
    for (const [name, old, now] of this.#shared(was["headers"], is["headers"])) {
      const here = { ...place, path: `header ${name}` };
      tellRest(this.#tell, here, old, now, ["required", "schema", "content"]);
      this.#parameterSchemas(here, old, now);
    }
    this.#contents(place, was["content"], is["content"]);
  }

  #contents(place: Place, was: unknown, is: unknown): void {
    for (const [, before, after] of this.#shared(was, is)) {
      tellRest(this.#tell, place, before, after, ["schema"]);
      this.#schemas.part(place, before["schema"] ?? true, after["schema"] ?? true);
    }
  }

  /** What both specs have under the same key. */
  #shared(was: unknown, is: unknown): [key: string, was: Json, is: Json][] {
    return both(entries(was), entries(is))
      .filter(([, old, now]) => old !== undefined && now !== undefined)
      .map(([key, old, now]) => [key, follow(this.#old, old), follow(this.#new, now)]);
  }

  #components(was: Json, is: Json): void {
    const schemas: Place = { subject: "", side: "request", part: "", path: "" };
    for (const [name, old, now] of both(entries(was["schemas"]), entries(is["schemas"])))
      if (old === undefined) this.#tell("minor", { ...schemas, subject: name }, "schema added, and its type");
      else if (now === undefined) this.#tell("major", { ...schemas, subject: name }, "schema removed, and its type");
    compareSecuritySchemes(this.#tell, this.#old, this.#new);

    // The rest is compared where operations refer to it.
    const referred = JSON.stringify([this.#old, this.#new]);
    for (const kind of Object.keys({ ...was, ...is })) {
      if (kind === "schemas" || kind === "securitySchemes") continue;
      const names = Object.keys({ ...object(was[kind]), ...object(is[kind]) });
      const used = names.filter((name) =>
        referred.includes(JSON.stringify(`#/components/${kind}/${escapeStep(name)}`)),
      );
      const place: Place = { ...schemas, subject: `components ${kind}` };
      if (names.length > 0) tellRest(this.#tell, place, object(was[kind]), object(is[kind]), used);
      else tellText(this.#tell, { ...place, subject: "components" }, kind, was[kind], is[kind]);
    }
  }
}

/** Parameters by "query parameter page". */
function byPlace(spec: OpenApi, operation: Operation): Json {
  const all = parametersOf(spec, operation);
  return Object.fromEntries(all.map((each) => [`${String(each["in"])} parameter ${String(each["name"])}`, each]));
}

/** How a parameter is written into the request, with the defaults of OpenAPI. */
function serialization(parameter: Json): string {
  const byDefault = ["query", "cookie"].includes(String(parameter["in"])) ? "form" : "simple";
  const style = parameter["style"] ?? byDefault;
  const explode = parameter["explode"] ?? style === "form";
  const words = [style, explode === true ? "explode" : "no explode"];
  return [...words, ...(parameter["allowReserved"] === true ? ["allowReserved"] : [])].join(", ");
}

/** The media types of a parameter or header that is described by `content`, undefined for others. */
function mediaTypes({ content }: Json): string | undefined {
  return isObject(content) ? Object.keys(content).sort().join() : undefined;
}
