import { type OpenApi, entries, follow, asArray, asObject, printable } from "../spec/json.js";
import { operationsOf } from "../spec/operations.js";
import { place } from "../spec/parse.js";
import { jsonTypes, walk } from "../spec/walk.js";

/** Counts findings with several places, and names the first place of each. */
export class Tally {
  readonly #found = new Map<unknown, { first: string; more: number }>();

  add(what: unknown, place: () => string): void {
    const known = this.#found.get(what);
    if (known) known.more++;
    else this.#found.set(what, { first: place(), more: 0 });
  }

  sentences(words: (what: unknown) => string): string[] {
    return [...this.#found].map(
      ([what, { first, more }]) => `${first}: ${words(what)}${more ? ` (and ${more} more)` : ""}`,
    );
  }
}

/** Keywords that no type of TypeScript can express. */
const withoutType = new Set<string | number>(
  `not if dependentSchemas dependentRequired contains propertyNames unevaluatedProperties unevaluatedItems
  contentSchema`.split(/\s+/),
);

/**
 * Notes on a description for the reviewer, in addition to the verdict, a sentence each. `name` is used in them; `before` is
 * the description that it replaces.
 */
export function notes(spec: OpenApi, name: string, overlayPath: string | undefined, before?: OpenApi): string[] {
  const found = overlayPath === undefined ? [] : codeNotes(spec, overlayPath, before);
  const untyped = new Tally();
  walk(spec, ({ key, value, path, kind, holder }) => {
    if (holder === "schema" && withoutType.has(key) && typeof value !== "boolean")
      untyped.add(key, () => place(spec, name, path));
    if (kind === "jsonType" && !jsonTypes.has(value))
      found.push(
        `${place(spec, name, path)}: "${printable(String(value))}" is not a JSON Schema type: any value is accepted`,
      );
    if (typeof value !== "bigint") return;
    const words = `JavaScript cannot represent ${printable(String(value))}; generated code has ${Number(value)} instead`;
    found.push(`${place(spec, name, path)}: ${words}`);
  });
  found.push(...untyped.sentences((key) => `types cannot express "${String(key)}"`));
  return found;
}

/** The differences between the overlay's lists of message codes and upstream's examples. None if there are no such lists. */
function codeNotes(spec: OpenApi, overlayPath: string, before: OpenApi | undefined): string[] {
  const { shown, listed } = messageCodes(spec);
  if (listed.size === 0) return [];
  const unlisted = [...shown].filter((code) => !listed.has(code));
  // The overlay may list codes that the examples never showed.
  const gone = before ? [...messageCodes(before).shown].filter((code) => listed.has(code) && !shown.has(code)) : [];
  const notes = [
    [`upstream's examples show a message_code that ${overlayPath} does not list`, unlisted],
    [`upstream's examples no longer show a message_code that ${overlayPath} lists`, gone],
  ] as const;
  return notes.flatMap(([words, codes]) => (codes.length > 0 ? [`${words}: ${codes.join(", ")}`] : []));
}

/** The message codes that the examples of responses show, and those that `x-message-codes` lists, with status and operation. */
function messageCodes(spec: OpenApi): { shown: Set<string>; listed: Set<string> } {
  const [shown, listed] = [new Set<string>(), new Set<string>()];
  for (const { name, fields } of operationsOf(spec))
    for (const [status, given] of entries(fields["responses"])) {
      const response = follow(spec, given);
      const add = (codes: Set<string>, code: unknown): void => {
        if (typeof code === "string") codes.add(`${printable(code)} (${status} of ${name})`);
      };
      for (const code of asArray(response["x-message-codes"])) add(listed, code);
      for (const media of Object.values(asObject(response["content"])).map(asObject)) {
        const examples = Object.values(asObject(media["examples"])).map((example) => follow(spec, example)["value"]);
        for (const example of [media["example"], ...examples]) add(shown, asObject(example)["message_code"]);
      }
    }
  return { shown, listed };
}
