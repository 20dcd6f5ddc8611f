import { createHash } from "node:crypto";
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

/** What the page is made of. */
export interface Parts {
  spec: OpenApi;
  /** The library's JavaScript. */
  library: string;
  /** TypeScript samples by operationId. */
  samples: ReadonlyMap<string, string>;
  emulator?: Emulator | undefined;
}

// The library's own colors have too little contrast. It computes with those from --red to --purple: no light-dark() there.
const css = `
:root { color-scheme: light dark; }
body { margin: 0; background: light-dark(#fff, #15181c); }
h1 { position: absolute; clip-path: inset(50%); }
openapi-explorer {
  --red: #b3261e; --orange: #8f4a00; --yellow: #6f5500; --green: #116329; --blue: #0b57d0; --purple: #6f42c1;
  --bg: light-dark(#fff, #15181c); --bg2: light-dark(#f6f7f8, #1c2126); --bg3: light-dark(#eef0f2, #232a31);
  --light-red: var(--bg3); --light-orange: var(--bg3); --light-yellow: var(--bg3); --light-green: var(--bg3);
  --light-blue: var(--bg3); --light-purple: var(--bg3); --light-gray: var(--bg3); --light-bg: var(--bg3);
  --input-bg: var(--bg); --hover-color: var(--bg3); --nav-bg-color: var(--bg2); --nav-hover-bg-color: var(--bg3);
  --fg: light-dark(#24292f, #e6e8ea); --fg2: var(--fg); --fg3: var(--fg); --light-fg: light-dark(#57606a, #a9b1ba);
  --code-fg: var(--fg); --nav-text-color: var(--fg); --nav-hover-text-color: var(--fg); --placeholder-color: var(--light-fg);
  --border-color: light-dark(#d0d7de, #3d444d); --light-border-color: var(--border-color); --font-mono: monospace;
  --primary-color: light-dark(#1f4f6b, #9ecbe6); --primary-btn-text-color: var(--bg); --code-keyword-color: var(--blue);
  --header-bg: var(--primary-color); --header-fg: var(--bg); --secondary-color: light-dark(#8a3b00, #f0b27a);
  --code-property-color: var(--purple); --code-operator-color: var(--orange); --inline-code-fg: var(--secondary-color);
}
openapi-explorer::part(btn-try) { color: var(--bg); }
@media (prefers-color-scheme: dark) {
  openapi-explorer { --red: #ff9b93; --orange: #ffb77c; --yellow: #f2cc60; --green: #7ee2a0; --blue: #8ab4f8; --purple: #c9a9ff; }
}`;

/**
 * The reference of a description as one HTML page that loads nothing else. With an emulator it has forms that send
 * requests to that emulator, and names no other server.
 */
export function renderPage({ spec, library, samples, emulator }: Parts): string {
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
  const policy = [
    "default-src 'none'",
    `script-src ${hashes.join(" ")}`,
    "style-src 'unsafe-inline'",
    "img-src data:",
    `connect-src ${emulator?.url ?? "'none'"}`,
    "base-uri 'none'",
    "form-action 'none'",
  ].join("; ");
  const text = String(object(spec["info"])["title"]);
  const title = text.replace(/[&<>"']/g, (character) => `&#${character.charCodeAt(0)};`);
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
function prepare(spec: OpenApi, samples: ReadonlyMap<string, string>, emulator: Emulator | undefined): Json {
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
    const source = samples.get(id);
    if (source === undefined) return value;
    return { ...value, "x-code-samples": [{ lang: "javascript", label: "TypeScript", source }] };
  }) as Json;
  return servers ? { ...copy, servers } : copy;
}
