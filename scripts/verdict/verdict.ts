import { constantsOf } from "../generate/constants.js";
import { type OpenApi, object, schemasOf, withoutBigints } from "../spec/json.js";
import { compareTypes } from "./calls.js";
import { compareData } from "./data.js";
import { type Change, type Finding, type Level, changesOf, highest, quote, unordered } from "./findings.js";
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

async function changesBetween(oldSpec: OpenApi, newSpec: OpenApi): Promise<Change[]> {
  // Generators keep the order of keys, so equal means equal to the byte.
  if (JSON.stringify(oldSpec) === JSON.stringify(newSpec)) return [];
  const { operations, findings: routes } = pairOperations(oldSpec, newSpec);
  const { findings: data, exported } = compareData(oldSpec, newSpec, operations);
  const types = compareTypes(
    await typesOf(oldSpec, "the old spec"),
    await typesOf(newSpec, "the new spec"),
    operations,
    exported,
  );
  const fresh = data.flatMap((finding): Finding[] => {
    if (!types.some((type) => highest([type.level, finding.level]) === type.level && tells(type, finding)))
      return [finding];
    return finding.otherwise === undefined ? [] : [{ ...finding, message: finding.otherwise }];
  });
  const changes = changesOf([...routes, ...types, ...fresh, ...lostConstants(oldSpec, newSpec)]);
  if (changes.length > 0) return changes;
  // The generators' output may differ all the same.
  const location = "the description";
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
      .map(({ name, property = "" }) => ({
        level: "major",
        place: { subject: schema, side: "export", part: "", path: property },
        message: `the constant ${quote(`${schema}…${name}`)} is no longer generated`,
      }));
  });
}

/** Whether a finding of the types makes one of the data superfluous. */
function tells(type: Finding, { unless, place }: Finding): boolean {
  const { subject, part, path } = type.place;
  if (unless === undefined || subject !== place.subject || part !== place.part) return false;
  if (unless === "type") return type.typeChanged === true && path === place.path;
  return path.startsWith(place.path) || place.path.startsWith(path);
}

/** `info.version` is the provider's own count: it says nothing of the contract. */
function withoutVersion(spec: OpenApi): OpenApi {
  const { version: _, ...info } = object(spec["info"]);
  return { ...spec, info };
}

function version(spec: OpenApi): string {
  return String(object(spec["info"])["version"] ?? "unknown");
}
