import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { proseKeys } from "../spec/check.js";
import { isObject, type Json, object, type OpenApi } from "../spec/json.js";

/** An emulator that the page's forms send requests to. */
export interface Emulator {
  url: string;
  /** A bank token that it accepts. */
  token: string;
  /** What stands in the forms, by operationId: JSON. */
  bodies: Readonly<Record<string, unknown>>;
}

/** TypeScript by operationId. */
type Samples = ReadonlyMap<string, string>;

const css = readFileSync(new URL("page.css", import.meta.url), "utf8");

/**
 * The reference of a description as one HTML page that loads nothing else. With an emulator it has forms that send
 * requests to that emulator, and names no other server. `library` is the library's JavaScript.
 */
export function renderPage(spec: OpenApi, library: string, samples: Samples, emulator?: Emulator): string {
  // What stands in a script element must not end it.
  const data = (value: unknown) => JSON.stringify(value).replaceAll("<", "\\u003c");
  const start = `const explorer = document.querySelector("openapi-explorer");
explorer.addEventListener("spec-loaded", async ({ detail }) => {
  for (const scheme of detail.securitySchemes) if (scheme.scheme === "bearer") scheme.finalKeyValue = ${data(emulator ? `Bearer ${emulator.token}` : "")};
  await explorer.updateComplete;
  explorer.shadowRoot.querySelector("main").tabIndex = 0; // The keyboard can scroll it.
});
explorer.loadSpec(${data(prepare(spec, samples, emulator))});`;
  const scripts = [library.replaceAll("</script", "<\\/script"), start];
  const hashes = scripts.map((script) => `'sha256-${createHash("sha256").update(script).digest("base64")}'`);
  const policy = `default-src 'none'; script-src ${hashes.join(" ")}; style-src 'unsafe-inline'; img-src data:; connect-src ${emulator?.url ?? "'none'"}; base-uri 'none'; form-action 'none'`;
  const { title: text } = object(spec["info"]);
  const title = String(text).replace(/[&<>"']/g, (character) => `&#${character.charCodeAt(0)};`);
  const attributes = emulator ? 'default-schema-tab="body"' : 'hide-console="true" hide-authentication="true"';
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="${policy}">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>${title}</title>
<link rel="icon" href="data:,">
<style>${css}</style>
</head>
<body>
<header><h1>${title}</h1></header>
<openapi-explorer ${attributes}></openapi-explorer>
${scripts.map((script) => `<script>${script}</script>`).join("\n")}
</body>
</html>
`;
}

const endpoints = new Set(["tokenUrl", "authorizationUrl", "refreshUrl", "openIdConnectUrl"]);
/**
 * What begins HTML, an entity, an image or a link in Markdown; but for links to https: and within the page. A bracket at the
 * end counts, since the library puts a colon behind titles, which would make `[a]` the definition of a link.
 */
const markup = /[<&]|!(?=\[)|\](?!\((?:https:\/\/|#))(?=[([:]|\s*$)/g;

/**
 * The description as the library gets it, with our samples. HTML in Markdown would be HTML on the page: a word joiner,
 * which nobody sees, makes text of it. With an emulator, every server and token endpoint is the emulator's, so that no
 * secret goes elsewhere.
 */
function prepare(spec: OpenApi, samples: Samples, emulator: Emulator | undefined): Json {
  const servers = emulator && [{ url: emulator.url, description: "Emulator" }];
  const copy = JSON.parse(JSON.stringify(spec), (key, value: unknown) => {
    if (typeof value === "string" && proseKeys.has(key)) return value.replace(markup, "$&\u2060");
    if (typeof value === "string" && emulator && endpoints.has(key)) return `${emulator.url}/oauth/token`;
    if (Array.isArray(value) && servers && key === "servers") return servers;
    if (!isObject(value)) return value;
    const id = String(value["operationId"]);
    const body = emulator?.bodies[id];
    const content = object(object(value["requestBody"])["content"]);
    for (const media of Object.values(content)) if (body !== undefined) object(media)["example"] = body;
    const sample = { lang: "javascript", label: "TypeScript", source: samples.get(id) };
    return samples.has(id) ? { ...value, "x-code-samples": [sample] } : value;
  }) as Json;
  return servers ? { ...copy, servers } : copy;
}
