import { constantsOf } from "../generate/constants.js";
import { type OpenApi, isObject, object, schemasOf, withoutBigints } from "../spec/json.js";
import { walk } from "../spec/walk.js";
import { compareTypes } from "./calls.js";
import { compareData } from "./data.js";
import {
  type Change,
  type Finding,
  type Level,
  changesOf,
  finding,
  member,
  quote,
  rank,
  unordered,
} from "./findings.js";
import { pairOperations } from "./operations.js";
import { typesOf } from "./program.js";

/** What a change of the spec asks of the next version, and why. Its keys are stable: `--json` prints it as it is. */
export interface Verdict {
  /** "none" where the two differ in `info.version` at most. */
  verdict: "none" | Level;
  /** Upstream's version of the old spec. */
  from: string;
  /** Upstream's version of the new spec. */
  to: string;
  /** The gravest first. */
  changes: Change[];
}

/**
 * Judges the way from one spec to another by what its consumers have: the type checker, and for what types cannot
 * say, the data. Both specs are slices after the overlay. `versions` are upstream's, for the reader; they default to
 * `info.version`. Throws a UserError where a spec gives types that do not compile.
 */
export async function compareSpecs(
  oldSpec: OpenApi,
  newSpec: OpenApi,
  versions: { from: string; to: string } = { from: version(oldSpec), to: version(newSpec) },
): Promise<Verdict> {
  // As text an integer that no number can hold keeps its digits.
  const comparable = (spec: OpenApi) => withoutBigints(withoutVersion(spec), String);
  const changes = await changesBetween(comparable(oldSpec), comparable(newSpec));
  return { verdict: changes[0]?.level ?? "none", ...versions, changes };
}

async function changesBetween(oldText: OpenApi, newText: OpenApi): Promise<Change[]> {
  // Generators keep the order of keys, so equal means equal to the byte.
  if (JSON.stringify(oldText) === JSON.stringify(newText)) return [];
  const [oldSpec, newSpec] = [normalized(structuredClone(oldText)), normalized(structuredClone(newText))];
  const { operations, findings: routes } = pairOperations(oldSpec, newSpec);
  const { findings: data, exported } = compareData(oldSpec, newSpec, operations);
  const types = compareTypes(
    await typesOf(oldSpec, "the old spec"),
    await typesOf(newSpec, "the new spec"),
    operations,
    exported,
  );
  const changes = changesOf([...routes, ...reconciled(types, data), ...lostConstants(oldSpec, newSpec)]);
  if (changes.length > 0) return changes;
  // The generators' output may differ all the same.
  const location = "the description";
  if (unordered(oldText) !== unordered(newText) && unordered(oldSpec) === unordered(newSpec))
    return [{ level: "patch", location, message: "put in other words, with the same types" }];
  return unordered(oldSpec) === unordered(newSpec)
    ? [{ level: "patch", location, message: "put in another order" }]
    : [{ level: "patch", location, message: "changed in a way that no rule knows", review: true }];
}

/** Constants that callers import and that are no longer generated: neither types nor data tell of them. */
function lostConstants(oldSpec: OpenApi, newSpec: OpenApi): Finding[] {
  const kept = Object.keys(schemasOf(oldSpec)).filter((schema) => Object.hasOwn(schemasOf(newSpec), schema));
  return kept.flatMap((schema) => {
    const now = constantsOf(newSpec, schema);
    const names = new Set(now.constants.map(({ name }) => name));
    return constantsOf(oldSpec, schema)
      .constants.filter(({ name }) => !names.has(name))
      .filter(({ property }) => property === undefined || (now.properties?.includes(property) ?? true))
      .map(({ name, property }) => {
        const path = property === undefined ? [] : [member(property)];
        const message = `the constant ${quote(`${schema}…${name}`)} is no longer generated`;
        return finding("major", { subject: schema, side: "export", part: "", path }, message);
      });
  });
}

/** The findings of both judges, without those of the data that types tell at least as gravely of. */
function reconciled(types: Finding[], data: Finding[]): Finding[] {
  const parts = new Map<string, Finding[]>();
  const key = ({ subject, part }: Finding["place"]): string => JSON.stringify([subject, part]);
  for (const one of types) if (one.mark) parts.set(key(one.place), [...(parts.get(key(one.place)) ?? []), one]);
  const isTold = ({ mark, level, place: { path } }: Finding, { level: other, place }: Finding): boolean => {
    if (mark === "words") return startsWith(place.path, path);
    if (rank[other] < rank[level]) return false;
    return mark === "value"
      ? startsWith(place.path, path) && startsWith(path, place.path)
      : mark === "member" && startsWith(path.filter(isProperty), place.path.filter(isProperty));
  };
  const isFresh = (one: Finding) => !parts.get(key(one.place))?.some((type) => isTold(one, type));
  return [...types, ...data.filter(isFresh)];
}

/** Whether a path leads to a place or below it. */
function startsWith(path: readonly string[], other: readonly string[]): boolean {
  return other.every((step, index) => path[index] === step);
}

/** Types and data count alternatives differently. */
function isProperty(step: string): boolean {
  return !/^\(\d+\)$/.test(step);
}

/** `info.version` is the provider's own count: it says nothing of the contract. */
function withoutVersion(spec: OpenApi): OpenApi {
  const { version: _, ...info } = object(spec["info"]);
  return { ...spec, info };
}

function version(spec: OpenApi): string {
  return String(object(spec["info"])["version"] ?? "unknown");
}

/** What OpenAPI 3.0 says in other words than 3.1, in those of 3.1. */
function normalized(spec: OpenApi): OpenApi {
  walk(spec, ({ value, kind, path, key }) => {
    if (!isObject(value)) return;
    if (kind === "mediaType" && path.includes("requestBody") && !/json|xml|text|form/.test(String(key)))
      value["schema"] ??= { type: "string", format: "binary" };
    if (kind !== "schema") return;
    if (value["format"] === "byte") {
      delete value["format"];
      value["contentEncoding"] = "base64";
    }
    if (value["contentMediaType"] === "application/octet-stream" && value["contentEncoding"] === undefined) {
      delete value["contentMediaType"];
      value["format"] ??= "binary";
    }
    for (const [exclusive, bound] of [
      ["exclusiveMinimum", "minimum"],
      ["exclusiveMaximum", "maximum"],
    ] as const) {
      if (value[exclusive] === true && value[bound] !== undefined) {
        value[exclusive] = value[bound];
        delete value[bound];
      } else if (typeof value[exclusive] === "boolean") delete value[exclusive];
    }
  });
  return spec;
}
