import type { GlobalContext, SchemaObject } from "openapi-typescript";
import type compiler from "typescript";
import { UserError } from "../cli.js";
import { hash } from "../spec/names.js";
import { type Json, type OpenApi, isObject, asArray, asObject, strayPercent } from "../spec/json.js";
import { walk } from "../spec/walk.js";
import { recursiveSchemas } from "./recursion.js";
import { anything, rewrite } from "./rewrite.js";
import { openapiTypescript, ts } from "./typescript.js";

type OneWay = "readOnly" | "writeOnly";

/**
 * The module of types that openapi-typescript makes of a spec. Read-only and write-only properties are marked for
 * openapi-fetch, unless `isMarked` is false. Those of the kind `leftOut` become optional.
 *
 * @throws {UserError} for a spec that it cannot read
 */
export async function typedPaths(
  spec: OpenApi,
  { isMarked = true, leftOut }: { isMarked?: boolean; leftOut?: OneWay } = {},
): Promise<string> {
  try {
    const rewritten = rewrite(spec);
    const json = JSON.stringify(rewritten);
    // It decodes the names in its way to a schema, and fails at a "%" that encodes nothing.
    let count = 0;
    while (json.includes(`<${count}>`)) count++;
    const percent = `<${count}>`;
    // Its main function would also lint the spec, and fetch remote references.
    const document = JSON.parse(json.replaceAll(strayPercent, percent)) as OpenApi;
    if (leftOut) makeOptional(document, leftOut);
    const readWriteMarkers = isMarked && hasOneWayProperties(document);
    const statements = openapiTypescript.transformSchema(document as never, context(document, readWriteMarkers));
    if (readWriteMarkers) markParameters(statements);
    const aliases = aliasesOf(statements, recursiveSchemas(rewritten));
    return (openapiTypescript.astToString(statements) + aliases).replaceAll(percent, "%");
  } catch (error) {
    if (error instanceof UserError) throw error;
    const [reason = ""] = String(error instanceof Error ? error.message : error).split("\n");
    throw new UserError(`openapi-typescript failed: ${reason.slice(0, 300)}`);
  }
}

function context(document: OpenApi, readWriteMarkers: boolean): GlobalContext {
  const tuples = new WeakMap<object, compiler.TypeNode>();
  const options: Partial<GlobalContext> = {
    // A property with a default may still be left out of a request.
    defaultNonNullable: false,
    readWriteMarkers,
    discriminators: { objects: {}, refsHandled: [] },
    injectFooter: [],
    resolve: ($ref) => openapiTypescript.resolveRef(document, $ref, { silent: true }),
    transform(schema, { ctx }) {
      if (({ ...schema } as Json)["type"] === anything)
        return openapiTypescript.tsUnion([ts.factory.createTypeLiteralNode([]), openapiTypescript.NULL]);
      if (typeof schema !== "object" || schema.type !== "array" || !("prefixItems" in schema)) return undefined;
      // It calls this twice for the schemas of properties.
      const type =
        tuples.get(schema) ?? tuple({ ...schema }, (item) => openapiTypescript.transformSchemaObject(item, { ctx }));
      tuples.set(schema, type);
      return type;
    },
  };
  return options as GlobalContext;
}

/** A tuple may be shorter than its described items, and longer. */
function tuple(schema: Json, typeOf: (item: SchemaObject) => compiler.TypeNode): compiler.TypeNode {
  const { prefixItems, unevaluatedItems = true, items = unevaluatedItems, minItems = 0, maxItems = Infinity } = schema;
  const described = asArray(prefixItems).slice(0, Number(maxItems));
  const types = described.map((item, index) => {
    const type = typeOf(item as SchemaObject);
    return index < Number(minItems) ? type : ts.factory.createOptionalTypeNode(type);
  });
  const isOpen = items !== false && types.length < Number(maxItems);
  const rest = isOpen
    ? [ts.factory.createRestTypeNode(ts.factory.createArrayTypeNode(typeOf(items as SchemaObject)))]
    : [];
  return ts.factory.createTupleTypeNode([...types, ...rest]);
}

/** Lets read-only or write-only properties be left out. */
function makeOptional(document: OpenApi, keyword: OneWay): void {
  walk(document, ({ value, kind }) => {
    if (kind !== "schema" || !isObject(value) || !isObject(value["properties"])) return;
    const { properties } = value;
    value["required"] = asArray(value["required"]).filter((name) => !asObject(properties[String(name)])[keyword]);
  });
}

/** Whether a schema is read-only or write-only. */
export function hasOneWayProperties(document: OpenApi): boolean {
  let found = false;
  walk(document, ({ value, kind }) => {
    if (kind === "schema" && isObject(value)) found ||= value["readOnly"] !== value["writeOnly"];
    return !found;
  });
  return found;
}

/** The members of an interface or of an object's type, by their names. */
function membersOf(node: compiler.Node | undefined): Map<string, compiler.PropertySignature> {
  const all = node && (ts.isInterfaceDeclaration(node) || ts.isTypeLiteralNode(node)) ? [...node.members] : [];
  const named = all.filter((member) => ts.isPropertySignature(member));
  return new Map(named.map((member) => [(member.name as compiler.Identifier).text, member]));
}

function interfaceOf(statements: readonly compiler.Node[], name: string): compiler.Node | undefined {
  return statements.find((node) => ts.isInterfaceDeclaration(node) && node.name.text === name);
}

function setType(member: compiler.PropertySignature, type: compiler.TypeNode): void {
  (member as { type?: compiler.TypeNode }).type = type;
}

/** openapi-fetch leaves the markers in parameters, which are part of requests. */
function markParameters(statements: readonly compiler.Node[]): void {
  const paths = [...membersOf(interfaceOf(statements, "paths")).values()].map(({ type }) => type);
  const methods = paths.flatMap((path) => [...membersOf(path).values()].map(({ type }) => type));
  const operations = [...membersOf(interfaceOf(statements, "operations")).values()].map(({ type }) => type);
  for (const holder of [...paths, ...methods, ...operations])
    for (const member of membersOf(membersOf(holder).get("parameters")?.type).values())
      if (member.type && ts.isTypeLiteralNode(member.type))
        setType(member, ts.factory.createTypeReferenceNode("Writable", [member.type]));
}

/**
 * Declares recursive types under their own names, and lets them refer to each other by these names: TypeScript resolves such
 * references later, and all others at once.
 */
function aliasesOf(statements: compiler.Node[], schemas: ReadonlySet<string>): string {
  const members = [...membersOf(membersOf(interfaceOf(statements, "components")).get("schemas")?.type)];
  const recursive = members.filter(([schema]) => schemas.has(schema));
  const aliasOf = (schema: string): string => `Recursive_${/^\w+$/.test(schema) ? schema : hash(schema)}`;
  const texts = recursive.map(([schema, member]) => {
    const { type = openapiTypescript.UNKNOWN } = member;
    setType(member, ts.factory.createTypeReferenceNode(aliasOf(schema)));
    const text = openapiTypescript.astToString(type).trim();
    return `export type ${aliasOf(schema)} = ${text.replace(/components\["schemas"\]\["([^"]+)"\]/g, (ref, name: string) => (schemas.has(name) ? aliasOf(name) : ref))};\n`;
  });
  return texts.join("");
}
