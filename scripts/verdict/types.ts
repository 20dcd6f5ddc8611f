import type compiler from "typescript";
import { UserError } from "../cli.js";
import { problemsOf, programOf } from "../generate/type-check.js";
import { hasOneWayProperties, typedPaths } from "../generate/typed-paths.js";
import { ts } from "../generate/typescript.js";
import type { OpenApi } from "../spec/json.js";
import type { Operation } from "../spec/operations.js";
import { type OperationPairs, success } from "./description.js";
import { type Finding, type Side, Place, mapBoth, partPlaceholder, quote, rank } from "./findings.js";

/**
 * The TypeScript that consumers of a spec have, with the type `sent` for the paths as requests have them. `name` is for error
 * messages. Throws {@link UserError}.
 */
export async function typesOf(spec: OpenApi, name: string): Promise<string> {
  try {
    const received = await typedPaths(spec, { isMarked: false, leftOut: "writeOnly" });
    if (!hasOneWayProperties(spec)) return `${received}export type sent = paths;`;
    const sent = await typedPaths(spec, { isMarked: false, leftOut: "readOnly" });
    return `${received}namespace asSent {\n${sent}}\nexport type sent = asSent.paths;`;
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw new UserError(`no types can be generated from ${name}: ${reason}`);
  }
}

/**
 * The types of the requests that callers send, and of the `data` and `error` that openapi-fetch returns: the bodies of the
 * successes, and all others. `if (error)` is false for an error without a body, but a success without one ends up in `data`,
 * here as `null`. `Shared` pairs the parts that both specs have.
 */
const helpers = `import type * as before from "./before.js";
import type * as after from "./after.js";
type At<T, K> = [T] extends [never] ? {} : K extends keyof T ? NonNullable<T[K]> : {};
type request<O> = At<O, "parameters"> & At<At<O, "requestBody">, "content">;
type Success = 200 | 201 | 202 | 203 | 204 | 206 | 207 | "2XX";
type Bodies<R, S, None> = { [K in keyof R & S]: R[K] extends { content: infer C } ? C[keyof C] : None }[keyof R & S];
type Returned<R> = { data: Bodies<R, Success, null>; error: Bodies<R, Exclude<keyof R, Success>, never> };
type response<O> = Returned<At<O, "responses">>;
type Shared<A, B> = { [K in keyof A & keyof B]: [A[K], B[K]] };
`;

/**
 * Asks TypeScript's checker whether all that compiled still compiles and whether every response was foreseen: for the parts of
 * each request, for `data` and `error` of each call, and for exported schemas. Returns a finding for each of them, unless one
 * of those `found` in it is as grave. Throws {@link UserError}.
 */
export function compareTypes(
  textBefore: string,
  textAfter: string,
  operations: OperationPairs,
  exported: string[],
  found: Finding[],
): Finding[] {
  const pairs = [...operations].flatMap(([before, after]) =>
    (["request", "response"] as const).map((side) => {
      const paths = side === "request" ? "sent" : "paths";
      const [was, is] = [`${side}<before.${paths}${stepsTo(before)}>`, `${side}<after.${paths}${stepsTo(after)}>`];
      return pairText([before.name, side], `Shared<${was}, ${is}>`);
    }),
  );
  for (const name of exported) {
    const type = `components["schemas"][${JSON.stringify(name)}]`;
    pairs.push(pairText([name, "export"], `{ "": [before.${type}, after.${type}] }`));
  }
  const text = `${helpers}export interface pairs {\n${pairs.join("\n")}\n}`;
  const { checker, pairs: shared } = checked({ "before.ts": textBefore, "after.ts": textAfter, "compared.ts": text });

  const keyOf = ({ subject, side, part }: Place): string => JSON.stringify([subject, side, returnedAs(part)]);
  const ranks = new Map<string, number>();
  for (const { place, level } of found) ranks.set(keyOf(place), Math.max(rank[level], ranks.get(keyOf(place)) ?? 0));
  const compare = (place: Place, before: compiler.Type, after: compiler.Type): Finding[] => {
    // No code uses a part that is not there, or is only `null`.
    if ([before, after].some((type) => (checker.getNonNullableType(type).flags & ts.TypeFlags.Never) !== 0)) return [];
    const [isKept, isForeseen] = [checker.isTypeAssignableTo(before, after), checker.isTypeAssignableTo(after, before)];
    const level = { request: isKept, response: isForeseen, export: false }[place.side] ? "minor" : "major";
    // The other findings of an exported type are about the type as a whole.
    const needed = rank[place.side === "export" ? "minor" : level];
    if ((isKept && isForeseen) || (ranks.get(keyOf(place)) ?? 0) >= needed) return [];
    const flags = ts.TypeFormatFlags.UseAliasDefinedOutsideCurrentScope | ts.TypeFormatFlags.InTypeAlias;
    const [from, to] = mapBoth(before, after, (type) => quote(checker.typeToString(type, undefined, flags)));
    const why = place.side === "response" && level === "major" ? ", which existing code does not handle" : "";
    return [place.finding(level, `type changed from ${from} to ${to} in ${partPlaceholder}${why}`)];
  };
  return shared.flatMap((pair) => {
    const [subject, side] = JSON.parse(pair.name) as [string, Side];
    return checker.getPropertiesOfType(checker.getTypeOfSymbol(pair)).flatMap((part) => {
      const [before, after] = checker.getTypeArguments(checker.getTypeOfSymbol(part) as compiler.TypeReference);
      const place = new Place(subject, side, side === "request" ? side : part.name);
      return before && after ? compare(place, before, after) : [];
    });
  });
}

function stepsTo({ path, method }: Operation): string {
  return `[${JSON.stringify(path)}][${JSON.stringify(method)}]`;
}

function pairText(place: [subject: string, side: Side], type: string): string {
  return `  ${JSON.stringify(JSON.stringify(place))}: ${type};`;
}

/** How openapi-fetch returns a part: "200 response" as "data". Other parts stay as they are. */
function returnedAs(part: string): string {
  const [, status] = /^(\S+) response$/.exec(part) ?? [];
  return status === undefined ? part : success.test(status) ? "data" : "error";
}

/** Throws {@link UserError} on any compiler diagnostic: types that do not resolve are `any`, and `any` fits everything. */
function checked(files: Record<string, string>): { checker: compiler.TypeChecker; pairs: compiler.Symbol[] } {
  const program = programOf(new Map(Object.entries(files)));
  const [problem] = problemsOf(program);
  if (problem !== undefined) {
    const where = `line ${problem.line} of the types of the ${problem.path === "before.ts" ? "old" : "new"} spec`;
    throw new UserError(`the types do not compile: ${problem.message} (${where})`);
  }
  const refuseAny = (node: compiler.Node): void => {
    if (node.kind === ts.SyntaxKind.AnyKeyword)
      throw new UserError("the types cannot be compared: one of them is any, which fits everything");
    ts.forEachChild(node, refuseAny);
  };
  const [pairs, ...others] = ["/compared.ts", "/before.ts", "/after.ts"].map((file) => program.getSourceFile(file));
  for (const source of others) if (source) refuseAny(source);
  const checker = program.getTypeChecker();
  const declared = pairs?.statements.filter(ts.isInterfaceDeclaration) ?? [];
  return { checker, pairs: declared.flatMap((one) => checker.getPropertiesOfType(checker.getTypeAtLocation(one))) };
}
