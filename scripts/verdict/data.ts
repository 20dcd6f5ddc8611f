import { isDeepStrictEqual } from "node:util";
import { list, quote } from "./findings.js";
import type { Level, Place } from "./findings.js";
import { escapeStep, isObject, object } from "../spec/json.js";
import type { Json, OpenApi } from "../spec/json.js";
import { SchemaComparison, child, entries, follow, strings, tellText } from "./schemas.js";
import type { DataFinding, Tell } from "./schemas.js";
import type { OperationPair } from "./types.js";

const methods = ["get", "put", "post", "delete", "options", "head", "patch", "trace"];

/** Every operation of a spec by method and path. */
function operationsOf(spec: OpenApi): Map<string, { path: string; method: string; id?: string }> {
  const operations = new Map<string, { path: string; method: string; id?: string }>();
  for (const [path, item] of entries(spec["paths"]))
    for (const method of methods) {
      const operation = follow(spec, item)[method];
      if (!isObject(operation)) continue;
      const id = operation["operationId"];
      const named = typeof id === "string" ? { id } : {};
      operations.set(`${method.toUpperCase()} ${path}`, { path, method, ...named });
    }
  return operations;
}

/** Pairs the operations of two specs, by operationId and then by method and path, and tells of the others. */
export function pairOperations(
  oldSpec: OpenApi,
  newSpec: OpenApi,
): { operations: OperationPair[]; findings: DataFinding[] } {
  const was = operationsOf(oldSpec);
  const left = operationsOf(newSpec);
  const operations: OperationPair[] = [];
  const findings: DataFinding[] = [];
  const tell = (level: Level, subject: string, message: string): void => {
    const place: Place = { subject, side: "request", part: "", path: "" };
    findings.push({ level, place, message: () => message });
  };
  const unpaired = [...was].filter(([oldRoute, old]) => {
    const [newRoute, now] = [...left].find(([, { id }]) => id !== undefined && id === old.id) ?? [];
    if (newRoute === undefined || now === undefined) return true;
    left.delete(newRoute);
    const name = old.id ?? oldRoute;
    operations.push({ name, old, new: now });
    if (newRoute !== oldRoute) tell("major", name, `operation moved from ${quote(oldRoute)} to ${quote(newRoute)}`);
    return false;
  });
  for (const [route, old] of unpaired) {
    const now = left.get(route);
    const name = old.id ?? route;
    if (now === undefined) {
      tell("major", name, `operation removed: ${quote(route)}`);
      continue;
    }
    left.delete(route);
    operations.push({ name, old, new: now });
    if (old.id !== now.id) tell("major", name, `operation renamed to ${quote(now.id ?? route)}: ${quote(route)}`);
  }
  for (const [route, { id }] of left) tell("minor", id ?? route, `operation added: ${quote(route)}`);
  return { operations, findings };
}

/**
 * Compares what types cannot say, place by place: constraints, formats, hosts, security, texts. Whatever no rule knows
 * is a patch to review, never nothing. `exported` are the schemas in both specs that no shared operation leads to.
 */
export function compareData(
  oldSpec: OpenApi,
  newSpec: OpenApi,
  operations: OperationPair[],
): { findings: DataFinding[]; exported: string[] } {
  const comparison = new DataComparison(oldSpec, newSpec);
  for (const operation of operations) comparison.operation(operation);
  comparison.top();
  const exported = comparison.exportedSchemas();
  return { findings: comparison.findings, exported };
}

class DataComparison {
  readonly findings: DataFinding[] = [];
  readonly #old: OpenApi;
  readonly #new: OpenApi;
  readonly #schemas: SchemaComparison;
  readonly #tell: Tell = (level, place, message, more) => this.findings.push({ level, place, message, ...more });

  constructor(oldSpec: OpenApi, newSpec: OpenApi) {
    this.#old = oldSpec;
    this.#new = newSpec;
    this.#schemas = new SchemaComparison(oldSpec, newSpec, this.#tell);
  }

  operation({ name, old, new: now }: OperationPair): void {
    const place: Place = { subject: name, side: "request", part: "", path: "" };
    const oldItem = follow(this.#old, child(this.#old["paths"], old.path));
    const newItem = follow(this.#new, child(this.#new["paths"], now.path));
    this.#rest(place, oldItem, newItem, ["$ref", "parameters", "servers", ...methods]);
    const was = follow(this.#old, oldItem[old.method]);
    const is = follow(this.#new, newItem[now.method]);
    const walked = ["parameters", "requestBody", "responses", "security", "servers"];
    this.#rest(place, was, is, ["operationId", ...walked]);

    const oldServers = was["servers"] ?? oldItem["servers"];
    const newServers = is["servers"] ?? newItem["servers"];
    if (oldServers !== undefined || newServers !== undefined)
      this.#servers(place, oldServers ?? this.#old["servers"], newServers ?? this.#new["servers"]);
    this.#security(place, was["security"] ?? this.#old["security"], is["security"] ?? this.#new["security"]);
    this.#parameters(
      { ...place, part: "request" },
      parametersOf(this.#old, oldItem, was),
      parametersOf(this.#new, newItem, is),
    );
    if (was["requestBody"] !== undefined && is["requestBody"] !== undefined) {
      const oldBody = follow(this.#old, was["requestBody"]);
      const newBody = follow(this.#new, is["requestBody"]);
      const here: Place = { ...place, part: "request" };
      this.#rest(here, oldBody, newBody, ["content", "required"]);
      this.#contents(here, oldBody["content"], newBody["content"]);
    }
    for (const [status, node] of entries(was["responses"]))
      if (child(is["responses"], status) !== undefined)
        this.#answer(
          { ...place, side: "answer", part: `${status} answer` },
          follow(this.#old, node),
          follow(this.#new, child(is["responses"], status)),
        );
  }

  /** What stands beside the operations. */
  top(): void {
    const place = (subject: string): Place => ({ subject, side: "request", part: "", path: "" });
    const walked = ["openapi", "info", "servers", "security", "paths", "components"];
    this.#rest(place("top level"), this.#old, this.#new, walked);
    if (this.#old.openapi !== this.#new.openapi)
      this.#tell(
        "patch",
        place("openapi"),
        () => `version changed from ${quote(this.#old.openapi)} to ${quote(this.#new.openapi)}`,
      );
    this.#rest(place("info"), object(this.#old["info"]), object(this.#new["info"]), ["version"]);
    this.#servers(place("servers"), this.#old["servers"], this.#new["servers"]);
    const paths = [...entries(this.#old["paths"]), ...entries(this.#new["paths"])]
      .map(([path]) => path)
      .filter((path) => path.startsWith("/"));
    this.#rest(place("paths"), object(this.#old["paths"]), object(this.#new["paths"]), paths);
    this.#components(object(this.#old["components"]), object(this.#new["components"]));
  }

  /** Compares the schemas that both specs have and no shared operation leads to, and returns their names. */
  exportedSchemas(): string[] {
    const was = object(object(this.#old["components"])["schemas"]);
    const is = object(object(this.#new["components"])["schemas"]);
    const names = Object.keys(was).filter(
      (name) => Object.hasOwn(is, name) && !(this.#schemas.walked.old.has(name) && this.#schemas.walked.new.has(name)),
    );
    for (const name of names) {
      this.#schemas.part({ subject: name, side: "export", part: "", path: "" }, was[name], is[name]);
    }
    return names;
  }

  /** Every key that no rule of its own covers: a text is a patch, anything else a patch to look at. */
  #rest(place: Place, was: Json, is: Json, covered: string[]): void {
    for (const key of new Set([...Object.keys(was), ...Object.keys(is)]))
      if (!covered.includes(key)) tellText(this.#tell, place, key, was[key], is[key]);
  }

  #parameters(place: Place, was: Map<string, Json>, is: Map<string, Json>): void {
    for (const [path, old] of was) {
      const now = is.get(path);
      if (now === undefined) continue;
      const here = { ...place, path };
      const wire = ["style", "explode", "allowReserved", "allowEmptyValue"];
      this.#rest(here, old, now, ["in", "name", "required", "schema", "content", ...wire]);
      const [before, after] = [serialization(old), serialization(now)];
      if (before !== after)
        this.#tell("major", here, (part) => `written as ${quote(after)} instead of ${quote(before)} in ${part}`);
      this.#parameterSchemas(here, old, now);
    }
  }

  #parameterSchemas(place: Place, was: Json, is: Json): void {
    if (was["schema"] !== undefined && is["schema"] !== undefined)
      this.#schemas.part(place, was["schema"], is["schema"]);
    else if (was["content"] !== undefined && is["content"] !== undefined)
      this.#contents(place, was["content"], is["content"]);
    else if (was["schema"] !== is["schema"])
      this.#tell("major", place, (part) => `has another content type in ${part}`, { review: true });
  }

  #answer(place: Place, was: Json, is: Json): void {
    this.#rest(place, was, is, ["headers", "content", "x-message-codes"]);
    const [before, after] = [strings(was["x-message-codes"]), strings(is["x-message-codes"])];
    for (const code of before.filter((one) => !after.includes(one)))
      this.#tell("patch", place, (part) => `message code ${quote(code)} removed from ${part}`);
    for (const code of after.filter((one) => !before.includes(one)))
      this.#tell("minor", place, (part) => `message code ${quote(code)} added to ${part}`);
    for (const [name, node] of entries(was["headers"])) {
      if (child(is["headers"], name) === undefined) continue;
      const here = { ...place, path: `header ${name}` };
      const old = follow(this.#old, node);
      const now = follow(this.#new, child(is["headers"], name));
      this.#rest(here, old, now, ["required", "schema", "content"]);
      this.#parameterSchemas(here, old, now);
    }
    this.#contents(place, was["content"], is["content"]);
  }

  #contents(place: Place, was: unknown, is: unknown): void {
    for (const [media, node] of entries(was)) {
      const now = child(is, media);
      if (now === undefined) continue;
      const before = follow(this.#old, node);
      const after = follow(this.#new, now);
      this.#rest(place, before, after, ["schema"]);
      this.#schemas.part(place, before["schema"] ?? true, after["schema"] ?? true);
    }
  }

  #servers(place: Place, before: unknown, after: unknown): void {
    const was = serversOf(before);
    const is = serversOf(after);
    for (const old of was) {
      const now =
        is.find(({ environment }) => environment !== undefined && environment === old.environment) ??
        is.find(({ url }) => url === old.url);
      const named = old.environment === undefined ? "server" : `environment ${quote(old.environment)}`;
      if (now === undefined) this.#tell("major", place, () => `${named} removed: ${quote(old.url)}`);
      else {
        if (now.url !== old.url)
          this.#tell("major", place, () => `${named} moved from ${quote(old.url)} to ${quote(now.url)}`);
        if (now.environment !== old.environment)
          this.#tell(old.environment === undefined ? "minor" : "major", place, () =>
            old.environment === undefined
              ? `${quote(now.url)} is now environment ${quote(now.environment)}`
              : now.environment === undefined
                ? `${named} lost its name`
                : `${named} renamed to ${quote(now.environment)}`,
          );
        this.#rest({ ...place, path: old.url }, old.node, now.node, ["url", "x-environment"]);
      }
    }
    for (const now of is)
      if (
        !was.some(
          ({ url, environment }) => url === now.url || (environment !== undefined && environment === now.environment),
        )
      )
        this.#tell("minor", place, () =>
          now.environment === undefined
            ? `server added: ${quote(now.url)}`
            : `environment ${quote(now.environment)} added: ${quote(now.url)}`,
        );
    const order = (servers: Server[], others: Server[]): string[] =>
      servers.map(({ url }) => url).filter((url) => others.some((other) => other.url === url));
    if (!isDeepStrictEqual(order(was, is), order(is, was))) this.#tell("patch", place, () => "servers reordered");
  }

  #security(place: Place, before: unknown, after: unknown): void {
    const [was, is] = [requirements(before), requirements(after)];
    if (was !== is)
      this.#tell("major", place, () => `security requirement changed from ${quote(was)} to ${quote(is)}`, {
        review: true,
      });
  }

  #components(was: Json, is: Json): void {
    const schemas: Place = { subject: "", side: "request", part: "", path: "" };
    for (const name of Object.keys(object(was["schemas"])))
      if (child(is["schemas"], name) === undefined)
        this.#tell("major", { ...schemas, subject: name }, () => "schema removed, and its type");
    for (const name of Object.keys(object(is["schemas"])))
      if (child(was["schemas"], name) === undefined)
        this.#tell("minor", { ...schemas, subject: name }, () => "schema added, and its type");
    this.#securitySchemes(object(was["securitySchemes"]), object(is["securitySchemes"]));

    // The rest is compared where operations refer to it.
    const referred = JSON.stringify([this.#old, this.#new]);
    for (const kind of new Set([...Object.keys(was), ...Object.keys(is)])) {
      if (kind === "schemas" || kind === "securitySchemes") continue;
      const names = [...Object.keys(object(was[kind])), ...Object.keys(object(is[kind]))];
      const used = names.filter((name) =>
        referred.includes(JSON.stringify(`#/components/${kind}/${escapeStep(name)}`)),
      );
      const place: Place = { ...schemas, subject: `components ${kind}` };
      if (names.length > 0) this.#rest(place, object(was[kind]), object(is[kind]), used);
      else tellText(this.#tell, { ...place, subject: "components" }, kind, was[kind], is[kind]);
    }
  }

  #securitySchemes(was: Json, is: Json): void {
    const place: Place = { subject: "securitySchemes", side: "request", part: "", path: "" };
    const review = { review: true } as const;
    for (const name of Object.keys(was))
      if (!Object.hasOwn(is, name))
        this.#tell("major", { ...place, path: name }, () => "security scheme removed", review);
    for (const [name, node] of Object.entries(is)) {
      const here = { ...place, path: name };
      const now = follow(this.#new, node);
      if (!Object.hasOwn(was, name)) {
        // Nobody has to use it until an operation requires it, and that is told there.
        this.#tell("minor", here, () => "security scheme added", review);
        continue;
      }
      const old = follow(this.#old, was[name]);
      const defining = ["type", "scheme", "in", "name", "openIdConnectUrl"];
      for (const key of defining)
        if (!isDeepStrictEqual(old[key], now[key]))
          this.#tell(
            "major",
            here,
            () => `${quote(key)} changed from ${quote(old[key])} to ${quote(now[key])}`,
            review,
          );
      this.#rest(here, old, now, [...defining, "flows"]);
      this.#flows(here, object(old["flows"]), object(now["flows"]));
    }
  }

  #flows(place: Place, was: Json, is: Json): void {
    const review = { review: true } as const;
    const required = new Set(
      [...operationsOf(this.#new).values()].flatMap(({ path, method }) => {
        const item = follow(this.#new, child(this.#new["paths"], path));
        const security = follow(this.#new, item[method])["security"] ?? this.#new["security"];
        return (Array.isArray(security) ? security : []).flatMap((requirement) =>
          entries(requirement).flatMap(([, scopes]) => strings(scopes)),
        );
      }),
    );
    for (const flow of new Set([...Object.keys(was), ...Object.keys(is)])) {
      const here = { ...place, path: `${place.path} ${flow}` };
      const [old, now] = [was[flow], is[flow]];
      if (!isObject(old) || !isObject(now)) {
        const verb = isObject(now) ? "added" : "removed";
        this.#tell("major", here, () => `flow ${verb}`, review);
        continue;
      }
      const urls = ["tokenUrl", "authorizationUrl", "refreshUrl"];
      for (const key of urls)
        if (old[key] !== now[key])
          // Never taken from the spec: the token host is the API host.
          this.#tell(
            "patch",
            here,
            () => `${quote(key)} changed from ${quote(old[key])} to ${quote(now[key])}, never used`,
            review,
          );
      this.#rest(here, old, now, [...urls, "scopes"]);
      const [before, after] = [object(old["scopes"]), object(now["scopes"])];
      const removed = Object.keys(before).filter((scope) => !Object.hasOwn(after, scope));
      const added = Object.keys(after).filter((scope) => !Object.hasOwn(before, scope));
      const needed = removed.filter((scope) => required.has(scope));
      const names = (scopes: string[]): string => list(scopes.map(quote));
      // The flow lists what the whole service knows; only what these operations require is theirs.
      if (needed.length > 0) this.#tell("major", here, () => `required scope ${names(needed)} removed`, review);
      const others = removed.filter((scope) => !required.has(scope));
      if (others.length > 0)
        this.#tell("patch", here, () => `${names(others)} removed from the list of scopes`, review);
      if (added.length > 0) this.#tell("patch", here, () => `${names(added)} added to the list of scopes`, review);
      this.#rest({ ...here, path: `${here.path} scopes` }, before, after, [...removed, ...added]);
    }
  }
}

/** Parameters by "query parameter page", those of the operation before those of its path. */
function parametersOf(spec: OpenApi, item: Json, operation: Json): Map<string, Json> {
  return new Map(
    [item["parameters"], operation["parameters"]]
      .flatMap((nodes) => (Array.isArray(nodes) ? nodes : []))
      .map((node) => {
        const parameter = follow(spec, node);
        return [`${String(parameter["in"])} parameter ${String(parameter["name"])}`, parameter];
      }),
  );
}

/** How a parameter is written into the request, with the defaults of OpenAPI. */
function serialization(parameter: Json): string {
  const byDefault = ["query", "cookie"].includes(String(parameter["in"])) ? "form" : "simple";
  const style = parameter["style"] ?? byDefault;
  const explode = parameter["explode"] ?? style === "form";
  const flags = ["allowReserved", "allowEmptyValue"].filter((key) => parameter[key] === true);
  return [style, explode === true ? "explode" : "no explode", ...flags].join(", ");
}

interface Server {
  /** Without a slash at its end, with each variable's default in its place. */
  url: string;
  environment: string | undefined;
  node: Json;
}

function serversOf(value: unknown): Server[] {
  // OpenAPI: no servers means one, "/".
  const nodes = Array.isArray(value) && value.length > 0 ? value.map(object) : [{ url: "/" }];
  return nodes.map((node: Json) => {
    const environment = node["x-environment"];
    const url = String(node["url"]).replace(/\{([^{}]*)\}/g, (whole, name: string) => {
      const byDefault = child(child(node["variables"], name), "default");
      return typeof byDefault === "string" ? byDefault : whole;
    });
    return {
      url: url.replace(/(?<=.)\/$/, ""),
      environment: typeof environment === "string" ? environment : undefined,
      node,
    };
  });
}

/** Security requirements in words that are equal where they ask for the same. */
function requirements(value: unknown): string {
  const alternatives = (Array.isArray(value) ? value : []).map((requirement) =>
    entries(requirement)
      .map(([scheme, scopes]) => [scheme, ...strings(scopes).sort()].join(" "))
      .sort()
      .join(" and "),
  );
  return (
    alternatives
      .map((one) => one || "nothing")
      .sort()
      .join(", or ") || "nothing"
  );
}
