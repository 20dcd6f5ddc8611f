import { type Level, inert, quote } from "./findings.js";
import type { Verdict } from "./verdict.js";

/** The verdict for a terminal, one change per line. */
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
  major: "Major: may break callers",
  minor: "Minor: adds to the API",
  patch: "Patch: no effect on callers",
};

/**
 * The verdict as a pull request: its title as the heading, then the changes and how to review them. `notes` are further
 * sentences for the reviewer.
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

1. Is each change above intended? A removal can be the provider's mistake: ask before merging a major one.
2. \`openapi/customer-tokens.yaml\` shows the provider's changes, and \`generated/\` their effect on callers. Apart from
   \`openapi/source.json\`, nothing else should differ.
3. "Review this" marks changes that no type can judge: servers, security, defaults, keywords without a rule.
4. Is \`openapi/overlay.yaml\` still right, its message codes above all?
5. Merge when the checks are green. \`npm run release\` then writes the version and the changelog.
`.split("\n");
