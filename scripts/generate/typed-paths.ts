import type compiler from "typescript";
import { UserError } from "../command.js";
import type { OpenApi } from "../spec/json.js";
import { openapiTypescript, ts } from "./typescript.js";

/** What openapi-typescript makes of a spec. */
export interface TypedPaths {
  text: string;
  /**
   * The type at a place, such as `#/components/schemas/Pet/name`, on one line; undefined where there is none. It is whole
   * where it makes sense by itself, with nothing but `components` imported.
   */
  typeAt(place: string): { type: string; isWhole: boolean; usesComponents: boolean } | undefined;
}

/** @throws {UserError} for what openapi-typescript cannot read */
export async function typedPaths(spec: OpenApi): Promise<TypedPaths> {
  const types = new Map<string, compiler.TypeNode>();
  let ast: compiler.Node[];
  try {
    ast = await openapiTypescript.default(JSON.stringify(spec), {
      // A property with a default may still be left out of a request.
      defaultNonNullable: false,
      silent: true,
      // Called from the inside out, so that the last word at a place is its whole type.
      postTransform(type, { path }) {
        if (path !== undefined) types.set(path, type);
        return undefined;
      },
    });
  } catch (error) {
    // It follows each reference within the one that led to it.
    if (error instanceof RangeError) throw new UserError("the spec's references lead through too many others");
    const [reason = ""] = String(error instanceof Error ? error.message : error).split("\n");
    throw new UserError(`openapi-typescript failed: ${reason.slice(0, 300)}`);
  }
  const printer = ts.createPrinter({ removeComments: true });
  const file = ts.createSourceFile("paths.ts", "", ts.ScriptTarget.ESNext);
  return {
    text: openapiTypescript.astToString(ast),
    typeAt(place) {
      const node = types.get(place);
      if (!node) return undefined;
      const names = namesIn(node);
      return {
        type: printer.printNode(ts.EmitHint.Unspecified, node, file).replace(/\s*\n\s*/g, " "),
        isWhole: [...names].every((name) => ["components", "Record", "Omit"].includes(name)),
        usesComponents: names.has("components"),
      };
    },
  };
}

/** The names of other types that a type mentions. */
function namesIn(type: compiler.TypeNode): Set<string> {
  const names = new Set<string>();
  const visit = (node: compiler.Node): void => {
    if (ts.isTypeReferenceNode(node)) names.add(ts.isIdentifier(node.typeName) ? node.typeName.text : "");
    ts.forEachChild(node, visit);
  };
  visit(type);
  return names;
}
