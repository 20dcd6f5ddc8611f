import { UserError } from "../command.js";
import { type Json, type OpenApi, object } from "../spec/json.js";
import { type Enum, constraintsText, enumText, enumsOf } from "./constants.js";
import { problemsIn } from "./inspect.js";
import { literal, prose } from "./text.js";
import { ts } from "./typescript.js";

/** The models as one module. */
export interface Models {
  text: string;
  /** Names of the models that are an alias of openapi-typescript's type, since openapi-generator's was another one. */
  aliases: string[];
}

/** A schema, and what openapi-generator declares for it. */
interface Model {
  /** Of the model. */
  name: string;
  /** openapi-typescript's type of the schema. */
  type: string;
  schema: Json;
  enums: Enum[];
  declarations: Declaration[];
}

interface Declaration {
  name: string;
  /** With the comment before it. */
  text: string;
  /** Where in the text the name of a type ends; undefined for a constant. */
  nameEnd?: number;
}

/**
 * Takes of openapi-generator's models those whose type is exactly openapi-typescript's, and whose constants are exactly the
 * description's. In the place of any other stands an alias of openapi-typescript's type, with these constants.
 *
 * @param generated openapi-generator's module
 * @param paths openapi-typescript's module
 * @param names the name of each schema's model
 * @throws {UserError} where openapi-generator made no model for a schema: it ends with status 0 whatever it leaves out
 */
export function chooseModels(
  spec: OpenApi,
  generated: string,
  paths: string,
  names: ReadonlyMap<string, string>,
): Models {
  const schemas = object(object(spec["components"])["schemas"]);
  const declarations = declarationsIn(generated);
  const models = [...names].map(([schemaName, name]): Model => {
    const schema = object(schemas[schemaName]);
    const enums = enumsOf(schema);
    const declared = new Set([name, ...enums.map((each) => name + each.name)]);
    if (!declarations.some((declaration) => declaration.name === name))
      throw new UserError(
        `openapi-generator made no model for the schema "${schemaName}": change or remove it by an overlay action`,
      );
    return {
      name,
      type: `components["schemas"][${literal(schemaName)}]`,
      schema,
      enums,
      declarations: declarations.filter((declaration) => declared.has(declaration.name)),
    };
  });
  models.sort((a, b) => (a.name < b.name ? -1 : 1));
  const wrong = differing(models, paths);
  const texts = models.map((model) => {
    const kept = wrong.has(model) ? aliasText(model) : model.declarations.map(({ text }) => text).join("\n");
    return `${kept}\n${constraintsText(model.name, model.schema)}`;
  });
  const head = wrong.size > 0 ? 'import type { components } from "../paths.js";\n\n' : "";
  return { text: head + (texts.join("\n") || "export {};"), aliases: [...wrong].map(({ name }) => name) };
}

function declarationsIn(module: string): Declaration[] {
  const source = ts.createSourceFile("models.ts", module, ts.ScriptTarget.Latest);
  return source.statements.flatMap((statement): Declaration[] => {
    // The first statement's comment is that of the file.
    const text = statement.getFullText(source).replace("/* tslint:disable */\n/* eslint-disable */\n", "").trim();
    if (ts.isVariableStatement(statement))
      return statement.declarationList.declarations.map(({ name }) => ({ name: name.getText(source), text }));
    if (!ts.isInterfaceDeclaration(statement) && !ts.isTypeAliasDeclaration(statement)) return [];
    const nameEnd = text.length - (statement.end - statement.name.end);
    return [{ name: statement.name.text, text, nameEnd }];
  });
}

/**
 * The models that are not exactly openapi-typescript's types: two types are the same where no conditional type tells them
 * apart. Assignability would not do, since everything goes with `any`.
 *
 * Each model is compared under another name, and refers to openapi-typescript's types where it refers to other models. So
 * one that differs makes no other one differ.
 */
function differing(models: readonly Model[], paths: string): Set<Model> {
  const owners: (Model | undefined)[] = [];
  const lines: string[] = [];
  const add = (text: string, owner?: Model): void => {
    for (const line of text.split("\n")) {
      lines.push(line);
      owners.push(owner);
    }
  };
  add('import type { components } from "./paths.js";');
  add("type Same<A, B> = (<T>() => T extends A ? 1 : 2) extends <T>() => T extends B ? 1 : 2 ? true : false;");
  for (const model of models) {
    const { name, type, enums } = model;
    add(`export type ${name} = ${type};`);
    for (const { text, nameEnd, ...declaration } of model.declarations) {
      const isOwn = declaration.name === name && nameEnd !== undefined;
      add(isOwn ? `${text.slice(0, nameEnd)}$${text.slice(nameEnd)}` : text, model);
    }
    add(`export const $${name}: Same<${name}$, ${type}> = true;`, model);
    for (const each of enums) {
      const values = Object.entries(each.values).map(([key, value]) => `readonly ${key}: ${literal(value)};`);
      add(
        `export const $${name}${each.name}$: Same<typeof ${name}${each.name}, { ${values.join(" ")} }> = true;`,
        model,
      );
    }
  }
  const files = new Map([
    ["paths.ts", paths],
    ["models.ts", lines.join("\n")],
  ]);
  const problems = problemsIn(files).filter(({ path }) => path === "models.ts");
  return new Set(problems.flatMap(({ line }) => owners[line - 1] ?? []));
}

function aliasText({ name, type, schema, enums }: Model): string {
  const alias = `${comment(schema)}export type ${name} = ${type};`;
  return [alias, ...enums.map((each) => enumText(name, each))].join("\n");
}

/** What a schema says about itself, as a comment of TypeScript. */
function comment(schema: Json): string {
  const parts = [prose(schema["description"]), schema["deprecated"] === true ? "@deprecated" : ""].filter(Boolean);
  return parts.length === 0 ? "" : `/**\n * ${parts.join("\n\n").replaceAll("\n", "\n * ")}\n */\n`;
}
