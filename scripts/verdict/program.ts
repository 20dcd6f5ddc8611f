import type ts from "typescript";
import { UserError } from "../cli.js";
import { type OpenApi, isObject, object } from "../spec/json.js";
import { operationsOf } from "../spec/operations.js";
import { walk } from "../spec/walk.js";
import { problemsOf, programOf } from "../generate/type-check.js";
import { typedPaths } from "../generate/typed-paths.js";

/** The types that consumers of two specs have, in one program. */
export interface TypePair {
  checker: ts.TypeChecker;
  old: TypeAt;
  new: TypeAt;
}

/** The type at a path of properties below an exported type. */
export type TypeAt = (name: string, ...path: string[]) => ts.Type;

/** The TypeScript that consumers of a spec have. `name` stands in error messages. Throws {@link UserError}. */
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
    const [media] = Object.values(object(value["content"]));
    if (isObject(media)) value["schema"] = media["schema"] ?? {};
  });
  return copy;
}

/**
 * What openapi-fetch returns as `data` and as `error`: all bodies of the successes, and all others. `if (error)` passes over
 * an error without a body, but a success without one ends up in `data`: `null` stands for it.
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

/** Throws {@link UserError} on any compiler diagnostic: types that do not resolve are `any`, and `any` fits everything. */
export function typePair(oldTypes: string, newTypes: string): TypePair {
  const program = programOf(
    new Map([
      ["old.ts", oldTypes],
      ["new.ts", newTypes],
    ]),
  );
  const [problem] = problemsOf(program);
  if (problem !== undefined) {
    const where = `line ${problem.line} of what openapi-typescript makes of the ${problem.path.replace(".ts", "")} spec`;
    throw new UserError(`the types do not compile: ${problem.message} (${where})`);
  }
  const checker = program.getTypeChecker();
  return { checker, old: typeAt(program, checker, "/old.ts"), new: typeAt(program, checker, "/new.ts") };
}

/** A gap is a bug of ours: it must not pass for "no difference". */
function typeAt(program: ts.Program, checker: ts.TypeChecker, file: string): TypeAt {
  const source = program.getSourceFile(file);
  const module = source && checker.getSymbolAtLocation(source);
  const symbols = module === undefined ? [] : checker.getExportsOfModule(module);
  return (name, ...path) => {
    const symbol = symbols.find((candidate) => candidate.name === name);
    if (symbol === undefined) throw new Error(`openapi-typescript exported no ${name}`);
    return path.reduce((type, step) => {
      const property = checker.getPropertyOfType(type, step);
      if (property === undefined) throw new Error(`no ${path.join(" ")} in the generated types`);
      return checker.getTypeOfSymbol(property);
    }, checker.getDeclaredTypeOfSymbol(symbol));
  };
}
