import ts from "typescript";
import { UserError } from "../cli.js";
import { problemsOf, programOf } from "../generate/type-check.js";
import { typedPaths } from "../generate/typed-paths.js";
import { type OpenApi, isObject, asObject } from "../spec/json.js";
import { operationsOf } from "../spec/operations.js";
import { walk } from "../spec/walk.js";
import { type OperationPairs, success } from "./description.js";
import { type Finding, Place, each, partPlaceholder, quote, rank } from "./findings.js";

/** The TypeScript that consumers of a spec have. `name` is for error messages. Throws {@link UserError}. */
export async function typesOf(spec: OpenApi, name: string): Promise<string> {
  try {
    return `${await typedPaths(withContentSchemas(spec), { isMarked: false })}\n${calls(spec)}`;
  } catch (error) {
    throw new UserError(`${name} gives no types: ${error instanceof Error ? error.message : String(error)}`);
  }
}

/** openapi-typescript calls a parameter that is described by `content` a string: here it gets its schema's type. */
function withContentSchemas(spec: OpenApi): OpenApi {
  const copy = structuredClone(spec);
  walk(copy, ({ value, kind }) => {
    if (kind !== "parameter" || !isObject(value) || "schema" in value) return;
    const [media] = Object.values(asObject(value["content"]));
    if (isObject(media)) value["schema"] = media["schema"] ?? {};
  });
  return copy;
}

/**
 * The types of `data` and `error` that openapi-fetch returns: all bodies of the successes, and all others. `if (error)` passes over
 * an error without a body, but a success without one ends up in `data`, here as `null`.
 */
function calls(spec: OpenApi): string {
  const lines = operationsOf(spec)
    .filter(({ fields }) => isObject(fields["responses"]))
    .map(({ path, method, route }) => {
      const responses = `paths[${JSON.stringify(path)}]["${method}"]["responses"]`;
      const type = `{ data: Bodies<${responses}, Success, null>; error: Bodies<${responses}, Exclude<keyof ${responses}, Success>, never> }`;
      return `  ${JSON.stringify(route)}: ${type};`;
    });
  return `type Success = 200 | 201 | 202 | 203 | 204 | 206 | 207 | "2XX";
type Bodies<R, S, None> = { [K in keyof R & S]: R[K] extends { content: infer C } ? C[keyof C] : None }[keyof R & S];
export interface calls {\n${lines.join("\n")}\n}`;
}

/**
 * Asks TypeScript's checker whether all that compiled still compiles and whether every response was foreseen: for the parts of
 * each request, for `data` and `error` of each call, and for exported schemas. Gives a finding for each of them of which none
 * of those `found` is as grave as its response. Throws {@link UserError}.
 */
export function compareTypes(
  textBefore: string,
  textAfter: string,
  operations: OperationPairs,
  exported: string[],
  found: Finding[],
): Finding[] {
  const { checker, before, after } = typePair(textBefore, textAfter);
  const findings: Finding[] = [];
  const keyOf = ({ subject, side, part }: Place): string => JSON.stringify([subject, side, returnedAs(part)]);
  const ranks = new Map<string, number>();
  for (const { place, level } of found) ranks.set(keyOf(place), Math.max(rank[level], ranks.get(keyOf(place)) ?? 0));
  const below = (type: ts.Type, name: string): ts.Type => {
    const property = checker.getPropertyOfType(checker.getNonNullableType(type), name);
    return property ? checker.getTypeOfSymbol(property) : checker.getNeverType();
  };
  const check = (place: Place, ...[one, other]: [ts.Type, ts.Type]): void => {
    // No code uses a part that is not there, or is nothing but `null`.
    if ([one, other].some((type) => (checker.getNonNullableType(type).flags & ts.TypeFlags.Never) !== 0)) return;
    const [isKept, isForeseen] = [checker.isTypeAssignableTo(one, other), checker.isTypeAssignableTo(other, one)];
    const level = { request: isKept, response: isForeseen, export: false }[place.side] ? "minor" : "major";
    // Everything else that was found of an exported type was judged as a whole.
    const needed = rank[place.side === "export" ? "minor" : level];
    if ((isKept && isForeseen) || (ranks.get(keyOf(place)) ?? 0) >= needed) return;
    const flags = ts.TypeFormatFlags.UseAliasDefinedOutsideCurrentScope | ts.TypeFormatFlags.InTypeAlias;
    const [from, to] = each(one, other, (type) => quote(checker.typeToString(type, undefined, flags)));
    const why = place.side === "response" && level === "major" ? ", which existing code does not handle" : "";
    findings.push(place.finding(level, `type changed from ${from} to ${to} in ${partPlaceholder}${why}`));
  };

  for (const [one, other] of operations) {
    const [was, is] = [before("paths", one.path, one.method), after("paths", other.path, other.method)];
    const request = new Place(one.name, "request", "request");
    const parameters = each(was, is, (type) => below(type, "parameters"));
    for (const kind of ["path", "query", "header", "cookie"])
      check(request, ...each(...parameters, (type) => below(type, kind)));
    const contents = each(was, is, (type) => below(below(type, "requestBody"), "content"));
    for (const { name } of checker.getPropertiesOfType(contents[0]))
      check(request, ...each(...contents, (type) => below(type, name)));
    if (![one, other].every(({ fields }) => isObject(fields["responses"]))) continue;
    for (const part of ["data", "error"])
      check(new Place(one.name, "response", part), before("calls", one.route, part), after("calls", other.route, part));
  }
  for (const subject of exported) {
    check(
      new Place(subject, "export"),
      before("components", "schemas", subject),
      after("components", "schemas", subject),
    );
  }
  return findings;
}

/** How openapi-fetch returns a part: "200 response" as "data". Other parts are their own. */
function returnedAs(part: string): string {
  const [, status] = /^(\S+) response$/.exec(part) ?? [];
  return status === undefined ? part : success.test(status) ? "data" : "error";
}

/** The type that a module exports under a name, or what is below it. A gap is a bug of ours: it throws. */
type TypeAt = (name: string, ...path: string[]) => ts.Type;

/** Throws {@link UserError} on any compiler diagnostic: types that do not resolve are `any`, and `any` fits everything. */
function typePair(textBefore: string, textAfter: string): { checker: ts.TypeChecker; before: TypeAt; after: TypeAt } {
  const files = new Map(Object.entries({ "old.ts": textBefore, "new.ts": textAfter }));
  const program = programOf(files);
  const [problem] = problemsOf(program);
  if (problem !== undefined) {
    const where = `line ${problem.line} of the types of the ${problem.path.replace(".ts", "")} spec`;
    throw new UserError(`the types do not compile: ${problem.message} (${where})`);
  }
  const checker = program.getTypeChecker();
  const [before, after] = each("/old.ts", "/new.ts", (file) => typeAt(checker, program.getSourceFile(file)));
  return { checker, before, after };
}

function typeAt(checker: ts.TypeChecker, source: ts.SourceFile | undefined): TypeAt {
  const refuseAny = (node: ts.Node): void => {
    if (node.kind === ts.SyntaxKind.AnyKeyword)
      throw new UserError("the types cannot be compared: one of them is any, which fits everything");
    ts.forEachChild(node, refuseAny);
  };
  if (source) refuseAny(source);
  const module = source && checker.getSymbolAtLocation(source);
  return (name, ...path) => {
    const symbol = module && checker.getExportsOfModule(module).find((candidate) => candidate.name === name);
    if (symbol === undefined) throw new Error(`openapi-typescript exported no ${name}`);
    return path.reduce((type, step) => {
      const property = checker.getPropertyOfType(type, step);
      if (property === undefined) throw new Error(`no ${path.join(" ")} in the generated types`);
      return checker.getTypeOfSymbol(property);
    }, checker.getDeclaredTypeOfSymbol(symbol));
  };
}
