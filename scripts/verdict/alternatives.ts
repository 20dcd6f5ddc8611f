import { isDeepStrictEqual } from "node:util";
import { entries } from "../spec/json.js";
import { Conjunction, bare, shownType } from "./conjunction.js";
import { isDocumentation, mapBoth, paired, zipByKey } from "./findings.js";
import { constraintChanges, keywordTypes } from "./keywords.js";

/** The alternatives of a schema; if `isWhole`, each with the keywords next to them, and the schema itself if it has none. */
export function alternativesOf(schema: Conjunction, isWhole: boolean): Conjunction[] {
  if (isWhole && schema.members.length === 0) return typesApart(schema);
  return schema.members.map((one) => new Conjunction(isWhole ? [...schema.nodes.map(bare), one] : [one]));
}

/** One schema for each of its types, null last, without the keywords about other types; only itself if it has one or none. */
function typesApart(schema: Conjunction): Conjunction[] {
  const types = [...(schema.types ?? [])].sort((a, b) => Number(a === "null") - Number(b === "null"));
  if (types.length < 2) return [schema];
  return types.map((type) => {
    if (type === "null") return new Conjunction([{ type }]);
    const shown = shownType(type);
    const isAbout = ([keyword]: [string, unknown]) => (keywordTypes.get(keyword) ?? shown) === shown;
    const nodes = schema.nodes.map((node) => {
      const { nullable: _, ...rest } = bare(node);
      return { ...Object.fromEntries(entries(rest).filter(isAbout)), type };
    });
    return new Conjunction(nodes);
  });
}

/** Whether no value fits two alternatives. */
export function areClear(schema: Conjunction): boolean {
  const all = alternativesOf(schema, false);
  return all.every((one, index) => all.slice(index + 1).every((other) => one.isApart(other)));
}

/** Whether another alternative allows all that one does, so that this one does not count. Of two equal ones, the first counts. */
export function isCovered(
  one: Conjunction,
  all: Conjunction[],
  allows = (other: Conjunction, covered: Conjunction) => other.isPlain(covered),
): boolean {
  return all.some(
    (other, index) => other !== one && allows(other, one) && (index < all.indexOf(one) || !allows(one, other)),
  );
}

/** Whether types do not show the second of two alternatives, because the first one has any text or number. */
export function absorbs(other: Conjunction, { types }: Conjunction): boolean {
  const isAny = other.listed === undefined && other.types?.every(isScalar) === true;
  return isAny && types?.every((type) => other.types?.includes(type)) === true;
}

function isScalar(type: string): boolean {
  return type !== "array" && type !== "object";
}

/**
 * Pairs alternatives by name, then equal ones, then each with the one that fits best. In a request, each old one needs a new
 * one; in a response, each new one needs an old one, even if that is already paired.
 */
export function pairAlternatives(before: Conjunction[], after: Conjunction[], isRequest: boolean) {
  const { pairs, removed, added } = paired(before, after, [
    (was, is) => was.name !== undefined && was.name === is.name,
    (was, is) => isDeepStrictEqual(was.schemas, is.schemas),
  ]);
  const all = [...pairs];
  const [left, free, own, others] = isRequest ? [removed, added, before, after] : [added, removed, after, before];
  for (const one of left) {
    const pairWith = (other: Conjunction): [Conjunction, Conjunction] => (isRequest ? [one, other] : [other, one]);
    const breaks = ({ cost }: { cost: number }): boolean => cost >= breaking;
    const [best] = others
      .map((other) => ({ other, isTaken: !free.has(other), cost: costOf(...pairWith(other), isRequest) }))
      .filter(({ isTaken, cost }) => cost < (isTaken ? breaking : Infinity))
      .sort(
        (a, b) => Number(breaks(a)) - Number(breaks(b)) || Number(a.isTaken) - Number(b.isTaken) || a.cost - b.cost,
      );
    if (best === undefined || isCovered(one, own)) continue;
    left.delete(one);
    free.delete(best.other);
    all.push(pairWith(best.other));
  }
  return { pairs: all, removed, added };
}

const breaking = 1_000;

/** How much a change of one alternative into another would break, by their own keywords and their properties'. */
function costOf(before: Conjunction, after: Conjunction, isRequest: boolean): number {
  const [own, others] = mapBoth(before, after, (schema) => schema.named("properties"));
  const isUnlike = own.size > 0 && others.size > 0 && ![...own.keys()].some((name) => others.has(name));
  if (isUnlike || before.isApart(after)) return Infinity;
  const parts = zipByKey(own, others).map(([, was = [], is = []]) => mapBoth(was, is, (all) => new Conjunction(all)));
  const changes = [[before, after] as const, ...parts].flatMap((pair) => constraintChanges(...pair));
  const harmless = isRequest ? "loosened" : "tightened";
  return changes.reduce((sum, { effect }) => sum + (effect === harmless ? 1 : breaking), 0);
}

/** Alternatives that only name types, or that all list values, as one schema. */
export function folded(schema: Conjunction): Conjunction {
  const all = schema.members.map((one) => new Conjunction([one]));
  const keys = all.map(({ nodes }) => nodes.flatMap(Object.keys).filter((key) => !isDocumentation(key)));
  const lists = all.map((_, index) => keys[index]?.some((key) => key === "enum" || key === "const"));
  const isPlain = keys.flat().every((key) => ["type", "enum", "const"].includes(key));
  if (!isPlain || !all.every(({ types }) => types?.every(isScalar)) || new Set(lists).size !== 1) return schema;
  const values = all.flatMap(({ listed = [] }) => listed.map((json) => JSON.parse(json)));
  const type = all.flatMap(({ types }) => types);
  return new Conjunction([...schema.nodes.map(bare), { type, ...(lists[0] && { enum: values }) }]);
}
