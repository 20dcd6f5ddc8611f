import { isDeepStrictEqual } from "node:util";
import { combined, constraintChanges, constraintKeywords, levelOf, values } from "./constraints.js";
import { type Place, type Tell, MetPairs, both, changeOf, member, paired, quote, thePart } from "./findings.js";
import { enumKeys } from "../generate/constants.js";
import { type Json, type OpenApi, isObject } from "../spec/json.js";
import { tellText } from "./texts.js";
import { areApart, arrays, bare, conjunction, nameOf, propertiesOf, shape, tuple, unions } from "./nodes.js";
import type { Conjunction } from "./nodes.js";

/** Keywords that are walked, that have a rule of their own, or that TypeScript judges. */
const covered = new Set([
  ...constraintKeywords,
  ..."$ref type nullable enum const properties required items prefixItems allOf anyOf oneOf discriminator".split(" "),
  ..."default readOnly writeOnly".split(" "),
]);

type Pair = [before: unknown[], after: unknown[]];

/** Walks pairs of schemas and tells what of their data differs. */
export class SchemaComparison {
  /** The schemas in `components` of which the old one was compared with the new one. */
  readonly compared = new Set<string>();
  readonly #old: OpenApi;
  readonly #new: OpenApi;
  readonly #tell: Tell;
  readonly #met = new MetPairs();
  /** How many more pairs may be walked to see which alternatives fit best, so that it ends soon. */
  readonly #trials: { left: number };
  readonly #isTrial: boolean;

  constructor(oldSpec: OpenApi, newSpec: OpenApi, tell: Tell, trials?: { left: number }) {
    this.#old = oldSpec;
    this.#new = newSpec;
    this.#tell = tell;
    this.#isTrial = trials !== undefined;
    this.#trials = trials ?? { left: 20_000 };
  }

  /** A part of its own: what other parts met is told again. */
  part(place: Place, before: unknown, after: unknown): void {
    this.#met.startPart();
    this.#schemas(place, [before], [after]);
  }

  /** `isVariant`: one alternative of several, on which the types have the say. */
  #schemas(place: Place, before: unknown[], after: unknown[], isVariant = false): void {
    if (this.#isTrial && this.#trials.left-- <= 0) return;
    const was = conjunction(this.#old, before);
    const is = conjunction(this.#new, after);
    for (const name of was.names) if (is.names.includes(name)) this.compared.add(name);
    if (this.#met.meets(place.side, was.nodes, is.nodes)) return;
    if (this.#isTrial && areApart(was.nodes, is.nodes)) this.#tell("major", place, "", { unless: "part" });

    const isWrapped = (was.alternatives.length === 0) !== (is.alternatives.length === 0);
    if (!isWrapped) this.#nodes(place, was.nodes, is.nodes);
    if (!isWrapped && (!isVariant || this.#isTrial)) this.#required(place, was.nodes, is.nodes);
    if (!isVariant) this.#reworded(place, was, is);
    const whole = ({ nodes, alternatives }: Conjunction): unknown[][] => {
      if (!isWrapped) return alternatives.map((one) => [one]);
      // What stands beside alternatives holds for each of them.
      return alternatives.length === 0 ? [nodes] : alternatives.map((one) => [...nodes.map(bare), one]);
    };
    this.#alternatives(place, whole(was), whole(is), isWrapped);
  }

  /** What the types cannot tell of the same values in other words, or of alternatives that exclude each other. */
  #reworded(place: Place, was: Conjunction, is: Conjunction): void {
    if (shape(was) === shape(is)) return;
    const isOther = unions(was) !== unions(is);
    const isPartial = (one: unknown) => isObject(one) && !["$ref", "type", "properties"].some((key) => key in one);
    const hasPartial = [...was.alternatives, ...is.alternatives].some(isPartial);
    const isOpen = keywords(was) !== keywords(is) || (isOther && hasPartial);
    this.#tell("patch", place, `put in other words in ${thePart}, with the same types`, {
      unless: "part",
      ...(isOther && { review: true }),
      ...(isOpen && {
        otherwise: `other alternatives in ${thePart}: types do not tell which of them exclude each other`,
      }),
    });
  }

  /** Everything that two schemas say themselves, and what lies below. */
  #nodes(place: Place, was: Json[], is: Json[]): void {
    for (const { keyword, effect, was: old, is: now } of constraintChanges(was, is)) {
      // A reader meets properties that a closed object now allows as additions, not as surprises.
      const opened = keyword === "additionalProperties" && effect === "loosened";
      const level = opened ? "minor" : levelOf(place.side, effect);
      this.#tell(level, place, changeOf(keyword, old, now, effect), { unless: "type" });
    }
    this.#enums(place, was, is);
    this.#behaviour(place, was, is);
    for (const key of new Set([...was, ...is].flatMap((node) => Object.keys(node))))
      if (!covered.has(key)) tellText(this.#tell, place, key, combined(was, key), combined(is, key));

    const below = (path: string, old: unknown[], now: unknown[]): void => {
      if (old.length > 0 && now.length > 0) this.#schemas({ ...place, path }, old, now);
    };
    const properties = propertiesOf(was);
    for (const [name, nodes] of propertiesOf(is)) {
      const old = properties.get(name) ?? [];
      below(member(place.path, name), old, nodes);
      const isReadOnly = (spec: OpenApi, all: unknown[]) =>
        values(conjunction(spec, all).nodes, "readOnly").includes(true);
      const isSent = place.side === "request" && arrays(is, "required").includes(name);
      if (isSent && isReadOnly(this.#old, old) && !isReadOnly(this.#new, nodes))
        this.#tell("major", { ...place, path: member(place.path, name) }, `has to be sent from now on in ${thePart}`);
    }
    const lists = (nodes: Json[]): unknown[] => values(nodes, "items").filter((items) => !Array.isArray(items));
    below(`${place.path}[]`, lists(was), lists(is));
    const newTuple = tuple(is);
    tuple(was).forEach((old, index) => below(`${place.path}[${index}]`, [old], newTuple.slice(index, index + 1)));
    const maps = (nodes: Json[]): unknown[] => values(nodes, "additionalProperties").filter(isObject);
    below(place.path === "" ? "*" : `${place.path}.*`, maps(was), maps(is));
  }

  /**
   * Pairs alternatives by name, then equal ones, then each with the one that it fits best: each old one of a request must
   * still find one, each new one of an answer must have had one. A plain schema is the only alternative on its side, and
   * goes with each on the other (`isWrapped`).
   */
  #alternatives(place: Place, was: unknown[][], is: unknown[][], isWrapped: boolean): void {
    const compare = (old: unknown[], now: unknown[]): void => {
      const [all, one] = isWrapped && was.length === 1 ? [is, now] : [was, old];
      const step = nameOf(one.at(-1)) ?? all.indexOf(one) + 1;
      this.#schemas({ ...place, path: `${place.path}(${step})` }, old, now, isWrapped);
    };
    const isNamedAlike = ([old]: unknown[], [now]: unknown[]) =>
      nameOf(old) !== undefined && nameOf(old) === nameOf(now);
    const { pairs, olds, news } = paired(was, is, isWrapped ? [] : [isNamedAlike, isDeepStrictEqual]);
    for (const [old, now] of pairs) compare(old, now);
    const isAnswer = place.side === "answer";
    const [left, others, all] = isAnswer ? [news, olds, was] : [olds, news, is];
    const isAlike = ([old, now]: Pair) => shape(conjunction(this.#old, old)) === shape(conjunction(this.#new, now));
    for (const one of left) {
      const pairsWith = (some: Iterable<unknown[]>) =>
        [...some].map((other): Pair => (isAnswer ? [other, one] : [one, other]));
      const free = pairsWith(isWrapped ? all : others);
      const pair = this.#best(place, free.length > 0 ? free : pairsWith(all).filter(isAlike));
      if (pair === undefined) continue;
      others.delete(isAnswer ? pair[0] : pair[1]);
      compare(...pair);
    }
  }

  /** The pair of which the fewest grave changes are to be told. */
  #best(place: Place, pairs: Pair[]): Pair | undefined {
    const costs = pairs.map((pair) => {
      let cost = 0;
      if (pairs.length > 1 && !this.#isTrial)
        new SchemaComparison(
          this.#old,
          this.#new,
          (level, _, _message, more) => {
            // What does not fit at all is no match, however little else there is to tell.
            cost += { patch: 0, minor: 1, major: more?.unless === "part" ? 1e6 : 1e3 }[level];
          },
          this.#trials,
        ).#schemas(place, ...pair);
      return cost;
    });
    return pairs[costs.indexOf(Math.min(...costs))];
  }

  /** What `required` says of properties that the types do not show, such as in a part of an `allOf` by itself. */
  #required(place: Place, was: Json[], is: Json[]): void {
    const required = (nodes: Json[]) => arrays(nodes, "required").map((name): [string, true] => [String(name), true]);
    for (const [name, wasRequired, isRequired] of both(required(was), required(is))) {
      if (wasRequired === isRequired) continue;
      const side = place.side === "request" ? "request" : "answer";
      const level = levelOf(side, isRequired ? "tightened" : "loosened");
      const words = `is ${isRequired ? "now" : "no longer"} required in ${thePart}`;
      this.#tell(level, { ...place, path: member(place.path, name) }, words, { unless: "part" });
    }
  }

  #enums(place: Place, was: Json[], is: Json[]): void {
    const [[old], [now]] = [values(was, "enum"), values(is, "enum")];
    if (!Array.isArray(old) || !Array.isArray(now)) return;
    const [oldKeys, newKeys] = [enumKeys(old), enumKeys(now)];
    old.forEach((value, index) => {
      const [oldKey, newKey] = [oldKeys[index], newKeys[now.indexOf(value)]];
      if (now.includes(value) && oldKey !== newKey)
        this.#tell("major", place, `the constant for ${quote(value)} is called ${quote(newKey)}, not ${quote(oldKey)}`);
    });
  }

  /** Keywords that say what happens, not which values are right. */
  #behaviour(place: Place, was: Json[], is: Json[]): void {
    for (const [keyword, harmless] of [
      ["readOnly", "answer"],
      ["writeOnly", "request"],
    ] as const) {
      const [old, now] = [was, is].map((nodes) => values(nodes, keyword).includes(true));
      const words = `${now ? "became" : "no longer"} ${quote(keyword)} in ${thePart}`;
      if (old !== now) this.#tell(now && place.side !== harmless ? "major" : "minor", place, words);
    }
    const [old, now] = [combined(was, "default"), combined(is, "default")];
    if (isDeepStrictEqual(old, now)) return;
    const words = changeOf("default", old, now);
    // Callers who leave the property out now ask for something else.
    if (place.side === "request") this.#tell(old === undefined ? "minor" : "major", place, words, { review: true });
    else this.#tell("patch", place, words);
  }
}

/** Whether a schema names alternatives, and by which keywords. */
function keywords({ nodes, alternatives }: Conjunction): string {
  return ["oneOf", "anyOf"].filter((key) => alternatives.length > 0 && values(nodes, key).length > 0).join();
}
