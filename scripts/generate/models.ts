import type compiler from "typescript";
import { UserError } from "../cli.js";
import { type Json, type OpenApi, asObject, schemasOf } from "../spec/json.js";
import { constraintsText, enumOf, enumText, fieldEnumsOf } from "./constants.js";
import type { ModelNames } from "./docs.js";
import { literal, prose } from "./text.js";
import { problemsIn } from "./type-check.js";
import { ts } from "./typescript.js";

/** The model of a schema, as TypeScript. */
export interface Model {
  name: string;
  text: string;
  /** Whether its type is as openapi-typescript writes it, since openapi-generator's is another one. */
  isReplaced: boolean;
}

/**
 * Keeps those of openapi-generator's models whose type is exactly openapi-typescript's. Any other gets openapi-typescript's
 * type. The constants of enums are the description's own.
 *
 * @param generated openapi-generator's module
 * @param paths openapi-typescript's module, without markers of read-only and write-only properties
 * @param names the name of each schema's model
 * @throws {UserError} if openapi-generator made no model for a schema: it ends with status 0 whatever it leaves out
 */
export function chooseModels(spec: OpenApi, generated: string, paths: string, names: ModelNames): Model[] {
  const schemas = schemasOf(spec);
  const declarations = declarationsIn(generated);
  const candidates = [...names].map(([schemaName, name]): Candidate => {
    const schema = asObject(schemas[schemaName]);
    const values = enumOf(schema);
    const declaration = declarations.get(name);
    if (declaration === undefined)
      throw new UserError(
        `openapi-generator made no model for the schema "${schemaName}": change or remove it with an overlay action`,
      );
    const enums = fieldEnumsOf(schema).map((each) => enumText(name + each.name, each.values));
    return {
      name,
      schemaName,
      comment: comment(schema),
      declaration: comment(schema) + (values ? enumText(name, values) : declaration),
      constants: [...enums, constraintsText(name, schema)].join("\n"),
    };
  });
  candidates.sort((a, b) => (a.name < b.name ? -1 : 1));
  const wrong = differing(candidates, paths);
  const types = schemaTypesIn(paths);
  const toModels = (type: string): string =>
    type.replace(schemaRef, (_, other: string) => names.get(other) ?? "unknown");
  return candidates.map((candidate) => {
    const { name, schemaName, comment, declaration, constants } = candidate;
    if (!wrong.has(candidate)) return { name, text: `${declaration}\n${constants}`, isReplaced: false };
    const [constant = ""] = /^export const .*$/m.exec(declaration) ?? [];
    const type = `${comment}export type ${name} = ${toModels(types.get(schemaName) ?? "unknown")};`;
    return { name, text: `${type}\n${constant}\n${constants}`, isReplaced: true };
  });
}

interface Candidate {
  name: string;
  schemaName: string;
  comment: string;
  /** openapi-generator's declaration of the model, or our own of an enum. */
  declaration: string;
  /** The constants of its properties, as TypeScript. */
  constants: string;
}

/** The types that a module declares, without the comment before each, by their names. */
function declarationsIn(module: string): Map<string, string> {
  const source = ts.createSourceFile("models.ts", module, ts.ScriptTarget.Latest);
  const types = source.statements.filter((each) => ts.isInterfaceDeclaration(each) || ts.isTypeAliasDeclaration(each));
  const textOf = (type: compiler.Node): string =>
    type
      .getText(source)
      .replace(/^ *\* @type\b.*\n/gm, "")
      // Some comments say nothing else.
      .replace(/^ *\/\*\*\n(?: *\* ?\n)* *\*\/\n/gm, "");
  return new Map(types.map((type) => [type.name.text, textOf(type)]));
}

/** openapi-typescript's type of a schema. */
function refTo(schemaName = ""): string {
  return `components["schemas"][${literal(schemaName)}]`;
}

const schemaRef = /components\["schemas"\]\["([^"]+)"\]/g;

/** The text of openapi-typescript's type of each schema. */
function schemaTypesIn(paths: string): Map<string, string> {
  const found = new Map<string, string>();
  const aliases = new Map<string, string>();
  const visit = (node: compiler.Node, place: string): void => {
    const isNamed = ts.isInterfaceDeclaration(node) || ts.isPropertySignature(node);
    const name = isNamed ? (node.name as compiler.Identifier | compiler.LiteralExpression).text : "";
    if (ts.isTypeAliasDeclaration(node)) aliases.set(node.name.text, node.type.getText());
    else if (place === "components/schemas/" && ts.isPropertySignature(node))
      found.set(name, node.type?.getText() ?? "");
    else ts.forEachChild(node, (child) => visit(child, isNamed ? `${place}${name}/` : place));
  };
  visit(ts.createSourceFile("paths.ts", paths, ts.ScriptTarget.Latest, true), "");
  const named = new Map([...found].filter(([, text]) => aliases.has(text)).map(([name, text]) => [text, name]));
  const resolve = (text: string): string =>
    text.replace(/\bRecursive_\w+/g, (alias) => (named.has(alias) ? refTo(named.get(alias)) : alias));
  return new Map([...found].map(([name, text]) => [name, resolve(aliases.get(text) ?? text)]));
}

/**
 * The candidates that are not exactly openapi-typescript's types: two types are the same if no conditional type tells
 * them apart. Assignability would not do, since everything goes with `any`.
 *
 * Each is compared within its own namespace, and refers to openapi-typescript's types if it refers to other models.
 * So one that differs makes no other one differ.
 */
function differing(candidates: readonly Candidate[], paths: string): Set<Candidate> {
  const owners: (Candidate | undefined)[] = [];
  const lines: string[] = [];
  const add = (text: string, owner?: Candidate): void => {
    for (const line of text.split("\n")) {
      lines.push(line);
      owners.push(owner);
    }
  };
  add('import type { components } from "./paths.js";');
  add("type Same<A, B> = (<T>() => T extends A ? 1 : 2) extends <T>() => T extends B ? 1 : 2 ? true : false;");
  for (const candidate of candidates) {
    const { name, schemaName, declaration, constants } = candidate;
    const type = refTo(schemaName);
    add(`export type ${name} = ${type};`);
    add([`namespace $${name} {`, declaration, constants, "}"].join("\n"), candidate);
    add(`export const $$${name}: Same<$${name}.${name}, ${type}> = true;`, candidate);
  }
  const files = new Map([
    ["paths.ts", paths],
    ["models.ts", lines.join("\n")],
  ]);
  return new Set(problemsIn(files).flatMap(({ line }) => owners[line - 1] ?? []));
}

/** The description of a schema as a comment of TypeScript. */
function comment(schema: Json): string {
  const parts = [prose(schema["description"]), schema["deprecated"] === true ? "@deprecated" : ""].filter(Boolean);
  return parts.length === 0 ? "" : `/**\n * ${parts.join("\n\n").replaceAll("\n", "\n * ")}\n */\n`;
}
