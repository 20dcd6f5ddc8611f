import { type Json, asArray, asObject } from "../spec/json.js";
import { type Finding, type Place, paired, quote } from "./findings.js";

interface Server {
  /** Without a slash at its end, with each variable's default in its place. */
  url: string;
  environment: unknown;
  node: Json;
}

/** Compares the hosts that callers send to, by their environments. Secrets go there: each change is to be reviewed. */
export function* compareServers(place: Place, before: unknown, after: unknown): Iterable<Finding> {
  const { pairs, removed, added } = paired(serversOf(before), serversOf(after), [
    (was, is) => was.environment !== undefined && was.environment === is.environment,
    (was, is) => was.url === is.url,
  ]);
  for (const was of removed) yield place.finding("major", `${nameOf(was)} removed: ${quote(was.url)}`, "review");
  for (const [was, is] of pairs) {
    const [from, to] = [quote(was.url), quote(is.url)];
    if (from !== to) yield place.finding("major", `${nameOf(was)} moved from ${from} to ${to}`, "review");
    const level = was.environment === undefined ? "minor" : "major";
    if (is.environment !== was.environment) yield place.finding(level, `${nameOf(was)} is now ${nameOf(is)}`, "review");
    yield* place.below(was.url).rest(was.node, is.node, ["url", "x-environment"]);
  }
  for (const is of added) yield place.finding("minor", `${nameOf(is)} added: ${quote(is.url)}`, "review");
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
