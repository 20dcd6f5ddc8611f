import { constantsOf } from "../generate/constants.js";
import { narrow } from "../generate/discriminators.js";
import { addConditional, conditions } from "../generate/rewrite.js";
import { type OpenApi, entries, isObject, object, schemasOf, withoutBigints } from "../spec/json.js";
import { walk } from "../spec/walk.js";
import { compareDescriptions } from "./description.js";
import {
  type Change,
  type Finding,
  type Level,
  type Place,
  changesOf,
  each,
  finding,
  member,
  quote,
  unordered,
} from "./findings.js";
import { compareTypes, typesOf } from "./types.js";

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

async function changesBetween(before: OpenApi, after: OpenApi): Promise<Change[]> {
  // Generators keep the order of keys, so equal means equal to the byte.
  if (JSON.stringify(before) === JSON.stringify(after)) return [];
  const [one, other] = each(before, after, normalized);
  const types = [await typesOf(one, "the old spec"), await typesOf(other, "the new spec")] as const;
  const lost = lostConstants(one, other);
  const [walked, newWalked] = each(one, other, asTyped);
  const { operations, findings, exported } = compareDescriptions(walked, newWalked);
  findings.push(...compareTypes(...types, operations, exported, findings), ...lost);
  if (findings.length > 0) return changesOf(findings);
  // The generators' output may differ all the same.
  const [same, words] = [unordered(before) === unordered(after), unordered(walked) === unordered(newWalked)];
  const message = same ? "put in another order" : words ? "put in other words, with the same types" : undefined;
  const location = "the description";
  return [
    message === undefined
      ? { level: "patch", location, message: "changed in a way that no rule knows", review: true }
      : { level: "patch", location, message },
  ];
}

/** Constants that callers import and that are no longer generated, or under another name. */
function lostConstants(before: OpenApi, after: OpenApi): Finding[] {
  const kept = Object.keys(schemasOf(before)).filter((schema) => Object.hasOwn(schemasOf(after), schema));
  return kept.flatMap((schema) => {
    const [was, is] = each(before, after, (spec) => constantsOf(spec, schema));
    return was.constants.flatMap(({ name, property, values = {} }) => {
      const place: Place = {
        subject: schema,
        side: "export",
        part: "",
        path: property === undefined ? [] : [member(property)],
      };
      const constant = `${schema}…${name}`;
      const now = is.constants.find((one) => one.name === name);
      const renamed = entries(values).flatMap(([key, value]) => {
        const newKey = entries(now?.values).find(([, other]) => other === value)?.[0] ?? key;
        const message = `the constant ${quote(`${constant}.${key}`)} is now called ${quote(newKey)}`;
        return newKey === key ? [] : [finding("major", place, message)];
      });
      const isGone = !now && (property === undefined || (is.properties?.includes(property) ?? true));
      return isGone ? [finding("major", place, `the constant ${quote(constant)} is no longer generated`)] : renamed;
    });
  });
}

/** `info.version` is the provider's own count: it says nothing of the contract. */
function withoutVersion(spec: OpenApi): OpenApi {
  const { version: _, ...info } = object(spec["info"]);
  return { ...spec, info };
}

function version(spec: OpenApi): string {
  return String(object(spec["info"])["version"] ?? "unknown");
}

/** A copy that says in the words of OpenAPI 3.1 what only 3.0 has words for. */
function normalized(spec: OpenApi): OpenApi {
  const copy = structuredClone(spec);
  walk(copy, ({ value, kind, path, key }) => {
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
  return copy;
}

/** Says in plain words what the types show besides: a discriminator's values, and properties that only conditions describe. */
function asTyped(spec: OpenApi): OpenApi {
  narrow(spec);
  const text = JSON.stringify(spec);
  if (conditions.some((keyword) => text.includes(`"${keyword}":`)))
    walk(spec, ({ value, kind }) => {
      if (kind !== "schema" || !isObject(value)) return;
      const copy = structuredClone(value);
      addConditional(spec, copy);
      if (copy["properties"] !== undefined) value["properties"] = copy["properties"];
    });
  return spec;
}
