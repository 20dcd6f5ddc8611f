import { isDeepStrictEqual } from "node:util";
import { type Finding, type Level, Place, both, enumerated, quote } from "./findings.js";
import { type Json, type OpenApi, entries, follow, isObject, asArray, asObject } from "../spec/json.js";
import { type Operation, operationsOf } from "../spec/operations.js";

/** Every change of security is for review. */
function security(level: Level, place: Place, message: string): Finding {
  return place.finding(level, message, "review");
}

/** Compares the requirements of an operation: callers who satisfy the old one should satisfy the new one. */
export function* compareRequirements(place: Place, before: Requirement[], after: Requirement[]): Iterable<Finding> {
  const [from, to] = [before, after].map((all) => quote(all.map(words).sort().join(", or ")));
  const isKept = before.every((old) => after.some((now) => asksNoMore(now, old)));
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

function words(requirement: Requirement): string {
  const schemes = [...requirement].map(([scheme, scopes]) => [scheme, ...scopes].join(" "));
  return schemes.sort().join(" and ") || "nothing";
}

/** Whether a caller who satisfies `old` satisfies `now`. False if only `now` requires nothing: that is worth a second look. */
function asksNoMore(now: Requirement, old: Requirement): boolean {
  if (now.size === 0) return old.size === 0;
  return [...now].every(
    ([scheme, scopes]) => scopes.every((scope) => old.get(scheme)?.includes(scope)) && old.has(scheme),
  );
}

export function* compareSecuritySchemes(oldSpec: OpenApi, newSpec: OpenApi): Iterable<Finding> {
  const schemes = (spec: OpenApi) => entries(asObject(spec["components"])["securitySchemes"]);
  for (const [name, oldNode, newNode] of both(schemes(oldSpec), schemes(newSpec))) {
    const here = new Place("securitySchemes", "request", "", name);
    // Nobody has to use one unless an operation requires it. That is reported there.
    if (newNode === undefined) yield security("minor", here, "security scheme removed");
    else if (oldNode === undefined) yield security("minor", here, "security scheme added");
    if (oldNode === undefined || newNode === undefined) continue;
    const [old, now] = [follow(oldSpec, oldNode), follow(newSpec, newNode)];
    const defining = ["type", "scheme", "in", "name", "openIdConnectUrl"];
    for (const key of defining)
      // RFC 9110, section 11.1: the name of a scheme is the same in upper and in lower case.
      if (!isDeepStrictEqual(lowerScheme(key, old), lowerScheme(key, now)))
        yield security("major", here, changed(key, old, now));
    yield* here.rest(old, now, [...defining, "flows"]);
    for (const [flow, was, is] of both(entries(old["flows"]), entries(now["flows"])))
      yield* compareFlows(new Place(here.subject, here.side, "", `${name} ${flow}`), was, is, requiredScopes(newSpec));
  }
}

function changed(key: string, old: Json, now: Json): string {
  return `${quote(key)} changed from ${quote(old[key])} to ${quote(now[key])}`;
}

function lowerScheme(key: string, scheme: Json): unknown {
  return key === "scheme" ? String(scheme[key]).toLowerCase() : scheme[key];
}

/** The scopes that operations require. */
function requiredScopes(spec: OpenApi): Set<string> {
  const all = operationsOf(spec).flatMap((operation) => requirements(spec, operation));
  return new Set(all.flatMap((requirement) => [...requirement.values()].flat()));
}

function* compareFlows(place: Place, old: unknown, now: unknown, required: Set<string>): Iterable<Finding> {
  if (!isObject(now)) yield security("major", place, "flow removed");
  else if (!isObject(old)) yield security("minor", place, "flow added");
  if (!isObject(old) || !isObject(now)) return;
  const urls = ["tokenUrl", "authorizationUrl", "refreshUrl"];
  for (const key of urls)
    // Never taken from the spec: the token host is the API host.
    if (old[key] !== now[key]) yield security("patch", place, `${changed(key, old, now)}, never used`);
  yield* place.rest(old, now, [...urls, "scopes"]);
  const [before, after] = [asObject(old["scopes"]), asObject(now["scopes"])];
  const removed = Object.keys(before).filter((scope) => !Object.hasOwn(after, scope));
  const added = Object.keys(after).filter((scope) => !Object.hasOwn(before, scope));
  const needed = removed.filter((scope) => required.has(scope));
  const others = removed.filter((scope) => !required.has(scope));
  const names = (scopes: string[]): string => enumerated(scopes.map(quote));
  // The flow lists the scopes of the whole service; these operations need only some of them.
  if (needed.length > 0) yield security("major", place, `required scope ${names(needed)} removed`);
  if (others.length > 0) yield security("patch", place, `${names(others)} removed from the list of scopes`);
  if (added.length > 0) yield security("patch", place, `${names(added)} added to the list of scopes`);
  yield* new Place(place.subject, place.side, "", `${place.path} scopes`).rest(before, after, [...removed, ...added]);
}
