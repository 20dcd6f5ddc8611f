import { type Json, asArray, asObject } from "../spec/json.js";
import { type Finding, type Place, paired, quote } from "./findings.js";

interface Server {
  /** Without a slash at its end, with each variable's default in its place. */
  url: string;
  environment: unknown;
  node: Json;
}

/** Compares the hosts that callers send to, by their environments. Secrets go there: each change is to be reviewed. */
export function* compareServers(place: Place, oldServers: unknown, newServers: unknown): Iterable<Finding> {
  const { pairs, removed, added } = paired(serversOf(oldServers), serversOf(newServers), [
    (old, now) => old.environment !== undefined && old.environment === now.environment,
    (old, now) => old.url === now.url,
  ]);
  for (const old of removed) yield place.finding("major", `${nameOf(old)} removed: ${quote(old.url)}`, "review");
  for (const [old, now] of pairs) {
    const [from, to] = [quote(old.url), quote(now.url)];
    if (from !== to) yield place.finding("major", `${nameOf(old)} moved from ${from} to ${to}`, "review");
    const level = old.environment === undefined ? "minor" : "major";
    if (now.environment !== old.environment)
      yield place.finding(level, `${nameOf(old)} is now ${nameOf(now)}`, "review");
    yield* place.below(old.url).rest(old.node, now.node, ["url", "x-environment"]);
  }
  for (const now of added) yield place.finding("minor", `${nameOf(now)} added: ${quote(now.url)}`, "review");
}

function nameOf({ environment }: Server): string {
  return environment === undefined ? "server" : `environment ${quote(environment)}`;
}

function serversOf(value: unknown): Server[] {
  // OpenAPI: no servers means one, "/".
  const nodes = asArray(value).length > 0 ? asArray(value).map(asObject) : [{ url: "/" }];
  return nodes.map((node: Json) => {
    const url = String(node["url"]).replace(/\{([^{}]*)\}/g, (variable, name: string) => {
      const byDefault = asObject(asObject(node["variables"])[name])["default"];
      return typeof byDefault === "string" ? byDefault : variable;
    });
    return { url: url.replace(/(?<=.)\/$/, ""), environment: node["x-environment"], node };
  });
}
