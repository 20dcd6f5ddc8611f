import { isDeepStrictEqual } from "node:util";
import {
  type Json,
  type OpenApi,
  entries,
  escapeStep,
  follow,
  asArray,
  asObject,
  resolve,
  schemasOf,
} from "../spec/json.js";
import { type Operation, methods, operationsOf, parametersOf } from "../spec/operations.js";
import { Conjunction, linkReferences } from "./conjunction.js";
import { type Finding, type Presence, Place, mapBoth, paired, partPlaceholder, quote, zipByKey } from "./findings.js";
import { SchemaComparison } from "./schemas.js";
import { compareRequirements, compareSecuritySchemes, requirements } from "./security.js";
import { compareServers } from "./servers.js";

/** The operations that both specs have. */
export type OperationPairs = Iterable<[before: Operation, after: Operation]>;

/**
 * Compares two specs place by place. A change that no rule knows is a patch to review; it is never ignored. `exported` are the
 * schemas that both specs have and no part of an operation shows.
 */
export function compareDescriptions(
  before: OpenApi,
  after: OpenApi,
): { operations: OperationPairs; findings: Finding[]; exported: string[] } {
  const comparison = new DescriptionComparison(before, after);
  // By operationId, then by method and path.
  const { pairs, removed, added } = paired(operationsOf(before), operationsOf(after), [
    (was, is) => was.name === is.name,
    (was, is) => was.route === is.route,
  ]);
  const findings = [
    ...[...removed].map((one) => new Place(one.name).finding("major", `operation removed: ${quote(one.route)}`)),
    ...[...added].map((one) => new Place(one.name).finding("minor", `operation added: ${quote(one.route)}`)),
    ...[...pairs].flatMap((pair) => [...comparison.operation(...pair)]),
    ...comparison.top(),
    ...comparison.schemas(),
  ];
  return { operations: pairs, findings, exported: comparison.exported };
}

/** The status of a response that openapi-fetch returns as data, not as an error. */
export const success = /^2(\d\d|XX)$/i;

class DescriptionComparison {
  readonly exported: string[] = [];
  readonly #before: OpenApi;
  readonly #after: OpenApi;
  readonly #schemas = new SchemaComparison();

  constructor(before: OpenApi, after: OpenApi) {
    this.#before = before;
    this.#after = after;
    linkReferences(before);
    linkReferences(after);
  }

  *operation(before: Operation, after: Operation): Iterable<Finding> {
    const place = new Place(before.name);
    const [from, to] = mapBoth(before, after, ({ route }) => quote(route));
    if (from !== to) yield place.finding("major", `operation moved from ${from} to ${to}`);
    if (before.name !== after.name) yield place.finding("major", `operation renamed to ${quote(after.name)}: ${from}`);
    const walkedInItem = ["$ref", "parameters", "servers", "additionalOperations", ...methods];
    yield* this.#rest(place, before.item, after.item, walkedInItem);
    const walked = ["operationId", "parameters", "requestBody", "responses", "security", "servers"];
    yield* this.#rest(place, before.fields, after.fields, walked);
    const request = new Place(before.name, "request", "request");
    yield* this.#parameters(request, byPlace(this.#before, before), byPlace(this.#after, after));
    const body = ({ fields }: Operation): Json => ({ body: fields["requestBody"] });
    for (const [name, was, is] of this.#followed(body(before), body(after))) {
      yield* request.presence(name, presenceOf(was), presenceOf(is));
      if (!was || !is) continue;
      yield* this.#rest(request, was, is, ["content", "required"]);
      yield* this.#contents(request, was["content"], is["content"]);
    }
    yield* this.#responses(place, asObject(before.fields["responses"]), asObject(after.fields["responses"]));
    const [was, is] = mapBoth(before, after, ({ fields, item }) => fields["servers"] ?? item["servers"]);
    if (was !== undefined || is !== undefined)
      yield* compareServers(place, was ?? this.#before["servers"], is ?? this.#after["servers"]);
    yield* compareRequirements(place, requirements(this.#before, before), requirements(this.#after, after));
  }

  *#responses(place: Place, before: Json, after: Json): Iterable<Finding> {
    const all = this.#followed(before, after);
    for (const [status, was, is] of all) {
      const here = new Place(place.subject, "response", `${status} response`);
      const isAlike = (other: string) => success.test(other) === success.test(status);
      const contents = all.flatMap(([other, response]) => (isAlike(other) ? entries(response?.["content"]) : []));
      const alike = contents.map(([, media]) => asObject(media)["schema"]);
      if (was && is) yield* this.#response(here, was, is, alike);
      else if (is) yield here.finding("minor", `added: ${partPlaceholder}`);
      else yield here.finding("major", `removed: ${partPlaceholder}, so code that names it no longer compiles`);
    }
  }

  /** The parts outside the operations. */
  *top(): Iterable<Finding> {
    const [before, after] = [this.#before, this.#after];
    const walked = ["openapi", "info", "servers", "security", "paths", "components"];
    yield* this.#rest(new Place("top level"), before, after, walked);
    if (before.openapi !== after.openapi) {
      const message = `version changed from ${quote(before.openapi)} to ${quote(after.openapi)}`;
      yield new Place("openapi").finding("patch", message);
    }
    yield* new Place("info").rest(asObject(before["info"]), asObject(after["info"]));
    yield* compareServers(new Place("servers"), before["servers"], after["servers"]);
    yield* compareSecuritySchemes(before, after);
    // The rest of the components is compared by the operations that refer to it.
    const referring = JSON.stringify([before, after]);
    for (const [kind, was, is] of zipByKey(entries(before["components"]), entries(after["components"]))) {
      if (kind === "schemas" || kind === "securitySchemes") continue;
      const isUsed = (name: string) => referring.includes(JSON.stringify(`#/components/${kind}/${escapeStep(name)}`));
      const names = Object.keys({ ...asObject(was), ...asObject(is) });
      if (kind === "examples") yield* new Place("components").rest({ [kind]: was }, { [kind]: is });
      else yield* new Place(`components ${kind}`).rest(asObject(was), asObject(is), names.filter(isUsed));
    }
  }

  /** The exported schemas that no part of a shared operation shows. */
  *schemas(): Iterable<Finding> {
    for (const [name, before, after] of zipByKey(entries(schemasOf(this.#before)), entries(schemasOf(this.#after)))) {
      if (before === undefined) yield new Place(name).finding("minor", "schema added, and its type");
      else if (after === undefined) yield new Place(name).finding("major", "schema removed, and its type");
      else if (!this.#schemas.shown.has(name)) this.exported.push(name);
    }
    for (const name of this.exported) {
      const [before, after] = mapBoth(this.#before, this.#after, (spec) => schemasOf(spec)[name]);
      yield* this.#schemas.part(new Place(name, "export"), before, after);
    }
  }

  /** {@link Place.rest} with the targets of references. */
  #rest(place: Place, before: Json, after: Json, covered: string[]): Iterable<Finding> {
    const full = (spec: OpenApi, fields: Json): Json =>
      Object.fromEntries(
        entries(fields).map(([key, value]) => [key, covered.includes(key) || withTargets(spec, value)]),
      );
    return place.rest(full(this.#before, before), full(this.#after, after), covered);
  }

  /** Parameters, or headers, by names such as "query parameter page". */
  *#parameters(place: Place, before: unknown, after: unknown): Iterable<Finding> {
    for (const [name, was, is] of this.#followed(before, after)) {
      const here = place.below(name);
      const named = name.replace(/(?<=header (?!parameter )| parameter ).*/s, quote);
      yield* here.presence(named, presenceOf(was), presenceOf(is));
      if (was && is) yield* this.#parameter(here, was, is);
    }
  }

  *#parameter(place: Place, before: Json, after: Json): Iterable<Finding> {
    const wire = ["style", "explode", "allowReserved", "allowEmptyValue"];
    yield* this.#rest(place, before, after, ["in", "name", "required", "schema", "content", ...wire]);
    const [wasEmpty, isEmpty] = mapBoth(before, after, ({ allowEmptyValue }) => allowEmptyValue === true);
    if (wasEmpty && !isEmpty) yield place.finding("major", `may no longer be empty in ${partPlaceholder}`);
    if (!wasEmpty && isEmpty) yield place.finding("minor", `may be empty in ${partPlaceholder}`);
    const isSingle = [before, after].every(({ schema }) => hasNoParts(schema));
    const [was, is] = mapBoth(before, after, (parameter) => serialization(parameter, isSingle));
    if (was !== is)
      yield place.finding("major", `serialized as ${quote(is)} instead of ${quote(was)} in ${partPlaceholder}`);
    else
      for (const key of ["style", "explode"])
        if (before[key] !== after[key])
          yield place.finding("patch", `${quote(key)} is rewritten with the same meaning in ${partPlaceholder}`);

    const isThere = [before, after].every(({ required }) => required === true);
    const [contentBefore, contentAfter] = mapBoth(before, after, ({ schema, content }) =>
      content === undefined ? { "": { schema } } : asObject(content),
    );
    const isSameMedia = isDeepStrictEqual(...mapBoth(contentBefore, contentAfter, (all) => Object.keys(all).sort()));
    if (isSameMedia) yield* this.#contents(place, contentBefore, contentAfter, isThere);
    else yield place.finding("major", `has another content type in ${partPlaceholder}`, "review");
  }

  /** `alike` are the schemas of all responses that are data, or errors, like this one. */
  *#response(place: Place, before: Json, after: Json, alike: unknown[]): Iterable<Finding> {
    yield* this.#rest(place, before, after, ["headers", "content", "x-message-codes"]);
    const codes = (response: Json) =>
      asArray(response["x-message-codes"]).map((code): [string, true] => [String(code), true]);
    for (const [code, was, is] of zipByKey(codes(before), codes(after)))
      if (!was) yield place.finding("minor", `message code ${quote(code)} added to ${partPlaceholder}`);
      else if (!is) yield place.finding("patch", `message code ${quote(code)} removed from ${partPlaceholder}`);
    const headers = (response: Json): Json =>
      Object.fromEntries(entries(response["headers"]).map(([name, header]) => [`header ${name}`, header]));
    yield* this.#parameters(place, headers(before), headers(after));
    yield* this.#contents(place, before["content"], after["content"], true, alike);
  }

  *#contents(place: Place, before: unknown, after: unknown, isThere = true, alike: unknown[] = []): Iterable<Finding> {
    for (const [media, was, is] of this.#followed(before, after)) {
      yield* place.presence(`content type ${quote(media)}`, was && "there", is && "there");
      if (!was || !is) continue;
      yield* this.#rest(place, was, is, ["schema"]);
      const others = alike.filter((schema) => schema !== was["schema"]);
      yield* this.#schemas.part(place, was["schema"] ?? true, is["schema"] ?? true, isThere, others);
    }
  }

  /** The values of two objects under each key, at the end of its references. */
  #followed(before: unknown, after: unknown): [key: string, before: Json | undefined, after: Json | undefined][] {
    return zipByKey(entries(before), entries(after)).map(([key, was, is]) => [
      key,
      was === undefined ? was : follow(this.#before, was),
      is === undefined ? is : follow(this.#after, is),
    ]);
  }
}

/** A value with all that its references lead to. */
function withTargets(spec: OpenApi, value: unknown): unknown {
  const targets = new Map<string, unknown>();
  const collect = (part: unknown): unknown =>
    JSON.stringify(part, (key, ref: unknown) => {
      if (key === "$ref" && typeof ref === "string" && !targets.has(ref)) {
        targets.set(ref, resolve(spec, ref));
        collect(targets.get(ref));
      }
      return ref;
    });
  collect(value);
  return [value, [...targets.values()]];
}

/** Parameters by "query parameter page". */
function byPlace(spec: OpenApi, operation: Operation): Json {
  const all = parametersOf(spec, operation);
  return Object.fromEntries(all.map((one) => [`${String(one["in"])} parameter ${String(one["name"])}`, one]));
}

/** Whether a parameter, header or body is there, and has to be. */
function presenceOf(given: Json | undefined): Presence {
  if (given === undefined) return undefined;
  return given["required"] === true ? "required" : "optional";
}

/** Whether a schema allows neither lists nor objects, as far as can be seen. */
function hasNoParts(schema: unknown, depth = 0): boolean {
  const { types, members } = new Conjunction([schema]);
  if (types) return !types.some((type) => type === "array" || type === "object");
  return members.length > 0 && depth < 5 && members.every((one) => hasNoParts(one, depth + 1));
}

/** How a parameter is serialized in the request, with the defaults of OpenAPI. */
function serialization(parameter: Json, isSingle: boolean): string {
  const byDefault = ["query", "cookie"].includes(String(parameter["in"])) ? "form" : "simple";
  const style = parameter["style"] ?? byDefault;
  const explode = parameter["explode"] ?? style === "form";
  const words = isSingle ? [style] : [style, explode === true ? "explode" : "no explode"];
  return [...words, ...(parameter["allowReserved"] === true ? ["allowReserved"] : [])].join(", ");
}
