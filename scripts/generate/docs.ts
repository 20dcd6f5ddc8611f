import { type Json, type OpenApi, componentOf, follow, list, object, objects } from "../spec/json.js";
import { type Operation, parametersOf } from "../spec/operations.js";
import { enumKeys } from "./constants.js";
import { cell, code, literal, prose } from "./text.js";

/**
 * What the reference shows of an operation: Markdown, made of a description's parts, for the template of its page to lay
 * out.
 */
export class OperationDocs {
  readonly #spec: OpenApi;
  readonly #models: ReadonlyMap<string, string>;

  /** @param models the name of each schema's model */
  constructor(spec: OpenApi, models: ReadonlyMap<string, string>) {
    this.#spec = spec;
    this.#models = models;
  }

  of(operation: Operation): Json {
    const { path, fields } = operation;
    const body = follow(this.#spec, fields["requestBody"]);
    const parameters = parametersOf(this.#spec, operation).map((parameter) =>
      this.#parameter(
        String(parameter["name"]),
        String(parameter["in"]),
        "content" in parameter ? this.#content(parameter) : this.#typeCell(parameter["schema"]),
        parameter,
      ),
    );
    if ("content" in body) parameters.push(this.#parameter("body", "body", this.#content(body), body));
    const responses = Object.entries(object(fields["responses"])).map(
      ([status, value]) => [status, follow(this.#spec, value)] as const,
    );
    const successes = responses.filter(([status]) => status.startsWith("2")).map(([, response]) => response);
    const all = responses.map(([, response]) => response);
    return {
      "x-path": cell(code(path)),
      "x-summary": cell(prose(fields["summary"])),
      "x-text": prose(fields["description"]),
      "x-signature": cell(code(`${operation.name}(${this.#arguments(operation)}): ${this.#returns(successes)}`)),
      "x-parameters": parameters,
      "x-returns": [...new Set(successes.map((response) => this.#content(response)))].join(", ") || "-",
      "x-content-type": mediaTypes([body]),
      "x-accept": mediaTypes(all),
      "x-security": this.#security(fields),
      "x-responses": responses.map(([status, response]) => ({
        status,
        text: cell(prose(response["description"])),
        type: this.#content(response),
        codes: spans(list(response["x-message-codes"]).map(String)),
        headers: spans(Object.keys(object(response["headers"]))),
      })),
    };
  }

  /** The names of what an operation takes: its parameters, and its body, which is called as its model. */
  #arguments(operation: Operation): string {
    const { required, content } = follow(this.#spec, operation.fields["requestBody"]);
    const [body] = this.#types([{ content }]).filter((type) => this.#isModel(type));
    const taken = parametersOf(this.#spec, operation).map(({ name, required }) => [name, required] as const);
    if (content !== undefined) taken.push([body ?? "body", required]);
    // The provider's clients name them so.
    const names = enumKeys(taken.map(([name]) => name)).map((name) => name.charAt(0).toLowerCase() + name.slice(1));
    return names.map((name, index) => `${name}${taken[index]?.[1] === true ? "" : "?"}`).join(", ");
  }

  #returns(responses: readonly Json[]): string {
    const types = this.#types(responses).map((type) => (type.length > 100 ? "object" : type));
    return [...new Set(types)].join(" | ") || "void";
  }

  /** The types of bodies, each once. */
  #types(holders: readonly Json[]): string[] {
    const media = holders.flatMap(({ content }) => Object.values(object(content)));
    return [...new Set(media.map((each) => this.#type(object(each)["schema"])))];
  }

  #isModel(type: string): boolean {
    return [...this.#models.values()].includes(type);
  }

  #parameter(name: string, location: string, type: string, { description, required }: Json): Json {
    const text = cell(`${prose(description)}${required === true ? "" : " Optional."}`);
    return { name: cell(code(name)), in: location, type, text };
  }

  /** The types of a body, each with its media type where that is not JSON. */
  #content(holder: Json): string {
    const all = Object.entries(object(holder["content"])).map(([media, value]) => {
      const { schema } = object(value);
      const type = schema === undefined ? "" : this.#typeCell(schema);
      return media === "application/json" ? type : `${type} (${cell(code(media))})`.trim();
    });
    return all.join(", ") || "-";
  }

  #security({ security = this.#spec["security"] }: Json): string[] {
    const schemes = object(object(this.#spec["components"])["securitySchemes"]);
    const schemeText = ([name, scopes]: [string, unknown]): string => {
      const { type, scheme, bearerFormat, flows } = follow(this.#spec, schemes[name]);
      const kind = type === "http" ? `HTTP ${String(scheme)}` : type === "oauth2" ? "OAuth 2.0" : String(type);
      const flow = "clientCredentials" in object(flows) ? " client credentials" : "";
      const format = bearerFormat === undefined ? "" : `, ${String(bearerFormat)}`;
      const required = list(scopes).length > 0 ? `, required scopes: ${spans(list(scopes).map(String))}` : "";
      return `**${prose(name)}** (${prose(kind + flow + format)}${required})`;
    };
    // Each requirement is enough, and needs all of its schemes.
    return objects(security).map((requirement) => Object.entries(requirement).map(schemeText).join(" and ") || "none");
  }

  /** A type in a cell, linked where it is a model or a list of one. */
  #typeCell(schema: unknown): string {
    const type = this.#type(schema);
    const span = cell(code(type.length > 300 ? `${type.slice(0, 299)}…` : type));
    const model = type.replace(/^(?:Array<)+|>+$/g, "");
    return this.#isModel(model) ? `[${span}](${model}.md)` : span;
  }

  /** A schema as a type of TypeScript, for people to read; `paths.ts` has the exact one. */
  #type(value: unknown, depth = 0): string {
    const schema = object(value);
    const { $ref, type, items, properties } = schema;
    const below = (part: unknown): string => (depth > 5 ? "…" : this.#type(part, depth + 1));
    if (typeof $ref === "string") return modelAt($ref, this.#models) ?? below(follow(this.#spec, schema));
    const values = "const" in schema ? [schema["const"]] : list(schema["enum"]);
    const variants = [...list(schema["oneOf"]), ...list(schema["anyOf"])];
    const union = values.length > 0 ? values.map(literal) : variants.map(below);
    if (union.length > 0) return union.join(" | ");
    if (Array.isArray(schema["allOf"])) return schema["allOf"].map(below).join(" & ");
    const fields = Object.entries(object(properties)).map(([name, field]) => {
      const mark = list(schema["required"]).includes(name) ? "" : "?";
      return `${/^\w+$/.test(name) ? name : literal(name)}${mark}: ${below(field)};`;
    });
    const types = [type ?? (fields.length > 0 ? "object" : "unknown")].flat().map((each) => {
      if (each === "array") return `Array<${below(items)}>`;
      return each === "object" && fields.length > 0 ? `{ ${fields.join(" ")} }` : String(each);
    });
    return types.join(" | ");
  }
}

/** The model of the schema that a reference leads to; undefined where it leads to something else. */
export function modelAt(ref: string, models: ReadonlyMap<string, string>): string | undefined {
  const [kind, name = ""] = componentOf(ref) ?? [];
  return kind === "schemas" && ref.split("/").length === 4 ? models.get(name) : undefined;
}

function mediaTypes(holders: readonly Json[]): string {
  return spans([...new Set(holders.flatMap(({ content }) => Object.keys(object(content))))]);
}

/** Names as code in a cell. */
function spans(names: readonly string[]): string {
  return cell(names.map(code).join(", ")) || "-";
}

/**
 * openapi-typescript's type of a schema as its page shows it: under the names of models, which have pages, and written out
 * where there is no model.
 *
 * @param types openapi-typescript's types of all schemas
 */
export function typeOnPage(
  type: string,
  models: ReadonlyMap<string, string>,
  types: ReadonlyMap<string, string>,
  depth = 0,
): string {
  return type.replace(/\bcomponents\["schemas"\]\[("(?:[^"\\]|\\.)*")\]/g, (_, quoted: string) => {
    const schema = JSON.parse(quoted) as string;
    const inner = depth < 5 ? (types.get(schema) ?? "unknown") : "unknown";
    return models.get(schema) ?? `(${typeOnPage(inner, models, types, depth + 1)})`;
  });
}

/** A line with links to the pages of the models that a model's code names; empty where it names none. */
export function linksToModels(code: string, own: string, models: ReadonlyMap<string, string>): string {
  const words = new Set(code.match(/[A-Za-z_]\w*/g));
  const links = [...models.values()].filter((model) => model !== own && words.has(model));
  return links.length === 0 ? "" : `Models: ${links.map((model) => `[\`${model}\`](${model}.md)`).join(", ")}`;
}
