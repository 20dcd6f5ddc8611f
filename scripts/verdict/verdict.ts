import { changesOf, firstDifference, highest, inert, quote, unordered } from "./findings.js";
import type { Change, Finding, Level, Place } from "./findings.js";
import { constantsOf } from "../generate/constants.js";
import { isObject, object, withoutBigints } from "../spec/json.js";
import type { OpenApi } from "../spec/json.js";
import { compareData, pairOperations } from "./data.js";
import type { DataFinding } from "./schemas.js";
import { compareTypes, typesOf } from "./types.js";
import type { TypeFinding } from "./types.js";

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
  const [was, is] = [oldSpec, newSpec].map((spec) => withoutBigints(withoutVersion(spec), String)) as [
    OpenApi,
    OpenApi,
  ];
  const changes = await changesBetween(was, is);
  return { verdict: highest(changes.map(({ level }) => level)), ...versions, changes };
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
  const fresh = data.filter(
    ({ unless, place, level }) =>
      !types.some((type) => highest([type.level, level]) === type.level && tells(type, unless, place)),
  );
  const changes = changesOf([...routes, ...types, ...fresh, ...lostConstants(oldSpec, newSpec)]);
  if (changes.length > 0) return changes;
  // The generators' output may differ all the same.
  const location = firstDifference(oldSpec, newSpec) ?? "";
  return unordered(oldSpec) === unordered(newSpec)
    ? [{ level: "patch", location, message: "put in another order" }]
    : [{ level: "patch", location, message: "changed in a way that no rule knows", review: true }];
}

/** What callers import and neither the types nor the data tell of: constants that are no longer generated. */
function lostConstants(oldSpec: OpenApi, newSpec: OpenApi): Finding[] {
  const schemasOf = (spec: OpenApi) => object(object(spec["components"])["schemas"]);
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
        message: () => `the constant ${quote(`${schema}…${name}`)} is no longer generated`,
      }));
  });
}

/** Whether a finding of the types makes one of the data at `place` superfluous. */
function tells(type: TypeFinding, unless: DataFinding["unless"], place: Place): boolean {
  const { subject, part, path } = type.place;
  if (unless === undefined || subject !== place.subject || part !== place.part) return false;
  if (unless === "type") return type.typeChanged === true && path === place.path;
  return path.startsWith(place.path) || place.path.startsWith(path);
}

/** `info.version` is the provider's own count: it says nothing of the contract. */
function withoutVersion(spec: OpenApi): OpenApi {
  const { version: _, ...info } = isObject(spec["info"]) ? spec["info"] : {};
  return { ...spec, info };
}

function version(spec: OpenApi): string {
  const info = spec["info"];
  return isObject(info) && typeof info["version"] === "string" ? info["version"] : "unknown";
}

/** The verdict for a terminal, one change a line. */
export function verdictText({ verdict, from, to, changes }: Verdict): string {
  const width = Math.max(0, ...changes.map(({ location }) => location.length));
  return [
    `${verdict}: ${inert(from)} → ${inert(to)}`,
    ...changes.map(
      ({ level, location, message, review }) =>
        `  ${level}  ${location.padEnd(width)}  ${message}${review ? " (review)" : ""}`,
    ),
  ].join("\n");
}

const meanings: Record<Level, string> = {
  major: "Major: code of callers may break",
  minor: "Minor: more can be asked for or answered",
  patch: "Patch: code of callers stays as it is",
};

/**
 * The verdict as a pull request: its title as the heading, then what changed and how to review it. `notes` are
 * sentences on what the reviewer should know besides.
 */
export function verdictMarkdown(verdict: Verdict, notes: string[] = []): string {
  const noted = notes.length === 0 ? [] : ["## Notes", "", ...notes.map((note) => `- ${quote(note)}`), ""];
  return [`# ${verdictTitle(verdict)}`, "", ...changeList(verdict, "##"), "", ...noted, ...howToReview].join("\n");
}

/** One line that carries the bump, and nothing that Markdown or HTML would act on. */
function verdictTitle({ verdict, from, to }: Verdict): string {
  const plain = (version: string): string => version.replace(/[^\w.+-]/g, "").slice(0, 40);
  return `Specification ${plain(from)} → ${plain(to)}: ${verdict}`;
}

/** The changes as Markdown, under a heading for each level. */
export function changeList({ changes }: Verdict, heading: "##" | "####"): string[] {
  const lines: string[] = [];
  if (changes.length === 0) lines.push("Nothing changed but the version.");
  for (const level of ["major", "minor", "patch"] as const) {
    const some = changes.filter((change) => change.level === level);
    if (some.length === 0) continue;
    if (lines.length > 0) lines.push("");
    lines.push(`${heading} ${meanings[level]}`, "");
    for (const location of new Set(some.map((change) => change.location))) {
      const items = some
        .filter((change) => change.location === location)
        .map(({ message, review }) => `${message}${review ? ". **Review this.**" : ""}`);
      if (items.length === 1) lines.push(`- ${quote(location)}: ${items.join()}`);
      else lines.push(`- ${quote(location)}:`, ...items.map((item) => `  - ${item}`));
    }
  }
  return lines;
}

const howToReview = `## How to review

1. Is each change above meant? A removal can be a slip of the provider's: ask before merging a major one.
2. \`openapi/customer-tokens.yaml\` shows what the provider changed, \`generated/\` what that means to callers. Nothing
   else should differ but \`openapi/source.json\`.
3. "Review this" stands where no type can judge: security, defaults, what no rule knows.
4. Does \`openapi/overlay.yaml\` still say what the provider does not, message codes above all?
5. Merge when the checks are green. \`npm run release\` then writes the version and the changelog.
`.split("\n");
