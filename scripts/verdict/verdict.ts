import { constantsOf } from "../generate/constants.js";
import { narrow } from "../generate/discriminators.js";
import { addConditional, conditions } from "../generate/rewrite.js";
import { type OpenApi, entries, isObject, asObject, schemasOf, unordered, withoutBigints } from "../spec/json.js";
import { walk } from "../spec/walk.js";
import { compareDescriptions } from "./description.js";
import { type Change, type Finding, type Level, Place, changesOf, mapBoth, member, quote } from "./findings.js";
import { compareTypes, typesOf } from "./types.js";

/** The bump that a change of the spec needs, and why. Its keys are stable: `--json` prints it as it is. */
export interface Verdict {
  /** "none" if the two differ in `info.version` at most. */
  verdict: "none" | Level;
  /** Upstream's version of the spec before the change. */
  from: string;
  /** Upstream's version of the spec after the change. */
  to: string;
  /** The gravest first. */
  changes: Change[];
}

/**
 * Answers two questions about a change. Does everything that ran still run? A walk over all schemas compares the values that
 * they allow, and names the places. Does everything that compiled still compile? The walk knows which parts of a place types
 * show, and the type checker judges the parts of each call, `data`, `error` and exported types. The graver answer counts.
 *
 * Both specs are slices after the overlay. `versions` are upstream's, for the reader. Throws a UserError if the types of a
 * spec do not compile.
 */
export async function compareSpecs(
  before: OpenApi,
  after: OpenApi,
  versions = { from: "unknown", to: "unknown" },
): Promise<Verdict> {
  // As text, an integer that no number can hold keeps its digits.
  const comparable = (spec: OpenApi) => withoutBigints(withoutVersion(spec), String);
  const changes = await changesBetween(comparable(before), comparable(after));
  return { verdict: changes[0]?.level ?? "none", ...versions, changes };
}

async function changesBetween(before: OpenApi, after: OpenApi): Promise<Change[]> {
  // Generators keep the order of keys, so equal means equal to the byte.
  if (JSON.stringify(before) === JSON.stringify(after)) return [];
  const [was, is] = mapBoth(before, after, normalized);
  const types = [await typesOf(was, "the old spec"), await typesOf(is, "the new spec")] as const;
  const lost = lostConstants(was, is);
  const { operations, findings, exported } = compareDescriptions(asTyped(was), asTyped(is));
  findings.push(...compareTypes(...types, operations, exported, findings), ...lost);
  if (findings.length > 0) return changesOf(findings);
  // The generators' output may differ all the same.
  const isReordered = unordered(before) === unordered(after);
  const message = isReordered ? "put in another order" : "rewritten with the same meaning";
  return [{ level: "patch", location: "the description", message }];
}

/** Constants that callers import, and that are no longer generated or have another name now. */
function lostConstants(before: OpenApi, after: OpenApi): Finding[] {
  const kept = Object.keys(schemasOf(before)).filter((schema) => Object.hasOwn(schemasOf(after), schema));
  return kept.flatMap((schema) => {
    const [was, is] = mapBoth(before, after, (spec) => constantsOf(spec, schema));
    return was.constants.flatMap(({ name, property, values = {} }) => {
      const place = new Place(schema, "export", "", property === undefined ? "" : member(property));
      const constant = `${schema}…${name}`;
      const same = is.constants.find((one) => one.name === name);
      const renamed = entries(values).flatMap(([key, value]) => {
        const keyAfter = entries(same?.values).find(([, other]) => other === value)?.[0] ?? key;
        const message = `the constant ${quote(`${constant}.${key}`)} is now called ${quote(keyAfter)}`;
        return keyAfter === key ? [] : [place.finding("major", message)];
      });
      const isGone = !same && (property === undefined || (is.properties?.includes(property) ?? true));
      return isGone ? [place.finding("major", `the constant ${quote(constant)} is no longer generated`)] : renamed;
    });
  });
}

/** `info.version` is the provider's own count. It does not describe the contract. */
function withoutVersion(spec: OpenApi): OpenApi {
  const { version: _, ...info } = asObject(spec["info"]);
  return { ...spec, info };
}

/** A copy in which keywords of OpenAPI 3.0 are written as in 3.1. */
function normalized(spec: OpenApi): OpenApi {
  const copy = structuredClone(spec);
  walk(copy, ({ value, kind, path, key }) => {
    if (!isObject(value)) return;
    const isRequest = path.includes("requestBody") || path.includes("requestBodies");
    if (kind === "mediaType" && isRequest && !/json|xml|text|form/.test(String(key)))
      value["schema"] ??= { type: "string", format: "binary" };
    if (kind !== "schema") return;
    // A condition has no effect without its consequences, nor these without it.
    if (!("then" in value || "else" in value)) delete value["if"];
    if (!("if" in value)) for (const keyword of ["then", "else"]) delete value[keyword];
    // By default, one item has to be there.
    if (value["minContains"] === 0 && value["maxContains"] === undefined) delete value["contains"];
    if (value["minContains"] === 1 && value["contains"] !== undefined) delete value["minContains"];
    // All names are strings.
    if (key === "propertyNames" && value["type"] === "string") delete value["type"];
    if (value["type"] === "number" && Number.isInteger(value["multipleOf"])) value["type"] = "integer";
    if (value["format"] === "byte") {
      delete value["format"];
      value["contentEncoding"] = "base64";
    }
    if (value["contentMediaType"] === "application/octet-stream" && value["contentEncoding"] === undefined) {
      delete value["contentMediaType"];
      value["format"] ??= "binary";
    }
  });
  return copy;
}

/** Writes out the other parts that types show: the values of discriminators, and properties that only conditions describe. */
function asTyped(spec: OpenApi): OpenApi {
  narrow(spec, true);
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
