import { isDeepStrictEqual } from "node:util";
import { type Finding, type Level, type Place, below, both, enumerated, quote } from "./findings.js";
import { type Json, type OpenApi, entries, follow, isObject, list, object } from "../spec/json.js";
import { type Operation, operationsOf } from "../spec/operations.js";
import { restOf } from "./texts.js";

/** Security is always to be looked at. */
function security(level: Level, place: Place, message: string): Finding {
  return { level, place, message, review: true };
}

/** Compares what a caller has to prove: who satisfies the old requirement should satisfy the new one. */
export function compareRequirements(place: Place, before: Requirement[], after: Requirement[]): Finding[] {
  const [from, to] = [before.map(words).sort(), after.map(words).sort()].map((all) => all.join(", or "));
  if (from === to) return [];
  const isKept = before.every((old) => after.some((now) => asksNoMore(now, old)));
  const message = `security requirement changed from ${quote(from)} to ${quote(to)}`;
  return [security(isKept ? "minor" : "major", place, message)];
}

type Requirement = Map<string, string[]>;

/** An operation's alternatives, of which one has to be satisfied; one that names no scheme asks for nothing. */
export function requirements(spec: OpenApi, { fields }: Operation): Requirement[] {
  const alternatives = list(fields["security"] ?? spec["security"]);
  return (alternatives.length > 0 ? alternatives : [{}]).map(
    (one) => new Map(entries(one).map(([scheme, scopes]) => [scheme, list(scopes).map(String).sort()])),
  );
}

function words(requirement: Requirement): string {
  const schemes = [...requirement].map(([scheme, scopes]) => [scheme, ...scopes].join(" "));
  return schemes.sort().join(" and ") || "nothing";
}

/** Whether a caller who satisfies `old` satisfies `now`. False if only `now` asks for nothing: that is worth a second look. */
function asksNoMore(now: Requirement, old: Requirement): boolean {
  if (now.size === 0) return old.size === 0;
  return [...now].every(
    ([scheme, scopes]) => scopes.every((scope) => old.get(scheme)?.includes(scope)) && old.has(scheme),
  );
}

export function compareSecuritySchemes(oldSpec: OpenApi, newSpec: OpenApi): Finding[] {
  const schemes = (spec: OpenApi) => entries(object(spec["components"])["securitySchemes"]);
  const place: Place = { subject: "securitySchemes", side: "request", part: "", path: [] };
  return both(schemes(oldSpec), schemes(newSpec)).flatMap(([name, oldNode, newNode]) => {
    const here = below(place, name);
    if (newNode === undefined) return security("major", here, "security scheme removed");
    // Nobody has to use it until an operation requires it, and that is told there.
    if (oldNode === undefined) return security("minor", here, "security scheme added");
    const [old, now] = [follow(oldSpec, oldNode), follow(newSpec, newNode)];
    const defining = ["type", "scheme", "in", "name", "openIdConnectUrl"];
    return [
      ...defining
        // RFC 9110, section 11.1: the name of a scheme is the same in upper and in lower case.
        .filter((key) => !isDeepStrictEqual(lowerScheme(key, old), lowerScheme(key, now)))
        .map((key) => security("major", here, changed(key, old, now))),
      ...restOf(here, old, now, [...defining, "flows"]),
      ...compareFlows(here, object(old["flows"]), object(now["flows"]), requiredScopes(newSpec)),
    ];
  });
}

function changed(key: string, old: Json, now: Json): string {
  return `${quote(key)} changed from ${quote(old[key])} to ${quote(now[key])}`;
}

function lowerScheme(key: string, scheme: Json): unknown {
  return key === "scheme" ? String(scheme[key]).toLowerCase() : scheme[key];
}

/** The scopes that operations ask for. */
function requiredScopes(spec: OpenApi): Set<string> {
  const all = operationsOf(spec).flatMap((operation) => requirements(spec, operation));
  return new Set(all.flatMap((requirement) => [...requirement.values()].flat()));
}

function compareFlows(place: Place, before: Json, after: Json, required: Set<string>): Finding[] {
  return both(entries(before), entries(after)).flatMap(([flow, old, now]) => {
    const here = { ...place, path: [`${place.path.join(" ")} ${flow}`] };
    if (!isObject(now)) return security("major", here, "flow removed");
    if (!isObject(old)) return security("minor", here, "flow added");
    const urls = ["tokenUrl", "authorizationUrl", "refreshUrl"];
    const [was, is] = [object(old["scopes"]), object(now["scopes"])];
    const removed = Object.keys(was).filter((scope) => !Object.hasOwn(is, scope));
    const added = Object.keys(is).filter((scope) => !Object.hasOwn(was, scope));
    const needed = removed.filter((scope) => required.has(scope));
    const others = removed.filter((scope) => !required.has(scope));
    const names = (scopes: string[]): string => enumerated(scopes.map(quote));
    const scopes = { ...here, path: [`${here.path.join(" ")} scopes`] };
    return [
      // Never taken from the spec: the token host is the API host.
      ...urls
        .filter((key) => old[key] !== now[key])
        .map((key) => security("patch", here, `${changed(key, old, now)}, never used`)),
      ...restOf(here, old, now, [...urls, "scopes"]),
      // The flow lists what the whole service knows; only what these operations require is theirs.
      ...(needed.length > 0 ? [security("major", here, `required scope ${names(needed)} removed`)] : []),
      ...(others.length > 0 ? [security("patch", here, `${names(others)} removed from the list of scopes`)] : []),
      ...(added.length > 0 ? [security("patch", here, `${names(added)} added to the list of scopes`)] : []),
      ...restOf(scopes, was, is, [...removed, ...added]),
    ];
  });
}
