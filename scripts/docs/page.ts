import { createHash } from "node:crypto";
import { isObject, type OpenApi, resolve } from "../spec/json.js";
import { type Content, highlight, Html, html, inlineMarkdown, markdown } from "./html.js";

// The parts of a description that the page shows. The linter and the checks of spec.ts see to their shape.
interface Schema {
  $ref?: string;
  type?: string | string[];
  format?: string;
  description?: string;
  enum?: unknown[];
  example?: unknown;
  default?: unknown;
  properties?: Record<string, Schema>;
  required?: string[];
  items?: Schema;
  allOf?: Schema[];
  anyOf?: Schema[];
  oneOf?: Schema[];
  minLength?: number;
  maxLength?: number;
  pattern?: string;
  minimum?: number;
  maximum?: number;
  minItems?: number;
  maxItems?: number;
  uniqueItems?: boolean;
  nullable?: boolean;
}

interface Media {
  schema?: Schema;
  example?: unknown;
  examples?: Record<string, { value?: unknown }>;
}

interface Response {
  $ref?: string;
  description?: string;
  content?: Record<string, Media>;
  "x-message-codes"?: string[];
}

interface Parameter {
  $ref?: string;
  name: string;
  in: string;
  description?: string;
  required?: boolean;
  schema?: Schema;
}

interface Operation {
  operationId: string;
  summary?: string;
  description?: string;
  parameters?: Parameter[];
  requestBody?: { $ref?: string; content?: Record<string, Media> };
  responses: Record<string, Response>;
  security?: Record<string, string[]>[];
}

interface SecurityScheme {
  type: string;
  scheme?: string;
  bearerFormat?: string;
  description?: string;
  flows?: Record<string, { scopes: Record<string, string> }>;
}

interface Description {
  info: { title: string; description?: string; license?: { name: string; url?: string } };
  servers?: { url: string; description?: string; "x-environment"?: string }[];
  paths: Record<string, Record<string, Operation>>;
  components?: { schemas?: Record<string, Schema>; securitySchemes?: Record<string, SecurityScheme> };
  security?: Record<string, string[]>[];
}

/** What the page is made of, besides the description. */
export interface Parts {
  css: string;
  /** What runs in the browser: JavaScript. */
  script: string;
  /** TypeScript samples by operationId. */
  samples: ReadonlyMap<string, string>;
}

/** An emulator that the page's forms send requests to. */
export interface Emulator {
  url: string;
  /** Values that stand in the forms, by the name of the property. */
  values: Readonly<Record<string, string>>;
}

const methods = ["get", "put", "post", "delete", "options", "head", "patch", "trace"];

/** The reference of a description as one HTML page; with an emulator, also with a form to try each operation. */
export function renderPage(spec: OpenApi, parts: Parts, emulator?: Emulator): string {
  return `${new Page(spec, parts, emulator).render().text}\n`;
}

class Page {
  private readonly spec: OpenApi;
  private readonly description: Description;
  private readonly parts: Parts;
  private readonly emulator: Emulator | undefined;
  private readonly operations: readonly { method: string; path: string; operation: Operation }[];

  constructor(spec: OpenApi, parts: Parts, emulator: Emulator | undefined) {
    this.spec = spec;
    this.description = spec as unknown as Description;
    this.parts = parts;
    this.emulator = emulator;
    this.operations = Object.entries(this.description.paths).flatMap(([path, item]) =>
      Object.entries(item)
        .filter(([method]) => methods.includes(method))
        .map(([method, operation]) => ({ method: method.toUpperCase(), path, operation })),
    );
  }

  render(): Html {
    const { css, script } = this.parts;
    const { title } = this.description.info;
    const policy = [
      "default-src 'none'",
      `style-src '${hash(css)}'`,
      `script-src '${hash(script)}'`,
      "img-src data:",
      `connect-src ${this.emulator?.url ?? "'none'"}`,
      "base-uri 'none'",
      "form-action 'none'",
    ].join("; ");
    return html`<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="${policy}">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>${title}</title>
<link rel="icon" href="data:,">
<style>${new Html(css)}</style>
</head>
<body${this.emulator && html` data-emulator="${JSON.stringify(this.emulator)}"`}>
<a class="skip" href="#main">Skip to the content</a>
${this.navigation()}
<main id="main">
${this.overview()}
${this.operations.map((one) => this.operation(one))}
${this.messageCodes()}
${this.scopes()}
${this.schemas()}
</main>
<script>${new Html(script)}</script>
</body>
</html>`;
  }

  private navigation(): Html {
    const schemas = Object.keys(this.description.components?.schemas ?? {});
    return html`<nav aria-label="Contents">
      <a class="title" href="#main">${this.description.info.title}</a>
      <ul>
        <li><a href="#overview">Overview</a></li>
        ${this.operations.map(
          ({ method, operation }) =>
            html`<li>
              <a href="#${operation.operationId}">${operation.summary ?? operation.operationId}${badge(method)}</a>
            </li>`,
        )}
        <li><a href="#message-codes">Error codes</a></li>
        <li><a href="#scopes">Scopes</a></li>
        <li>
          <a href="#schemas">Schemas</a>
          <ul>
            ${schemas.map((name) => html`<li><a href="#schema-${name}">${name}</a></li>`)}
          </ul>
        </li>
      </ul>
    </nav>`;
  }

  private overview(): Html {
    const { info, servers = [], components } = this.description;
    return html`<section id="overview">
      <div class="text">
        <h1>${info.title}</h1>
        ${markdown(info.description)}
      </div>
      <div class="side">
        <h2>Servers</h2>
        <dl>
          ${servers.map(
            ({ url, description, "x-environment": environment }) =>
              html`<dt>${environment ?? "server"}</dt>
                <dd><code>${url}</code><br />${inlineMarkdown(description)}</dd>`,
          )}
        </dl>
        <h2>Authentication</h2>
        <dl>
          ${Object.entries(components?.securitySchemes ?? {}).map(
            ([name, scheme]) =>
              html`<dt>${name}</dt>
                <dd>${securityText(scheme)}${inlineMarkdown(scheme.description)}</dd>`,
          )}
        </dl>
      </div>
    </section>`;
  }

  private operation({ method, path, operation }: { method: string; path: string; operation: Operation }): Html {
    const { operationId, summary, description, parameters = [], responses } = operation;
    const body = this.body(operation);
    const shared = ((this.description.paths[path] as { parameters?: Parameter[] }).parameters ?? []).concat(parameters);
    return html`<section id="${operationId}" class="operation">
      <div class="text">
        <h2>${summary ?? operationId}</h2>
        <p class="endpoint">${badge(method)} <code>${path}</code></p>
        ${markdown(description)} ${this.security(operation)}
        ${
          shared.length > 0 &&
          html`<h3>Parameters</h3>
            ${this.table(
              shared.map((parameter) => {
                const { name, in: place, required, description: text, schema = {} } = this.follow(parameter);
                return { name, schema, required, description: `In the ${place}. ${text ?? ""}` };
              }),
            )}`
        }
        ${
          body &&
          html`<h3>Request body <span class="note">application/json</span></h3>
            ${this.schema(body)}`
        }
        <h3>Responses</h3>
        ${Object.entries(responses).map(([status, response]) => this.response(status, this.follow(response)))}
      </div>
      <div class="side">
        ${this.samples(method, path, operation)} ${this.emulator && this.form(this.emulator, method, path, operation)}
      </div>
    </section>`;
  }

  private security({ security = this.description.security ?? [] }: Operation): Html {
    const texts = security.map((requirement) =>
      Object.entries(requirement)
        .map(([name, scopes]) => html`<b>${name}</b>${scopes.map((scope) => html` <code>${scope}</code>`)}`)
        .reduce<Content[]>((all, one) => (all.length > 0 ? [...all, " and ", one] : [one]), []),
    );
    const wanted = texts.reduce<Content[]>((all, one) => (all.length > 0 ? [...all, ", or ", one] : [one]), []);
    return html`<p class="security">Authorization: ${wanted.length > 0 ? wanted : "none"}</p>`;
  }

  private response(status: string, { description, content, "x-message-codes": codes = [] }: Response): Html {
    const media = content?.["application/json"];
    const kind = status.startsWith("2") ? "good" : "bad";
    return html`<details class="answer">
      <summary><span class="status ${kind}">${status}</span> ${inlineMarkdown(description)}</summary>
      ${media?.schema && html`<p>${this.type(media.schema)}</p>`}
      ${codes.length > 0 && html`<p>Message codes: ${codes.map((code) => html`<code>${code}</code> `)}</p>`}
      ${media && this.examples(media).map((example) => block(highlight(json(example), "json"), "Example"))}
    </details>`;
  }

  private samples(method: string, path: string, operation: Operation): Html {
    const sample = this.parts.samples.get(operation.operationId);
    const choices: [string, Html][] = [["curl", highlight(this.curl(method, path, operation), "sh")]];
    if (sample !== undefined) choices.unshift(["TypeScript", highlight(sample.trim(), "ts")]);
    const group = `${operation.operationId}-sample`;
    const success = Object.entries(operation.responses).find(([status]) => status.startsWith("2"));
    const media = success && this.follow(success[1]).content?.["application/json"];
    return html`<div class="tabs">
        ${choices.map(
          ([label, code], index) =>
            html`<input type="radio" name="${group}" id="${group}-${index}" ${index === 0 && html` checked`} /><label
                for="${group}-${index}"
                >${label}</label
              >${block(code, `${label} sample`)}`,
        )}
      </div>
      ${media && block(highlight(json(this.examples(media)[0] ?? {}), "json"), "Response", html`<span class="status good">${success[0]}</span> `)}`;
  }

  private form(emulator: Emulator, method: string, path: string, operation: Operation): Html {
    const body = this.body(operation);
    const example = body && this.sample(body);
    const filled = isObject(example)
      ? Object.fromEntries(Object.entries(example).map(([name, value]) => [name, emulator.values[name] ?? value]))
      : example;
    const { security = this.description.security ?? [] } = operation;
    return html`<form
      class="try"
      data-method="${method}"
      aria-label="Try ${operation.summary ?? operation.operationId}"
    >
      <h3>Try it <span class="note">on the emulator at ${emulator.url}</span></h3>
      <label>Path<input name="path" value="${path}" spellcheck="false" autocomplete="off" /></label>
      ${
        security.length > 0 &&
        html`<label
          >Bank token<input
            name="token"
            spellcheck="false"
            autocomplete="off"
            placeholder="empty: the page asks for one"
        /></label>`
      }
      ${
        filled !== undefined &&
        html`<label
          >Body<textarea name="body" spellcheck="false" rows="${json(filled).split("\n").length}">
${json(filled)}</textarea>
        </label>`
      }
      <button>Send</button>
      <output></output>
    </form>`;
  }

  private messageCodes(): Html {
    const rows = this.operations.flatMap(({ operation }) =>
      Object.entries(operation.responses).flatMap(([status, reference]) => {
        const response = this.follow(reference);
        const media = response.content?.["application/json"];
        const examples = media ? this.examples(media) : [];
        return (response["x-message-codes"] ?? []).map((code) => {
          const messages = examples.flatMap((example) =>
            isObject(example) && example["message_code"] === code ? [String(example["error_message"])] : [],
          );
          return html`<tr>
            <th scope="row"><code>${code}</code></th>
            <td><span class="status bad">${status}</span></td>
            <td>${messages.length > 0 ? messages.join("; ") : "—"}</td>
            <td><a href="#${operation.operationId}">${operation.operationId}</a></td>
          </tr>`;
        });
      }),
    );
    return html`<section id="message-codes">
      <div class="text wide">
        <h2>Error codes</h2>
        <p>What <code>message_code</code> can say. The service may add others.</p>
        <div class="scroll" tabindex="0" role="region" aria-label="Error codes">
          <table>
            <thead>
              <tr>
                <th scope="col">Code</th>
                <th scope="col">Status</th>
                <th scope="col">Messages</th>
                <th scope="col">Operation</th>
              </tr>
            </thead>
            <tbody>
              ${rows}
            </tbody>
          </table>
        </div>
      </div>
    </section>`;
  }

  /** The values of each request's `scopes`, by resource. */
  private scopes(): Html {
    const groups = new Map<string, Set<string>>();
    for (const { operation } of this.operations) {
      const body = this.body(operation);
      const scopes = body && this.follow(this.follow(body).properties?.["scopes"] ?? {});
      for (const scope of this.follow(scopes?.items ?? {}).enum ?? []) {
        const [resource = "", ...rights] = String(scope).split(":");
        groups.set(resource, (groups.get(resource) ?? new Set()).add(rights.join(":")));
      }
    }
    return html`<section id="scopes">
      <div class="text wide">
        <h2>Scopes</h2>
        <p>What a customer token can be used for: a resource and a right, as in <code>customers:read</code>.</p>
        <div class="scroll" tabindex="0" role="region" aria-label="Scopes">
          <table>
            <thead>
              <tr>
                <th scope="col">Resource</th>
                <th scope="col">Rights</th>
              </tr>
            </thead>
            <tbody>
              ${[...groups].map(
                ([resource, rights]) =>
                  html`<tr>
                    <th scope="row"><code>${resource}</code></th>
                    <td>${[...rights].map((right) => html`<code title="${resource}:${right}">${right}</code> `)}</td>
                  </tr>`,
              )}
            </tbody>
          </table>
        </div>
      </div>
    </section>`;
  }

  private schemas(): Html {
    const schemas = Object.entries(this.description.components?.schemas ?? {});
    return html`<section id="schemas">
      <div class="text wide">
        <h2>Schemas</h2>
        ${schemas.map(
          ([name, schema]) =>
            html`<article id="schema-${name}">
              <h3>${name}</h3>
              ${markdown(schema.description)} ${this.schema(schema)}
            </article>`,
        )}
      </div>
    </section>`;
  }

  /** A schema in full: a table of its properties, or its type. */
  private schema(reference: Schema): Html {
    const schema = this.follow(reference);
    const { properties, required = [] } = schema;
    if (!properties)
      return html`<p>${this.type(schema)}</p>
        ${this.values(schema)}`;
    return this.table(
      Object.entries(properties).map(([name, property]) => ({
        name,
        schema: property,
        required: required.includes(name),
        description: property.description,
      })),
    );
  }

  private table(
    rows: readonly { name: string; schema: Schema; required: boolean | undefined; description: string | undefined }[],
  ): Html {
    return html`<dl class="properties">
      ${rows.map(
        ({ name, schema, required, description }) =>
          html`<dt>
              <code>${name}</code>
              <span class="note">${this.type(schema)}</span>${required && html` <span class="required">required</span>`}
            </dt>
            <dd>${inlineMarkdown(description)}${this.values(schema)}${schema.properties && this.schema(schema)}</dd>`,
      )}
    </dl>`;
  }

  /** A schema in a few words: its type, or a link to it, and its constraints. */
  private type(schema: Schema): Html {
    if (schema.$ref !== undefined) {
      const name = schema.$ref.slice(schema.$ref.lastIndexOf("/") + 1);
      return html`<a href="#schema-${name}">${name}</a>`;
    }
    for (const [key, word] of [
      ["allOf", " and "],
      ["anyOf", " or "],
      ["oneOf", " or "],
    ] as const) {
      const parts = schema[key]?.map((part) => this.type(part));
      if (parts) return html`${parts.flatMap((part, index) => (index > 0 ? [word, part] : [part]))}`;
    }
    const { type = "any", format, minLength, maxLength, minimum, maximum, minItems, maxItems, uniqueItems } = schema;
    const words: Content[] = [schema.items ? html`array of ${this.type(schema.items)}` : [type].flat().join(" or ")];
    if (format !== undefined) words.push(`(${format})`);
    words.push(
      range("characters", minLength, maxLength),
      range("", minimum, maximum),
      range("items", minItems, maxItems),
      uniqueItems && "each once",
      schema.pattern !== undefined && html`matching <code>${schema.pattern}</code>`,
      schema.nullable && "or null",
    );
    const said = words.filter((word) => word !== undefined && word !== false && word !== "");
    return html`${said.flatMap((word, index) => (index === 0 ? [word] : [typeof word === "string" && word.startsWith("(") ? " " : ", ", word]))}`;
  }

  /** The values of an enumeration, folded away where there are many. */
  private values(reference: Schema): Html | undefined {
    const schema = this.follow(reference);
    const values = schema.enum ?? this.follow(schema.items ?? {}).enum;
    if (!values) return undefined;
    const list = html`<p class="values">${values.map((value) => html`<code>${String(value)}</code> `)}</p>`;
    return values.length > 8
      ? html`<details>
          <summary>${values.length} values</summary>
          ${list}
        </details>`
      : list;
  }

  private body({ requestBody }: Operation): Schema | undefined {
    return requestBody && this.follow(requestBody).content?.["application/json"]?.schema;
  }

  private examples(media: Media): unknown[] {
    const given = Object.values(media.examples ?? {}).map(({ value }) => value);
    if (given.length > 0) return given;
    return [media.example ?? this.sample(media.schema ?? {})];
  }

  /** An example of a schema's values. */
  private sample(reference: Schema, name = "value", depth = 0): unknown {
    const schema = this.follow(reference);
    const [part] = schema.oneOf ?? schema.anyOf ?? [];
    if (schema.example !== undefined) return schema.example;
    if (schema.default !== undefined) return schema.default;
    if (schema.enum) return schema.enum[0];
    if (depth > 8) return null;
    if (part) return this.sample(part, name, depth + 1);
    const properties = Object.assign(
      {},
      ...(schema.allOf ?? []).map((one) => this.follow(one).properties),
      schema.properties,
    ) as Record<string, Schema>;
    if (Object.keys(properties).length > 0) {
      return Object.fromEntries(
        Object.entries(properties).map(([key, property]) => [key, this.sample(property, key, depth + 1)]),
      );
    }
    switch ([schema.type].flat()[0]) {
      case "array":
        return schema.items ? [this.sample(schema.items, name, depth + 1)] : [];
      case "integer":
      case "number":
        return schema.minimum ?? 0;
      case "boolean":
        return true;
      case "object":
        return {};
      default:
        return "0".repeat(schema.minLength !== undefined && schema.minLength > 1 ? schema.minLength : 0) || `<${name}>`;
    }
  }

  private curl(method: string, path: string, operation: Operation): string {
    const body = this.body(operation);
    const { security = this.description.security ?? [] } = operation;
    const lines = [`curl ${this.description.servers?.[0]?.url ?? ""}${path}`];
    if (method !== (body ? "POST" : "GET")) lines.push(`--request ${method}`);
    if (security.length > 0) lines.push('--header "Authorization: Bearer $CYBRID_ACCESS_TOKEN"');
    if (body) {
      const text = json(this.sample(body)).replaceAll("'", "'\\''");
      lines.push("--header 'Content-Type: application/json'", `--data '${text}'`);
    }
    return lines.join(" \\\n  ");
  }

  private follow<T extends { $ref?: string }>(reference: T): T {
    let value = reference;
    // The checks of spec.ts have refused references that lead in a circle or nowhere.
    while (value.$ref !== undefined) value = resolve(this.spec, value.$ref) as T;
    return value;
  }
}

function hash(text: string): string {
  return `sha256-${createHash("sha256").update(text).digest("base64")}`;
}

function badge(method: string): Html {
  return html`<span class="method">${method}</span>`;
}

function securityText({ type, scheme, bearerFormat, flows = {} }: SecurityScheme): string {
  if (type === "http") return `HTTP ${scheme ?? ""}${bearerFormat === undefined ? "" : `, ${bearerFormat}`}`;
  const flow = Object.keys(flows).map((name) => name.replace(/[A-Z]/g, (letter) => ` ${letter.toLowerCase()}`));
  return type === "oauth2" ? `OAuth 2.0 ${flow.join(", ")}` : type;
}

function range(unit: string, from: number | undefined, to: number | undefined): string | undefined {
  if (from === undefined && to === undefined) return undefined;
  const span =
    from === to
      ? `${from}`
      : to === undefined
        ? `at least ${from}`
        : from === undefined
          ? `at most ${to}`
          : `${from} to ${to}`;
  return span === "at least 1" ? `at least 1 ${unit.replace(/s$/, "")}`.trimEnd() : `${span} ${unit}`.trimEnd();
}

function json(value: unknown): string {
  return JSON.stringify(value, undefined, 2);
}

/** A block of code that can be reached, scrolled and copied. */
function block(code: Html, label: string, before?: Html): Html {
  return html`<figure>
    <figcaption>${before}${label}<button type="button" class="copy">Copy</button></figcaption>
    <pre tabindex="0" aria-label="${label}"><code>${code}</code></pre>
  </figure>`;
}
