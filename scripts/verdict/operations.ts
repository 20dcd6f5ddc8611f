import { quote } from "./findings.js";
import type { Finding, Level } from "./findings.js";
import { entries } from "./nodes.js";
import { follow, isObject, methods } from "../spec/json.js";
import type { OpenApi } from "../spec/json.js";

/** An operation that both specs have, by the name that messages use. */
export interface OperationPair {
  name: string;
  old: { path: string; method: string };
  new: { path: string; method: string };
}

/** Every operation of a spec by method and path. */
export function operationsOf(spec: OpenApi): Map<string, { path: string; method: string; id?: string }> {
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
): { operations: OperationPair[]; findings: Finding[] } {
  const was = operationsOf(oldSpec);
  const left = operationsOf(newSpec);
  const operations: OperationPair[] = [];
  const findings: Finding[] = [];
  const tell = (level: Level, subject: string, message: string): void => {
    findings.push({ level, place: { subject, side: "request", part: "", path: "" }, message });
  };
  const oldIds = new Set([...was.values()].map(({ id }) => id));
  const renamed = (route: string): string | undefined => {
    const now = left.get(route);
    return now && (now.id === undefined || !oldIds.has(now.id)) ? route : undefined;
  };
  for (const [route, old] of was) {
    const name = old.id ?? route;
    const sameId = [...left].find(([, { id }]) => id !== undefined && id === old.id)?.[0];
    const newRoute = sameId ?? renamed(route) ?? "";
    const now = left.get(newRoute);
    if (now === undefined) {
      tell("major", name, `operation removed: ${quote(route)}`);
      continue;
    }
    left.delete(newRoute);
    operations.push({ name, old, new: now });
    if (newRoute !== route) tell("major", name, `operation moved from ${quote(route)} to ${quote(newRoute)}`);
    if (old.id !== now.id) tell("major", name, `operation renamed to ${quote(now.id ?? route)}: ${quote(route)}`);
  }
  for (const [route, { id }] of left) tell("minor", id ?? route, `operation added: ${quote(route)}`);
  return { operations, findings };
}
