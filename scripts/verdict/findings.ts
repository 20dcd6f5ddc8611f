import { isDeepStrictEqual } from "node:util";
import { type Json, entries, printable } from "../spec/json.js";

/** The bump that a change needs, as in semantic versioning. */
export type Level = "patch" | "minor" | "major";

/** How callers use a value: they send a request, read a response, or name an exported type that no operation shows. */
export type Side = "request" | "response" | "export";

/** One change at one place. Equal findings at several places become one {@link Change}. */
export interface Finding {
  level: Level;
  place: Place;
  /** Words for a reviewer. {@link partPlaceholder} in it becomes the part's words, such as "the 201 response". */
  message: string;
  /** Whether a person must look, whatever the level says. */
  review: boolean;
}

/** A place in the contract. */
export class Place {
  /** An operation's name, a schema's name, or a top part of the description such as "servers". */
  readonly subject: string;
  readonly side: Side;
  /** "request", "201 response", "data", "error", or "" for the whole subject. */
  readonly part: string;
  /** The way to it inside the part, such as "scopes[]"; empty for the part itself. */
  readonly path: string;

  constructor(subject: string, side: Side = "request", part = "", path = "") {
    this.subject = subject;
    this.side = side;
    this.part = part;
    this.path = path;
  }

  /** The place one step below, such as "[]", "(Cat)" or a property's name. */
  below(step: string): Place {
    const dot = this.path === "" || /^[[(]/.test(step) ? "" : ".";
    return new Place(this.subject, this.side, this.part, `${this.path}${dot}${step}`);
  }

  finding(level: Level, message: string, mark?: "review"): Finding {
    return { level, place: this, message, review: mark === "review" };
  }

  /** Reports a change of whether something is there, and whether it has to be. `uses`: the sides that see the change. */
  *presence(name: string, before: Presence, after: Presence, uses: Iterable<Side> = [this.side]): Iterable<Finding> {
    const isRequest = this.side === "request";
    if (before === after) return;
    if (after === undefined) yield this.finding("major", `${name} removed from ${partPlaceholder}`);
    else if (before === undefined) {
      const words = after === "there" ? "" : `, ${after}`;
      const level = isRequest && after === "required" ? "major" : "minor";
      yield this.finding(level, `${name} added to ${partPlaceholder}${words}`);
    } else {
      // Callers must send what became required; readers must do without what became optional.
      const breaks = (side: Side) => side === "export" || (side === "request") === (after === "required");
      const isBroken = [...uses].some(breaks);
      yield this.finding(isBroken ? "major" : "minor", `${name} became ${after} in ${partPlaceholder}`);
    }
  }

  /** The differences of two objects under the keys that no rule covers: texts are patches, anything else is to be reviewed. */
  *rest(before: Json, after: Json, covered: string[] = []): Iterable<Finding> {
    for (const [key, was, is] of zipByKey(entries(before), entries(after))) {
      if (covered.includes(key) || isDeepStrictEqual(was, is)) continue;
      const verb = was === undefined ? "added" : is === undefined ? "removed" : "changed";
      yield this.finding("patch", `${quote(key)} ${verb}`, isDocumentation(key) ? undefined : "review");
    }
  }
}

/** Whether something is there, and has to be; "there" if nothing says so; undefined if it is not there. */
export type Presence = "required" | "optional" | "there" | undefined;

/** Takes the place of the part in a message. No text of a description can contain it: see {@link inert}. */
export const partPlaceholder = "\0";

/** A change of the contract, as a reviewer reads it. */
export interface Change {
  level: Level;
  location: string;
  message: string;
  review?: true;
}

/** A value of the description in a message: short, on one line, and inert in Markdown. */
export function quote(value: unknown): string {
  return `\`${inert(textOf(value))}\``;
}

function textOf(value: unknown): string {
  return typeof value === "string" ? value : (JSON.stringify(value) ?? "nothing");
}

/** Text of the description on one line. Nothing in it ends a code span of Markdown. */
export function inert(text: string): string {
  return printable(text).replaceAll("`", "'");
}

/** "`key: 1` added to", "`key: 1` removed from" or "`key` changed from `1` to `2` in" the part. */
export function changeOf(key: string, before: unknown, after: unknown, verb = "changed"): string {
  if (before === undefined) return `${quote(`${key}: ${textOf(after)}`)} added to ${partPlaceholder}`;
  if (after === undefined) return `${quote(`${key}: ${textOf(before)}`)} removed from ${partPlaceholder}`;
  return `${quote(key)} ${verb} from ${quote(before)} to ${quote(after)} in ${partPlaceholder}`;
}

/** Texts and examples, which reach docs and comments only; and definitions, which count by the references to them. */
const documentation =
  /^(title|summary|description|examples?|tags|deprecated|externalDocs|contact|license|termsOfService|bearerFormat|\$comment|\$defs|definitions|x-.*)$/s;

export function isDocumentation(key: string): boolean {
  return documentation.test(key);
}

/** A property as a step of a path. */
export function member(name: string): string {
  return /^[\w$-]+$/.test(name) ? name : JSON.stringify(name);
}

/** Each key of two maps, or of the entries of two objects, with its value in both. */
export function zipByKey<Item>(
  before: Iterable<[string, Item]>,
  after: Iterable<[string, Item]>,
): [key: string, before: Item | undefined, after: Item | undefined][] {
  const maps = [new Map(before), new Map(after)] as const;
  return [...new Set([...maps[0].keys(), ...maps[1].keys()])].map((key) => [key, maps[0].get(key), maps[1].get(key)]);
}

/**
 * The results of a function for both of two values. In this folder, `before` and `after` are the two sides of a change, `was` and
 * `is` the same part of each side, and `from` and `to` their text.
 */
export function mapBoth<From, To>(before: From, after: From, make: (one: From) => To): [before: To, after: To] {
  return [make(before), make(after)];
}

/** Pairs the items of two lists by the first of some rules that they fit, and returns the rest of each list. */
export function paired<Item>(
  before: Item[],
  after: Item[],
  rules: ((before: Item, after: Item) => boolean)[],
): { pairs: Map<Item, Item>; removed: Set<Item>; added: Set<Item> } {
  const [removed, added, pairs] = [new Set(before), new Set(after), new Map<Item, Item>()];
  for (const fits of rules)
    for (const was of removed) {
      const is = [...added].find((candidate) => fits(was, candidate));
      if (is === undefined) continue;
      pairs.set(was, is);
      removed.delete(was);
      added.delete(is);
    }
  return { pairs, removed, added };
}

/** "a", "a and b", "a, b and c". */
export function enumerated(items: string[]): string {
  return new Intl.ListFormat("en-GB").format(items);
}

export const rank = { none: 0, patch: 1, minor: 2, major: 3 };

/** The highest of some levels. */
export function highest<L extends Level | "none">([first, ...others]: [L, ...L[]]): L {
  return others.reduce((top, level) => (rank[level] > rank[top] ? level : top), first);
}

/** Findings as changes, the gravest first: equal findings in several responses or operations are one change. */
export function changesOf(findings: Finding[]): Change[] {
  const words = ({ level, place, message, review }: Finding) => [level, review, message, place.path];
  const sameSubject = groupBy(findings, (finding) => [...words(finding), finding.place.subject]).map((group) => ({
    ...group[0],
    parts: [...new Set(group.map(({ place }) => place.part))],
  }));
  return groupBy(sameSubject, (finding) => [...words(finding), ...finding.parts])
    .map((group): Change => {
      const { level, place, message, review, parts } = group[0];
      const subjects = group.map((finding) => finding.place.subject);
      const rest = subjects.length > 3 ? [`${subjects.length - 3} more`] : [];
      const named = enumerated([...subjects.slice(0, 3), ...rest]);
      const part = partWords(parts);
      return {
        level,
        location: inert([named, part, place.path].filter((step) => step !== "").join(" ")),
        message: message.replaceAll(partPlaceholder, place.part === "" ? "the exported type" : `the ${part}`),
        ...(review && { review }),
      };
    })
    .sort((a, b) => rank[b.level] - rank[a.level]);
}

/** "request", "201 response", "401, 403 and 422 responses", "request and 201 response". */
function partWords(parts: string[]): string {
  const statuses = parts.flatMap((part) => /^(.*) response$/.exec(part)?.[1] ?? []);
  const others = parts.filter((part) => !part.endsWith(" response"));
  if (statuses.length > 0) others.push(`${enumerated(statuses)} ${statuses.length > 1 ? "responses" : "response"}`);
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
