import { isDeepStrictEqual } from "node:util";
import { type Place, type Tell, both, enumerated, quote } from "./findings.js";
import { type Json, type OpenApi, entries, follow, isObject, list, object } from "../spec/json.js";
import { type Operation, operationsOf } from "../spec/operations.js";
import { tellRest } from "./texts.js";

const review = { review: true } as const;

/** Compares what a caller has to prove: who satisfies the old requirement should satisfy the new one. */
export function compareRequirements(tell: Tell, place: Place, was: Requirement[], is: Requirement[]): void {
  const [from, to] = [was.map(words).sort(), is.map(words).sort()].map((all) => all.join(", or "));
  if (from === to) return;
  const kept = was.every((old) => is.some((now) => asksNoMore(now, old)));
  tell(kept ? "minor" : "major", place, `security requirement changed from ${quote(from)} to ${quote(to)}`, review);
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

export function compareSecuritySchemes(tell: Tell, oldSpec: OpenApi, newSpec: OpenApi): void {
  const schemes = (spec: OpenApi) => entries(object(spec["components"])["securitySchemes"]);
  const place: Place = { subject: "securitySchemes", side: "request", part: "", path: "" };
  for (const [name, oldNode, newNode] of both(schemes(oldSpec), schemes(newSpec))) {
    const here = { ...place, path: name };
    if (newNode === undefined) tell("major", here, "security scheme removed", review);
    // Nobody has to use it until an operation requires it, and that is told there.
    else if (oldNode === undefined) tell("minor", here, "security scheme added", review);
    if (oldNode === undefined || newNode === undefined) continue;
    const [old, now] = [follow(oldSpec, oldNode), follow(newSpec, newNode)];
    const defining = ["type", "scheme", "in", "name", "openIdConnectUrl"];
    for (const key of defining)
      // RFC 9110, section 11.1: the name of a scheme is the same in upper and in lower case.
      if (!isDeepStrictEqual(lowerScheme(key, old), lowerScheme(key, now)))
        tell("major", here, changed(key, old, now), review);
    tellRest(tell, here, old, now, [...defining, "flows"]);
    compareFlows(tell, here, object(old["flows"]), object(now["flows"]), requiredScopes(newSpec));
  }
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

function compareFlows(tell: Tell, place: Place, was: Json, is: Json, required: Set<string>): void {
  for (const [flow, old, now] of both(entries(was), entries(is))) {
    const here = { ...place, path: `${place.path} ${flow}` };
    if (!isObject(now)) tell("major", here, "flow removed", review);
    else if (!isObject(old)) tell("minor", here, "flow added", review);
    if (!isObject(old) || !isObject(now)) continue;
    const urls = ["tokenUrl", "authorizationUrl", "refreshUrl"];
    for (const key of urls)
      // Never taken from the spec: the token host is the API host.
      if (old[key] !== now[key]) tell("patch", here, `${changed(key, old, now)}, never used`, review);
    tellRest(tell, here, old, now, [...urls, "scopes"]);
    const [before, after] = [object(old["scopes"]), object(now["scopes"])];
    const removed = Object.keys(before).filter((scope) => !Object.hasOwn(after, scope));
    const added = Object.keys(after).filter((scope) => !Object.hasOwn(before, scope));
    const needed = removed.filter((scope) => required.has(scope));
    const others = removed.filter((scope) => !required.has(scope));
    const names = (scopes: string[]): string => enumerated(scopes.map(quote));
    // The flow lists what the whole service knows; only what these operations require is theirs.
    if (needed.length > 0) tell("major", here, `required scope ${names(needed)} removed`, review);
    if (others.length > 0) tell("patch", here, `${names(others)} removed from the list of scopes`, review);
    if (added.length > 0) tell("patch", here, `${names(added)} added to the list of scopes`, review);
    tellRest(tell, { ...here, path: `${here.path} scopes` }, before, after, [...removed, ...added]);
  }
}
