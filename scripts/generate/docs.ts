import { type Json, type OpenApi, componentOf, entries, follow, asArray, asObject, objectsIn } from "../spec/json.js";
import { type Operation, parametersOf } from "../spec/operations.js";
import { enumKeys } from "./constants.js";
import { cell, code, literal, prose } from "./text.js";

/** The name of each schema's model. */
export type ModelNames = ReadonlyMap<string, string>;

/**
 * Makes the parts of an operation's page in the reference: Markdown for each part of its description, which the template of
 * the page puts together.
 *
 * @param models the name of each schema's model
 */
export function docsOf(spec: OpenApi, models: ModelNames): (operation: Operation) => Json {
  const names = new Set(models.values());
  const isModel = (type: string): boolean => names.has(type);

  /** A schema as a type of TypeScript, for people to read; `paths.ts` has the exact one. */
  const typeOf = (value: unknown, depth = 0): string => {
    const schema = asObject(value);
    const { $ref, type, items, properties } = schema;
    const below = (part: unknown): string => (depth > 5 ? "…" : typeOf(part, depth + 1));
    if (typeof $ref === "string") return modelAt($ref, models) ?? below(follow(spec, schema));
    const values = "const" in schema ? [schema["const"]] : asArray(schema["enum"]);
    const variants = [...asArray(schema["oneOf"]), ...asArray(schema["anyOf"])];
    const union = values.length > 0 ? values.map(literal) : variants.map(below);
    if (union.length > 0) return union.join(" | ");
    if (Array.isArray(schema["allOf"])) return schema["allOf"].map(below).join(" & ");
    const fields = entries(properties).map(([name, field]) => {
      const mark = asArray(schema["required"]).includes(name) ? "" : "?";
      return `${/^\w+$/.test(name) ? name : literal(name)}${mark}: ${below(field)};`;
    });
    const types = [type ?? (fields.length > 0 ? "object" : "unknown")].flat().map((each) => {
      if (each === "array") return `Array<${below(items)}>`;
      return each === "object" && fields.length > 0 ? `{ ${fields.join(" ")} }` : String(each);
    });
    return types.join(" | ");
  };

  /** A type in a cell, linked if it is a model or a list of one. */
  const typeCell = (schema: unknown): string => {
    const type = typeOf(schema);
    const span = cell(code(type.length > 300 ? `${type.slice(0, 299)}…` : type));
    const model = type.replace(/^(?:Array<)+|>+$/g, "");
    return isModel(model) ? `[${span}](${model}.md)` : span;
  };

  /** The types of bodies, each once. */
  const typesOf = (holders: readonly Json[]): string[] => {
    const media = holders.flatMap(({ content }) => Object.values(asObject(content)));
    return [...new Set(media.map((each) => typeOf(asObject(each)["schema"])))];
  };

  /** The types of a body, each with its media type if that is not JSON. */
  const contentCell = (holder: Json): string => {
    const all = entries(holder["content"]).map(([media, value]) => {
      const { schema } = asObject(value);
      const type = schema === undefined ? "" : typeCell(schema);
      return media === "application/json" ? type : `${type} (${cell(code(media))})`.trim();
    });
    return all.join(", ") || "-";
  };

  const row = (name: unknown, location: unknown, type: string, { description, required }: Json): Json => {
    const text = cell(`${prose(description)}${required === true ? "" : " Optional."}`);
    return { name: cell(code(String(name))), in: String(location), type, text };
  };

  /** The names of an operation's arguments: its parameters, and its body, which is called as its model. */
  const argumentsOf = (parameters: readonly Json[], { content, required }: Json): string => {
    const [body = "body"] = typesOf([{ content }]).filter(isModel);
    const taken = [...parameters, ...(content === undefined ? [] : [{ name: body, required }])];
    // The provider's clients name them so.
    const names = enumKeys(taken.map(({ name }) => name)).map((name) => name.charAt(0).toLowerCase() + name.slice(1));
    return names.map((name, index) => `${name}${taken[index]?.["required"] === true ? "" : "?"}`).join(", ");
  };

  const securityOf = ({ security = spec["security"] }: Json): string[] => {
    const schemes = asObject(asObject(spec["components"])["securitySchemes"]);
    const schemeText = ([name, scopes]: [string, unknown]): string => {
      const { type, scheme, bearerFormat, flows } = follow(spec, schemes[name]);
      const kind = type === "http" ? `HTTP ${String(scheme)}` : type === "oauth2" ? "OAuth 2.0" : String(type);
      const flow = "clientCredentials" in asObject(flows) ? " client credentials" : "";
      const format = bearerFormat === undefined ? "" : `, ${String(bearerFormat)}`;
      const required = asArray(scopes).length > 0 ? `, required scopes: ${spans(asArray(scopes))}` : "";
      return `**${prose(name)}** (${prose(kind + flow + format)}${required})`;
    };
    // Each requirement is enough, and needs all of its schemes.
    return objectsIn(security).map(
      (requirement) => Object.entries(requirement).map(schemeText).join(" and ") || "none",
    );
  };

  return (operation) => {
    const { path, name, fields } = operation;
    const body = follow(spec, fields["requestBody"]);
    const parameters = parametersOf(spec, operation);
    const rows = parameters.map((parameter) => {
      const type = "content" in parameter ? contentCell(parameter) : typeCell(parameter["schema"]);
      return row(parameter["name"], parameter["in"], type, parameter);
    });
    const responses = entries(fields["responses"]).map(([status, value]) => ({ status, ...follow(spec, value) }));
    const successes = responses.filter(({ status }) => status.startsWith("2"));
    const returned = typesOf(successes).map((type) => (type.length > 100 ? "object" : type));
    const returns = [...new Set(returned)].join(" | ") || "void";
    return {
      "x-path": cell(code(path)),
      "x-summary": cell(prose(fields["summary"])),
      "x-text": prose(fields["description"]),
      "x-signature": cell(code(`${name}(${argumentsOf(parameters, body)}): ${returns}`)),
      "x-parameters": "content" in body ? [...rows, row("body", "body", contentCell(body), body)] : rows,
      "x-returns": [...new Set(successes.map(contentCell))].join(", ") || "-",
      "x-content-type": mediaTypes([body]),
      "x-accept": mediaTypes(responses),
      "x-security": securityOf(fields),
      "x-responses": responses.map(({ status, ...response }: Json) => ({
        status,
        text: cell(prose(response["description"])),
        type: contentCell(response),
        codes: spans(asArray(response["x-message-codes"])),
        headers: spans(Object.keys(asObject(response["headers"]))),
      })),
    };
  };
}

/** The model of the schema that a reference leads to; undefined if it leads to something else. */
export function modelAt(ref: string, models: ModelNames): string | undefined {
  const [, name = ""] = componentOf(ref) ?? [];
  return ref.split("/").length === 4 ? models.get(name) : undefined;
}

function mediaTypes(holders: readonly Json[]): string {
  return spans([...new Set(holders.flatMap(({ content }) => Object.keys(asObject(content))))]);
}

/** Names as code in a cell. */
function spans(names: readonly unknown[]): string {
  return cell(names.map((name) => code(String(name))).join(", ")) || "-";
}

/** A line with links to the pages of the models that a model's code names; empty if it names none. */
export function linksToModels(code: string, own: string, models: ModelNames): string {
  const words = new Set(code.match(/[A-Za-z_]\w*/g));
  const links = [...models.values()].filter((model) => model !== own && words.has(model));
  return links.length === 0 ? "" : `Models: ${links.map((model) => `[\`${model}\`](${model}.md)`).join(", ")}`;
}
