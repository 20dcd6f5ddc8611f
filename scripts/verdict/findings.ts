import { isObject, printable } from "../spec/json.js";

/** What a change asks of the next version, as in semantic versioning. */
export type Level = "patch" | "minor" | "major";

/** Who has to cope: callers send a request, read an answer, or name an exported type that no operation uses. */
export type Side = "request" | "answer" | "export";

/** Where in the contract something is. */
export interface Place {
  /** An operation's name, a schema's name, or a top part of the description such as "servers". */
  subject: string;
  side: Side;
  /** "request", "201 answer", "data", "error", or "" for the whole subject. */
  part: string;
  /** The steps to it inside the part, such as "scopes", "[]"; none for the part itself. */
  path: readonly string[];
}

/** One change at one place. Equal findings at several places become one {@link Change}. */
export interface Finding {
  level: Level;
  place: Place;
  /** Words for a reviewer. {@link thePart} in it becomes the part's words, such as "the 201 answer". */
  message: string;
  /**
   * "review" if a person must look, whatever the level says; or which finding of the types it is another word for: "value"
   * if it is about the values of its place, "member" if it is about a type's property or alternative, here or above,
   * "words" if it says that nothing else changed.
   */
  mark?: Mark;
}

type Mark = "review" | "value" | "member" | "words";

export function finding(level: Level, place: Place, message: string, mark?: Mark): Finding {
  return { level, place, message, ...(mark && { mark }) };
}

/** The part in a message. No text of a description can hold it: see {@link inert}. */
export const thePart = "\0";

/** A change of the contract, as a reviewer reads it. */
export interface Change {
  level: Level;
  location: string;
  message: string;
  review?: true;
}

/** A value of the description in a message: short, on one line, and inert in Markdown. */
export function quote(value: unknown): string {
  return `\`${inert(text(value))}\``;
}

function text(value: unknown): string {
  return typeof value === "string" ? value : (JSON.stringify(value) ?? "nothing");
}

/** Text of the description on one line, without what would end a code span of Markdown. */
export function inert(text: string): string {
  return printable(text).replaceAll("`", "'");
}

/** "`key: 1` added to", "`key: 1` removed from" or "`key` changed from `1` to `2` in" the part. */
export function changeOf(key: string, before: unknown, after: unknown, verb = "changed"): string {
  if (before === undefined) return `${quote(`${key}: ${text(after)}`)} added to ${thePart}`;
  if (after === undefined) return `${quote(`${key}: ${text(before)}`)} removed from ${thePart}`;
  return `${quote(key)} ${verb} from ${quote(before)} to ${quote(after)} in ${thePart}`;
}

/** A place below another one. */
export function below(place: Place, ...steps: string[]): Place {
  return { ...place, path: [...place.path, ...steps] };
}

/** A property as a step of a path. */
export function member(name: string): string {
  return /^[\w$-]+$/.test(name) ? name : JSON.stringify(name);
}

/** A path's steps as text: "scopes[]", "(Cat).kind". */
export function pathText(path: readonly string[]): string {
  return path.reduce((text, step) => `${text}${text === "" || /^[[(]/.test(step) ? "" : "."}${step}`, "");
}

/** What two maps, or the entries of two objects, hold under each of their keys. */
export function both<Item>(
  before: Iterable<[string, Item]>,
  after: Iterable<[string, Item]>,
): [key: string, before: Item | undefined, after: Item | undefined][] {
  const [olds, news] = [new Map(before), new Map(after)];
  return [...new Set([...olds.keys(), ...news.keys()])].map((key) => [key, olds.get(key), news.get(key)]);
}

/** What a function makes of each of two values. */
export function each<From, To>(before: From, after: From, make: (one: From) => To): [before: To, after: To] {
  return [make(before), make(after)];
}

/**
 * Pairs the items of two lists by the first of some rules that they fit, and gives what is left of each list. A rule also
 * learns whether no others are left.
 */
export function paired<Item>(
  before: Item[],
  after: Item[],
  rules: ((old: Item, now: Item, isLast: boolean) => boolean)[],
): { pairs: Map<Item, Item>; olds: Set<Item>; news: Set<Item> } {
  const [olds, news, pairs] = [new Set(before), new Set(after), new Map<Item, Item>()];
  for (const fits of rules)
    for (const old of olds) {
      const isLast = olds.size === 1 && news.size === 1;
      const now = [...news].find((one) => fits(old, one, isLast));
      if (now === undefined) continue;
      pairs.set(old, now);
      olds.delete(old);
      news.delete(now);
    }
  return { pairs, olds, news };
}

/** "a", "a and b", "a, b and c". */
export function enumerated(items: string[]): string {
  const last = items.at(-1) ?? "";
  return items.length < 2 ? last : `${items.slice(0, -1).join(", ")} and ${last}`;
}

/**
 * The pairs that a walk has met in the present part: a recursive schema ends there, and what a part holds twice is told
 * once. Each part starts afresh, so that every place is named. A dense description would then take minutes, so after
 * many pairs one that was told of is not told of again for the same side.
 */
export class MetPairs {
  #walked = 0;
  readonly #met = new Set<string>();
  readonly #ids = new Map<object, number>();

  startPart(): void {
    if (this.#walked < 20_000) this.#met.clear();
  }

  /** Whether the pair was met, which it is from now on: what stood at a place, and what stands there now. */
  meets(kind: string, before: object[], after: object[]): boolean {
    const ids = [before, after].map((all) => all.map((one) => this.#idOf(one)).join());
    const pair = [kind, ...ids].join(" ");
    if (this.#met.has(pair)) return true;
    this.#walked++;
    this.#met.add(pair);
    return false;
  }

  #idOf(one: object): number {
    const id = this.#ids.get(one) ?? this.#ids.size;
    this.#ids.set(one, id);
    return id;
  }
}

export const rank = { none: 0, patch: 1, minor: 2, major: 3 };

/** The highest of several levels, "none" for none. */
export function highest(levels: (Level | "none")[]): Level | "none" {
  return levels.reduce((top, level) => (rank[level] > rank[top] ? level : top), "none");
}

/** Findings as changes, the gravest first: what a shared schema brings to several answers or operations is told once. */
export function changesOf(findings: Finding[]): Change[] {
  const words = ({ level, place, message, mark }: Finding) => [level, mark === "review", message, place.path];
  const sameSubject = groupBy(findings, (finding) => [...words(finding), finding.place.subject]).map((group) => ({
    ...group[0],
    parts: [...new Set(group.map(({ place }) => place.part))],
  }));
  return groupBy(sameSubject, (finding) => [...words(finding), ...finding.parts])
    .map((group): Change => {
      const { level, place, message, mark, parts } = group[0];
      const subjects = group.map((finding) => finding.place.subject);
      const named =
        subjects.length > 3
          ? `${subjects.slice(0, 3).join(", ")} and ${subjects.length - 3} more`
          : enumerated(subjects);
      const part = partWords(parts);
      return {
        level,
        location: inert([named, part, pathText(place.path)].filter((step) => step !== "").join(" ")),
        message: message.replaceAll(thePart, place.part === "" ? "the exported type" : `the ${part}`),
        ...(mark === "review" && { review: true }),
      };
    })
    .sort((a, b) => rank[b.level] - rank[a.level]);
}

/** "request", "201 answer", "401, 403 and 422 answers", "request and 201 answer". */
function partWords(parts: string[]): string {
  const answers = parts.filter((part) => part.endsWith(" answer")).map((part) => part.slice(0, -" answer".length));
  const others = parts.filter((part) => !part.endsWith(" answer"));
  if (answers.length > 0) others.push(`${enumerated(answers)} ${answers.length > 1 ? "answers" : "answer"}`);
  return enumerated(others);
}

function groupBy<T>(items: T[], key: (item: T) => unknown[]): [T, ...T[]][] {
  const groups = new Map<string, [T, ...T[]]>();
  for (const item of items) {
    const name = JSON.stringify(key(item));
    const group = groups.get(name);
    if (group === undefined) groups.set(name, [item]);
    else group.push(item);
  }
  return [...groups.values()];
}

/** A JSON value as text that is equal for another order of keys and items. */
export function unordered(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(unordered).sort().join()}]`;
  if (!isObject(value)) return JSON.stringify(value) ?? "";
  const fields = Object.entries(value).map(([key, item]) => `${JSON.stringify(key)}:${unordered(item)}`);
  return `{${fields.sort().join()}}`;
}
