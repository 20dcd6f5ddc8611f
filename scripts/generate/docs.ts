import { type Json, type OpenApi, componentOf, follow, object } from "../spec/json.js";
import { constraintsOf, enumsOf, fieldsOf } from "./constants.js";
import { parametersOf } from "./sample.js";
import { cell, code, literal, objects, prose } from "./text.js";

/** What the pages of the reference show, for its templates to print: Markdown made of a description's parts. */
export class Docs {
  readonly #spec: OpenApi;
  readonly #models: ReadonlyMap<string, string>;

  /** @param models the name of each schema's model */
  constructor(spec: OpenApi, models: ReadonlyMap<string, string>) {
    this.#spec = spec;
    this.#models = models;
  }

  /** The tables of a model's page: its type, properties, and the values of its enums. */
  model(name: string, schema: Json): string {
    const enums = enumsOf(schema);
    const own = enums.find(({ property }) => property === undefined);
    const rows = [...fieldsOf(schema)].map(([property, field]) => {
      const constant = enums.find((found) => found.property === property);
      const anchor = `${name}${constant?.name}`;
      const type = constant ? `[${code(this.#type(field, anchor))}](#${anchor.toLowerCase()})` : this.#typeCell(field);
      const isRequired = Array.isArray(schema["required"]) && schema["required"].includes(property);
      const text = `${field["deprecated"] === true ? "**Deprecated.** " : ""}${prose(field["description"])}${isRequired ? "" : " Optional."}`;
      return row(cell(code(property)), type, cell(text), limits(field));
    });
    const isPlain = rows.length > 0 && !["allOf", "oneOf", "anyOf"].some((keyword) => keyword in schema);
    return [
      ...(own || isPlain ? [] : [table(["Type", "Constraints"], [row(this.#typeCell(schema, true), limits(schema))])]),
      ...(rows.length > 0 ? [`## Properties\n\n${table(["Name", "Type", "Description", "Constraints"], rows)}`] : []),
      ...enums.map((found) => {
        const values = Object.entries(found.values).map(([key, value]) => row(code(key), cell(code(literal(value)))));
        return `## ${found === own ? "Values" : `${name}${found.name}`}\n\n${table(["Key", "Value"], values)}`;
      }),
    ].join("\n\n");
  }

  /** What an operation's section shows. */
  operation(path: string, operation: Json): Json {
    const body = follow(this.#spec, operation["requestBody"]);
    const responses = Object.entries(object(operation["responses"])).map(([status, value]) => {
      const response = follow(this.#spec, value);
      const codes = Array.isArray(response["x-message-codes"]) ? response["x-message-codes"].map(String) : [];
      const headers = Object.keys(object(response["headers"]));
      return { status, response, type: this.#content(response) || "-", codes: spans(codes), headers: spans(headers) };
    });
    const parameters: Json[] = [
      ...parametersOf(this.#spec, path, operation).map((parameter) => ({
        label: cell(code(String(parameter["name"]))),
        type: this.#typeCell(parameter["schema"] ?? Object.values(object(parameter["content"]))[0]),
        ...parameter,
      })),
      ...("content" in body ? [{ label: "`body`", in: "body", type: this.#content(body), ...body }] : []),
    ];
    return {
      "x-parameters": table(
        ["Name", "In", "Type", "Description"],
        parameters.map(({ label, in: location, type, description, required }) =>
          row(
            String(label),
            String(location),
            String(type),
            cell(`${prose(description)}${required === true ? "" : " Optional."}`),
          ),
        ),
      ),
      "x-return-type": responses.find(({ status }) => status.startsWith("2"))?.type ?? "-",
      "x-authorization": this.#security(operation),
      "x-content-type": spans(Object.keys(object(body["content"]))),
      "x-accept": spans([...new Set(responses.flatMap(({ response }) => Object.keys(object(response["content"]))))]),
      "x-responses": table(
        ["Status", "Description", "Body", "Message codes", "Headers"],
        responses.map(({ status, response, type, codes, headers }) =>
          row(`**${status}**`, cell(prose(response["description"])), type, codes, headers),
        ),
      ),
    };
  }

  #content(holder: Json): string {
    const media = Object.values(object(holder["content"])).map(object);
    const types = media.filter((each) => "schema" in each).map((each) => this.#typeCell(each["schema"]));
    return [...new Set(types)].join(", ");
  }

  #security(operation: Json): string {
    const schemes = object(object(this.#spec["components"])["securitySchemes"]);
    const lines = objects(operation["security"] ?? this.#spec["security"]).flatMap((requirement) =>
      Object.entries(requirement).map(([name, scopes]) => {
        const { type, scheme, bearerFormat, flows } = follow(this.#spec, schemes[name]);
        const flow = "clientCredentials" in object(flows) ? " client credentials" : "";
        const kind =
          type === "oauth2" ? `OAuth 2.0${flow}` : [type, scheme].filter(Boolean).join(" ").replace("http", "HTTP");
        const format = bearerFormat === undefined ? "" : `, ${String(bearerFormat)}`;
        const required =
          Array.isArray(scopes) && scopes.length > 0 ? `, required scopes: ${spans(scopes.map(String))}` : "";
        return `- **${prose(name)}**: ${prose(kind + format)}${required}`;
      }),
    );
    return lines.join("\n") || "None.";
  }

  /** A type in a cell, linked where it is a model or a list of one. */
  #typeCell(schema: unknown, isTop = false): string {
    const type = this.#type(schema);
    const span = cell(code(type.length > 300 ? `${type.slice(0, 299)}…` : type));
    const model = type.replace(/(?:\[\])+$/, "");
    return !isTop && [...this.#models.values()].includes(model) ? `[${span}](${model}.md)` : span;
  }

  /** A schema as a type of TypeScript, for people to read. `enumName` stands for the enum in it. */
  #type(value: unknown, enumName?: string, depth = 0): string {
    const schema = object(value);
    const { $ref, type, items, additionalProperties } = schema;
    const below = (part: unknown): string => (depth > 5 ? "…" : this.#type(part, enumName, depth + 1));
    const several = (parts: unknown, sign: string): string[] =>
      Array.isArray(parts) && parts.length > 0 ? [[...new Set(parts.map(below))].join(sign)] : [];
    if (typeof $ref === "string") {
      return modelAt($ref, this.#models) ?? below(follow(this.#spec, schema));
    }
    const isNullable = schema["nullable"] === true ? " | null" : "";
    if ("const" in schema) return literal(schema["const"]);
    if (Array.isArray(schema["enum"])) return (enumName ?? schema["enum"].map(literal).join(" | ")) + isNullable;
    if (Array.isArray(type)) return type.map((each: unknown) => below({ ...schema, type: each })).join(" | ");
    const fields = Object.entries(object(schema["properties"])).map(([name, field]) => {
      const isRequired = Array.isArray(schema["required"]) && schema["required"].includes(name);
      return `${/^[\w$]+$/.test(name) ? name : literal(name)}${isRequired ? "" : "?"}: ${below(field)};`;
    });
    if (additionalProperties)
      fields.push(`[key: string]: ${additionalProperties === true ? "unknown" : below(additionalProperties)};`);
    const parts = [
      ...(fields.length > 0 ? [`{ ${fields.join(" ")} }`] : []),
      ...several(schema["allOf"], " & "),
      ...several(schema["oneOf"], " | "),
      ...several(schema["anyOf"], " | "),
    ];
    if (parts.length > 0) return parts.join(" & ") + isNullable;
    const item = type === "array" ? below(items) : "";
    const plain: Record<string, string> = {
      array: / [|&] /.test(item) && !item.startsWith("{") ? `(${item})[]` : `${item}[]`,
      integer: "number",
      object: "{ [key: string]: unknown }",
    };
    return (plain[String(type)] ?? String(type ?? "unknown")) + isNullable;
  }
}

/** The model of the schema that a reference leads to; undefined where it leads to something else. */
export function modelAt(ref: string, models: ReadonlyMap<string, string>): string | undefined {
  const [kind, name = ""] = componentOf(ref) ?? [];
  return kind === "schemas" && ref.split("/").length === 4 ? models.get(name) : undefined;
}

function row(...cells: string[]): string {
  return `| ${cells.join(" | ")} |`;
}

/** A table; empty without rows. */
function table(heads: string[], rows: string[]): string {
  return rows.length === 0 ? "" : [row(...heads), row(...heads.map(() => "---")), ...rows].join("\n");
}

/** Names as code in a cell. */
function spans(names: readonly string[]): string {
  return cell(names.map(code).join(", ")) || "-";
}

/** What a schema demands, in a cell. */
function limits(schema: Json): string {
  const all = Object.entries(constraintsOf(schema));
  return cell(
    all.map(([keyword, value]) => (value === true ? keyword : `${keyword} ${code(literal(value))}`)).join(", "),
  );
}
