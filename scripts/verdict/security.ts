import { isDeepStrictEqual } from "node:util";
import { type Finding, type Level, Place, enumerated, mapBoth, quote, zipByKey } from "./findings.js";
import { type Json, type OpenApi, entries, follow, isObject, asArray, asObject } from "../spec/json.js";
import { type Operation, operationsOf } from "../spec/operations.js";

/** Every change of security is for review. */
function security(level: Level, place: Place, message: string): Finding {
  return place.finding(level, message, "review");
}

/** Compares the requirements of an operation: callers who satisfied them should still satisfy them. */
export function* compareRequirements(place: Place, before: Requirement[], after: Requirement[]): Iterable<Finding> {
  const [from, to] = [before, after].map((all) => quote(all.map(requirementText).sort().join(", or ")));
  const isKept = before.every((was) => after.some((is) => asksNoMore(was, is)));
  if (from !== to)
    yield security(isKept ? "minor" : "major", place, `security requirement changed from ${from} to ${to}`);
}

type Requirement = Map<string, string[]>;

/** An operation's alternatives, one of which has to be satisfied. One that names no scheme requires nothing. */
export function requirements(spec: OpenApi, { fields }: Operation): Requirement[] {
  const alternatives = asArray(fields["security"] ?? spec["security"]);
  return (alternatives.length > 0 ? alternatives : [{}]).map(
    (one) => new Map(entries(one).map(([scheme, scopes]) => [scheme, asArray(scopes).map(String).sort()])),
  );
}

function requirementText(requirement: Requirement): string {
  const schemes = [...requirement].map(([scheme, scopes]) => [scheme, ...scopes].join(" "));
  return schemes.sort().join(" and ") || "nothing";
}

/** Whether callers who satisfied a requirement still do. False if only the new one requires nothing: that needs a second look. */
function asksNoMore(before: Requirement, after: Requirement): boolean {
  if (after.size === 0) return before.size === 0;
  return [...after].every(
    ([scheme, scopes]) => scopes.every((scope) => before.get(scheme)?.includes(scope)) && before.has(scheme),
  );
}

export function* compareSecuritySchemes(before: OpenApi, after: OpenApi): Iterable<Finding> {
  const schemes = (spec: OpenApi) => entries(asObject(spec["components"])["securitySchemes"]);
  for (const [name, nodeBefore, nodeAfter] of zipByKey(schemes(before), schemes(after))) {
    const here = new Place("securitySchemes", "request", "", name);
    // Nobody has to use one unless an operation requires it. That is reported there.
    if (nodeAfter === undefined) yield security("minor", here, "security scheme removed");
    else if (nodeBefore === undefined) yield security("minor", here, "security scheme added");
    if (nodeBefore === undefined || nodeAfter === undefined) continue;
    const [was, is] = [follow(before, nodeBefore), follow(after, nodeAfter)];
    const defining = ["type", "scheme", "in", "name", "openIdConnectUrl"];
    for (const key of defining)
      // RFC 9110, section 11.1: the name of a scheme is the same in upper and in lower case.
      if (!isDeepStrictEqual(lowerScheme(key, was), lowerScheme(key, is)))
        yield security("major", here, changed(key, was, is));
    yield* here.rest(was, is, [...defining, "flows"]);
    for (const [flow, ...pair] of zipByKey(entries(was["flows"]), entries(is["flows"])))
      yield* compareFlows(new Place(here.subject, here.side, "", `${name} ${flow}`), ...pair, requiredScopes(after));
  }
}

function changed(key: string, before: Json, after: Json): string {
  return `${quote(key)} changed from ${quote(before[key])} to ${quote(after[key])}`;
}

function lowerScheme(key: string, scheme: Json): unknown {
  return key === "scheme" ? String(scheme[key]).toLowerCase() : scheme[key];
}

/** The scopes that operations require. */
function requiredScopes(spec: OpenApi): Set<string> {
  const all = operationsOf(spec).flatMap((operation) => requirements(spec, operation));
  return new Set(all.flatMap((requirement) => [...requirement.values()].flat()));
}

function* compareFlows(place: Place, before: unknown, after: unknown, required: Set<string>): Iterable<Finding> {
  if (!isObject(after)) yield security("major", place, "flow removed");
  else if (!isObject(before)) yield security("minor", place, "flow added");
  if (!isObject(before) || !isObject(after)) return;
  const urls = ["tokenUrl", "authorizationUrl", "refreshUrl"];
  for (const key of urls)
    // Never taken from the spec: the token host is the API host.
    if (before[key] !== after[key])
      yield security("patch", place, `${changed(key, before, after)}; the client never uses it`);
  yield* place.rest(before, after, [...urls, "scopes"]);
  const [was, is] = mapBoth(before, after, ({ scopes }) => asObject(scopes));
  const removed = Object.keys(was).filter((scope) => !Object.hasOwn(is, scope));
  const added = Object.keys(is).filter((scope) => !Object.hasOwn(was, scope));
  const needed = removed.filter((scope) => required.has(scope));
  const others = removed.filter((scope) => !required.has(scope));
  const names = (scopes: string[]): string => enumerated(scopes.map(quote));
  // The flow lists the scopes of the whole service; these operations need only some of them.
  if (needed.length > 0) yield security("major", place, `required scope ${names(needed)} removed`);
  if (others.length > 0) yield security("patch", place, `${names(others)} removed from the list of scopes`);
  if (added.length > 0) yield security("patch", place, `${names(added)} added to the list of scopes`);
  yield* new Place(place.subject, place.side, "", `${place.path} scopes`).rest(was, is, [...removed, ...added]);
}
