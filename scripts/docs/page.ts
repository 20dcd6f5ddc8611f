import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { type OpenApi, follow, asObject, objectsIn } from "../spec/json.js";
import { type Operation, operationsOf, parametersOf } from "../spec/operations.js";
import { anchor, escape, toHtml } from "./html.js";

/** An emulator that the page's forms send requests to. */
export interface Emulator {
  url: string;
  /** A bank token that it accepts. */
  token: string;
  /** The bodies that the forms begin with, by operationId: JSON. */
  bodies: Readonly<Record<string, unknown>>;
}

const style = readFileSync(new URL("page.css", import.meta.url), "utf8");
const script = readFileSync(new URL("browser.js", import.meta.url), "utf8");

/**
 * The reference of a description as one HTML page that loads nothing else: the pages of `generated/docs`, one below the
 * other. With an emulator, each operation has a form that sends requests to that emulator.
 *
 * @param pages Markdown by name, such as `CustomerTokensIdpApi`
 */
export function renderPage(spec: OpenApi, pages: ReadonlyMap<string, string>, emulator?: Emulator): string {
  const all = operationsOf(spec);
  const found = [...pages].map(([name, text]) => {
    const operations = all.filter((operation) => text.includes(`\n## ${operation.name}\n`));
    return { name, text, operations, rank: all.indexOf(operations[0] as Operation) };
  });
  // Operations come first, in the description's order.
  const ofOperations = found.filter(({ rank }) => rank >= 0).sort((a, b) => a.rank - b.rank);
  const ofModels = found.filter(({ rank }) => rank < 0).sort((a, b) => (a.name < b.name ? -1 : 1));
  const names = new Set(pages.keys());
  const form = (heading: string): string => {
    const operation = all.find(({ name }) => name === heading);
    return operation && emulator ? formOf(spec, operation, emulator) : "";
  };
  const sections = [...ofOperations, ...ofModels].map(({ name, text }) => toHtml(name, text, names, form));
  const link = (id: string, text: string) => `<li><a href="#${escape(id)}">${escape(text)}</a></li>`;
  const operationLinks = ofOperations.flatMap(({ name, operations }) =>
    operations.map((operation) => link(anchor(name, operation.name), operation.name)),
  );
  const servers = emulator ? [{ url: emulator.url, description: "Emulator" }] : objectsIn(spec["servers"]);
  const { title, description } = asObject(spec["info"]);
  const hash = createHash("sha256").update(script).digest("base64");
  const policy = `default-src 'none'; script-src 'sha256-${hash}'; style-src 'unsafe-inline'; img-src data:; connect-src ${emulator?.url ?? "'none'"}; base-uri 'none'; form-action 'none'`;
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="${policy}">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>${escape(title)}</title>
<link rel="icon" href="data:,">
<style>${style}</style>
</head>
<body>
<nav aria-label="Contents">
<ul>${operationLinks.join("\n")}</ul>
<ul>${ofModels.map(({ name }) => link(name, name)).join("\n")}</ul>
</nav>
<main>
<h1>${escape(title)}</h1>
<p>${escape(description ?? "")}</p>
${sections.join("\n")}
<section>
<h2>Servers</h2>
<ul>
${servers.map(({ url, description = "" }) => `<li><code>${escape(url)}</code> ${escape(description)}</li>`).join("\n")}
</ul>
</section>
</main>
<script>${script}</script>
</body>
</html>
`;
}

/** A form for an operation's arguments. Its fields' names say where their values go. */
function formOf(spec: OpenApi, operation: Operation, { url, token, bodies }: Emulator): string {
  const { fields, method, path, name } = operation;
  const secured = objectsIn(fields["security"] ?? spec["security"]).some(
    (requirement) => Object.keys(requirement).length > 0,
  );
  const input = (place: string, label: string, value = "", required = true): string =>
    `<label>${escape(label)} <input name="${escape(place)}" value="${escape(value)}"${required ? " required" : ""} spellcheck="false" autocomplete="off"></label>`;
  const inputs = parametersOf(spec, operation).map(({ name, in: place, required }) =>
    input(`${String(place)} ${String(name)}`, `${String(name)} (${String(place)})`, "", required === true),
  );
  const [media] = Object.keys(asObject(follow(spec, fields["requestBody"])["content"]));
  const body = name in bodies ? JSON.stringify(bodies[name], undefined, 2) : "";
  if (media !== undefined)
    inputs.push(
      `<label>Body <textarea name="body ${escape(media)}" rows="8" spellcheck="false">${escape(body)}</textarea></label>`,
    );
  if (secured) inputs.unshift(input("token", "Bank token", token, false));
  return `<form data-method="${escape(method.toUpperCase())}" data-url="${escape(url + path)}">
<h4>Try it on the emulator</h4>
${inputs.join("\n")}
<button type="submit">Send</button>
<output></output>
</form>
`;
}
