import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import fc from "fast-check";
import type { Browser, Page } from "playwright-core";
import { afterAll, beforeAll, beforeEach, describe, expect, test, vi } from "vitest";
import { buildPage, serveDocs } from "../../scripts/docs.js";
import { readLibrary } from "../../scripts/docs/library.js";
import { type Emulator, renderPage } from "../../scripts/docs/page.js";
import { launchChromium, noChromium } from "../support/chromium.js";
import { needs } from "../support/needs.js";
import { hosts } from "../support/fixture.js";
import { readSpec } from "../../scripts/spec/check.js";
import { type Json, object, type OpenApi } from "../../scripts/spec/json.js";

const browser: Browser | undefined = await launchChromium();
const folder = await mkdtemp(join(tmpdir(), "docs-"));
const page = await buildPage();
const library = await readLibrary(".cache/docs");
const committed = await readSpec("openapi/customer-tokens.yaml");

afterAll(async () => {
  await browser?.close();
  await rm(folder, { recursive: true });
});

/** A description of its own: what stands in the committed one may change. */
const shop: OpenApi = {
  openapi: "3.0.3",
  info: { title: "Shop", version: "1" },
  servers: [{ url: "https://shop.example" }],
  security: [{ Token: [] }],
  paths: {
    "/things/{id}": {
      servers: [{ url: "https://path.example" }],
      get: {
        operationId: "getThing",
        summary: "Get a thing",
        servers: [{ url: "https://operation.example" }],
        parameters: [{ name: "id", in: "path", required: true, schema: { type: "string", enum: ["seven"] } }],
        responses: { "200": { description: "The thing" }, "404": { description: "No such thing" } },
      },
      delete: {
        operationId: "deleteThing",
        summary: "Delete a thing",
        parameters: [{ name: "id", in: "path", required: true, schema: { type: "string" } }],
        responses: { "204": { description: "Gone" } },
      },
    },
  },
  components: {
    schemas: { Color: { type: "string", enum: ["red:light", "blue"] } },
    securitySchemes: {
      Token: { type: "http", scheme: "bearer" },
      OAuth: {
        type: "oauth2",
        flows: {
          clientCredentials: {
            tokenUrl: "https://token.example/token",
            refreshUrl: "https://token.example/r",
            scopes: {},
          },
          implicit: { authorizationUrl: "https://token.example/authorize", scopes: {} },
        },
      },
    },
  },
};

const noSamples = new Map<string, string>();
/** Without the library, whose 750 kB say nothing of the page. */
const outline = (spec: OpenApi, emulator?: Emulator) => renderPage(spec, "", noSamples, emulator);
const render = (spec: OpenApi, emulator?: Emulator) => renderPage(spec, library, noSamples, emulator);

describe("the page", () => {
  test("has the same bytes each time, names the servers, and may connect to none", async () => {
    expect((await buildPage()) === page).toBe(true);
    const text = outline(committed);
    for (const { url } of committed["servers"] as { url: string }[]) expect(text).toContain(`"url":"${url}"`);
    expect(text).toContain("connect-src 'none'");
  });

  test("with an emulator, names that server and token endpoint alone", () => {
    const served = outline(shop, { url: "http://127.0.0.1:1", token: "a.b.c", bodies: {} });
    expect(served).not.toMatch(/\w+\.example\b/);
    expect(served).toContain('"tokenUrl":"http://127.0.0.1:1/oauth/token"');
    expect(served).toContain("connect-src http://127.0.0.1:1;");
    const servers = { servers: [], info: { title: "a" }, openapi: "3.0.3" };
    expect(outline(servers, { url: "http://127.0.0.1:1", token: "", bodies: {} })).toContain(
      '"servers":[{"url":"http://127.0.0.1:1"',
    );
  });
});

describe("the library", () => {
  test("is refused where its tarball is another one", async () => {
    await writeFile(join(folder, "openapi-explorer-2.4.820.tgz"), "something else");
    await expect(readLibrary(folder)).rejects.toMatchObject({
      name: "UserError",
      message: expect.stringMatching(/openapi-explorer-2\.4\.820\.tgz is not openapi-explorer 2\.4\.820: .*delete it/),
    });
  });

  test("is asked for once, and offline it is said what to do", async () => {
    const empty = join(folder, "empty");
    vi.stubEnv("npm_config_registry", "http://127.0.0.1:9/");
    vi.stubEnv("npm_config_cache", join(folder, "npm"));
    await expect(readLibrary(empty)).rejects.toMatchObject({
      name: "UserError",
      message: expect.stringMatching(
        /could not be downloaded: allow access to the npm registry once, or put its tarball at/,
      ),
    });
    expect(await readLibrary(".cache/docs")).toBe(library);
  });
});

describe("in Chromium", () => {
  beforeEach((context) => needs(context, browser, noChromium));

  let docs: Awaited<ReturnType<typeof serveDocs>>;

  beforeAll(async () => {
    docs = await serveDocs(0);
  });

  afterAll(() => docs.close());

  /** Opens a page of its own; `problems` collects what it should not do: errors, and requests to other hosts. */
  async function open(url: string, options: Parameters<Browser["newContext"]>[0] = {}) {
    const context = await (browser as Browser).newContext({ viewport: { width: 1440, height: 900 }, ...options });
    const tab = await context.newPage();
    const problems: string[] = [];
    const requests: string[] = [];
    tab.on("pageerror", (error) => problems.push(String(error)));
    tab.on("console", (message) => problems.push(message.text()));
    tab.on("dialog", (dialog) => problems.push(`a dialog: ${dialog.message()}`));
    tab.on("request", (request) => {
      const { protocol, hostname, pathname, href } = new URL(request.url());
      if (protocol === "data:") return;
      requests.push(`${request.method()} ${pathname}`);
      if (protocol !== "file:" && hostname !== "127.0.0.1") problems.push(`a request to ${href}`);
    });
    await tab.goto(url);
    await tab.getByRole("main").waitFor();
    return { tab, problems, requests, close: () => context.close() };
  }

  /** Opens a description as a file. */
  async function openSpec(spec: OpenApi) {
    const file = join(folder, `${crypto.randomUUID()}.html`);
    await writeFile(file, render(spec));
    return open(pathToFileURL(file).href);
  }

  const operation = (method: string, path: string) => `#?route=${method}-${path.replaceAll(/[{}]/g, "-")}`;
  const createCustomerToken = operation("post", "/api/customer_tokens");

  /** Goes to another part of the page, as its navigation does. */
  async function visit(tab: Page, hash: string): Promise<void> {
    await tab.evaluate((to) => (location.hash = to), hash);
    await tab.waitForFunction(
      (id) => {
        const root = document.querySelector("openapi-explorer")?.shadowRoot;
        return root?.getElementById(id) ?? root?.querySelector(`.${CSS.escape(id.replace("cmp--", ""))}`);
      },
      hash.replace("#?route=", ""),
    );
    await tab.evaluate("new Promise(requestAnimationFrame)");
  }

  /** All elements of the page, in shadow trees too: their names with what they load, and their text. */
  async function contents(tab: Page): Promise<{ text: string; elements: string[] }> {
    return tab.evaluate(() => {
      const elements: string[] = [];
      const walk = (node: Node): string => {
        if (node.nodeType === Node.TEXT_NODE) return node.textContent ?? "";
        if (node instanceof Element) {
          if (["SCRIPT", "STYLE"].includes(node.nodeName) && node.getRootNode() === document) return "";
          if (node.nodeName === "STYLE") return "";
          const handlers = node.getAttributeNames().filter((name) => /^(?:on|src|href|action)/.test(name));
          elements.push([node.nodeName, ...handlers.map((name) => `${name}=${node.getAttribute(name)}`)].join(" "));
        }
        const shadow = node instanceof Element ? node.shadowRoot : null;
        return [...(shadow ? [shadow] : []), ...node.childNodes].map(walk).join(" ");
      };
      return { text: walk(document.body).replaceAll("\u2060", ""), elements };
    });
  }

  test("shows every operation and schema of the committed description", async () => {
    const { tab, problems, close } = await open(docs.url);
    for (const [path, item] of Object.entries(object(committed["paths"]))) {
      for (const [method, { summary, responses }] of Object.entries(item as Record<string, Json>)) {
        await visit(tab, operation(method, path));
        const { text } = await contents(tab.mainFrame().page());
        for (const part of [summary, path, method, ...Object.keys(object(responses))]) expect(text).toContain(part);
      }
    }
    for (const name of Object.keys(object(object(committed["components"])["schemas"])))
      await expect(tab.getByRole("navigation").getByText(name, { exact: true }).count()).resolves.toBe(1);
    expect(problems).toEqual([]);
    await close();
  });

  test("shows methods of any kind, and the values of an enumeration", async () => {
    const { tab, problems, close } = await openSpec(shop);
    await visit(tab, operation("get", "/things/{id}"));
    expect((await contents(tab)).text).toMatch(/Get a thing[^]*\bget\b[^]*No such thing/);
    await visit(tab, operation("delete", "/things/{id}"));
    expect((await contents(tab)).text).toMatch(/Delete a thing[^]*\bdelete\b/);
    await visit(tab, "#?route=cmp--schemas-color");
    expect((await contents(tab)).text).toMatch(/red:light\W+blue/);
    expect(problems).toEqual([]);
    await close();
  });

  test("shows a hostile description as text", async () => {
    const texts = [
      "<script>alert(1)</script>",
      '"><img src=x onerror=alert(1)>',
      "[a](javascript:alert(1))",
      "[a]( javascript:alert(1))",
      "[a](java&#115;cript:alert(1))",
      "[a][b]\n\n[b]: javascript:alert(1)",
      "<javascript:alert(1)>",
      "[a](data:text/html,x)",
      "![a](https://elsewhere.example/a.png)",
      "<iframe src=//elsewhere.example></iframe>",
      "</script><script>alert(1)</script>",
      "<!-- a -->",
      "&lt;b>",
      "`<b>`",
      "${alert(1)}",
    ];
    const show = async (all: readonly string[]) => {
      const { tab, problems, requests, close } = await openSpec(withTexts(all));
      const parts = [];
      for (const part of ["overview", ...all.map((_, index) => `get-/x${index}`)]) {
        await visit(tab, `#?route=${part}`);
        parts.push(await contents(tab));
      }
      expect({ problems, requests: requests.length }).toEqual({ problems: [], requests: 1 });
      await close();
      return parts;
    };
    const kinds = (parts: readonly { elements: string[] }[]) => new Set(parts.flatMap(({ elements }) => elements));
    const harmless = kinds(await show(["text", "text"]));
    // What Markdown is for; and an image is a link to it.
    for (const kind of ["P", "EM", "STRONG", "CODE", "A href=https://elsewhere.example/a.png"]) harmless.add(kind);
    const [overview, ...operations] = await show(texts);
    expect(
      [...kinds([overview as (typeof operations)[0], ...operations])].filter((kind) => !harmless.has(kind)),
    ).toEqual([]);
    for (const [index, text] of texts.entries())
      if (!/[\n`]|^!/.test(text)) expect(operations[index]?.text).toContain(text);
  });

  test("makes no element of any Markdown but what Markdown is for", async () => {
    const pieces = ["<img src=x onerror=alert(1)>", "<script>", "</p>", "<", "[a]", "](", "(javascript:alert(1))", "!"];
    const others = [
      "[b]: javascript:a",
      "&lt;",
      "&#60;",
      "`",
      "\\",
      "*",
      "\n",
      "\n\n",
      " ",
      "https:",
      "a",
      "(",
      ")",
      ">",
      '"',
    ];
    const markdown = fc
      .array(fc.constantFrom(...pieces, ...others), { minLength: 1, maxLength: 8 })
      .map((parts) => parts.join(""));
    // The library puts a colon behind titles, which could make the definition of a link.
    const descriptions = ["[a]\n\n[a]", "[a]\n\n[a] ", ...fc.sample(markdown, 300)];
    const properties = descriptions.map((description, index) => [
      `p${index}`,
      { type: "string", title: description, description: `${description} [https](https://a.example)` },
    ]);
    const { tab, problems, close } = await openSpec({
      ...shop,
      components: { schemas: { A: { type: "object", properties: Object.fromEntries(properties) as Json } } },
    });
    await visit(tab, "#?route=cmp--schemas-a");
    const { elements } = await contents(tab);
    expect(elements.filter((element) => element.startsWith("A href=https://a.example")).length).toBeGreaterThan(100);
    const odd = elements.filter((element) =>
      /^(?:IMG|SCRIPT|IFRAME|SVG|OBJECT|EMBED)\b| on|=(?!#|https:\/\/a\.example)/i.test(element),
    );
    expect(odd).toEqual(["LINK href=data:,"].filter((element) => elements.includes(element)));
    expect(problems).toEqual([]);
    await close();
  });

  const send = (tab: Page) => tab.getByRole("button", { name: "Execute" }).click();
  const bodyField = (tab: Page) => tab.getByRole("textbox", { name: "request body" });
  /** The answer once it is there: its status line and its body. */
  async function answer(tab: Page, status: number): Promise<Json> {
    await tab.getByText(new RegExp(`Response Status: .*\\(${status}\\)`)).waitFor();
    const text = await tab.getByRole("region", { name: "Response" }).first().textContent();
    return JSON.parse(text ?? "") as Json;
  }

  test("sends the operation's request to the emulator and shows 201 and the token", async () => {
    const { tab, problems, requests, close } = await open(docs.url);
    await visit(tab, createCustomerToken);
    expect((await contents(tab)).text).toMatch(/Create customer access token[^]*post[^]*\/api\/customer_tokens/);
    await send(tab);
    const { access_token } = await answer(tab, 201);
    expect(claims(access_token)).toMatchObject({ sub_type: "customer", scope: ["customers:read", "accounts:read"] });
    expect(requests).toEqual(["GET /", "POST /api/customer_tokens"]);
    expect(problems).toEqual([]);
    await close();
  });

  test("gets a bank token from the emulator", async () => {
    const { tab, problems, requests, close } = await open(docs.url);
    await visit(tab, operation("post", "/oauth/token"));
    await send(tab);
    expect(claims((await answer(tab, 200))["access_token"])).toMatchObject({ sub_type: "bank" });
    await visit(tab, "#?route=auth");
    await tab.getByPlaceholder("Client ID").fill("emulator-client");
    await tab.getByPlaceholder("Client Secret").fill("emulator-secret");
    await tab.getByRole("button", { name: "Get token" }).click();
    await tab.getByText("Access Token Received").waitFor();
    expect(requests).toEqual(["GET /", "POST /oauth/token", "POST /oauth/token"]);
    expect(problems).toEqual([]);
    await close();
  });

  test("shows a refusal as the service words it", async () => {
    const { tab, close } = await open(docs.url);
    await visit(tab, createCustomerToken);
    await bodyField(tab).fill(JSON.stringify({ customer_guid: "f".repeat(32), scopes: ["customers:read"] }));
    await send(tab);
    expect(await answer(tab, 422)).toEqual({
      status: 422,
      error_message: "Unknown customer",
      message_code: "no_customer",
    });
    await visit(tab, "#?route=auth");
    await tab.getByRole("button", { name: "Clear all API keys" }).click();
    await visit(tab, createCustomerToken);
    await send(tab);
    await answer(tab, 401);
    await close();
  });

  test("copies a sample", async () => {
    const permissions = ["clipboard-read", "clipboard-write"];
    const { tab, problems, close } = await open(docs.url, { permissions });
    await visit(tab, createCustomerToken);
    await tab.getByRole("button", { name: "Copy" }).first().click();
    await tab.getByText("Copied").first().waitFor();
    const sample = await readFile("scripts/examples/createCustomerToken.ts", "utf8");
    expect((await tab.evaluate(() => navigator.clipboard.readText())).trim()).toBe(sample.trim());
    expect(problems).toEqual([]);
    await close();
  });

  test("reads as a file, has no form, and loads nothing else", async () => {
    const file = join(folder, "index.html");
    await writeFile(file, page);
    const { tab, problems, requests, close } = await open(pathToFileURL(file).href);
    for (const part of ["overview", "servers", createCustomerToken.replace("#?route=", "")]) {
      await visit(tab, `#?route=${part}`);
      // What filters the navigation and chooses a server sends nothing.
      expect(await tab.getByRole("main").getByRole("textbox").count()).toBe(0);
      expect(await tab.getByRole("button", { name: /execute|token/i }).count()).toBe(0);
    }
    expect(await tab.evaluate(`fetch('${hosts["sandbox"]}').then(() => 'sent', () => 'refused')`)).toBe("refused");
    expect(problems.splice(0)).toEqual([expect.stringContaining("connect-src 'none'"), expect.anything()]);
    expect({ problems, requests }).toEqual({ problems: [], requests: [`GET ${file}`] });
    await close();
  });

  test.each([
    [1440, "light"],
    [1440, "dark"],
    [390, "light"],
  ] as const)("at %i pixels, %s: fits, and axe finds nothing against it", async (width, colorScheme) => {
    const { tab, close } = await open(docs.url, { viewport: { width, height: 844 }, colorScheme });
    const axe = await readFile(fileURLToPath(import.meta.resolve("axe-core/axe.min.js")), "utf8");
    // Halfway through a fade, a color is not yet what it will be: fades end at once, within shadow roots too.
    const devTools = await tab.context().newCDPSession(tab);
    await devTools.send("Animation.enable");
    await devTools.send("Animation.setPlaybackRate", { playbackRate: 1e6 });
    const check = async () => {
      expect(await tab.evaluate(() => document.documentElement.scrollWidth)).toBe(width);
      await tab.evaluate(axe);
      const { violations, passes } = await tab.evaluate<{
        violations: { id: string; nodes: { html: string }[] }[];
        passes: unknown[];
      }>("axe.run()");
      expect(violations.map(({ id, nodes }) => [id, nodes.map(({ html }) => html)])).toEqual([]);
      expect(passes.length).toBeGreaterThan(20);
    };
    // A narrow page shows all of it, one below the other.
    const parts = width < 768 ? [] : ["overview", "auth", "cmp--schemas-postcustomertoken"];
    for (const part of parts) {
      await visit(tab, `#?route=${part}`);
      await check();
    }
    await visit(tab, createCustomerToken);
    await send(tab);
    await answer(tab, 201);
    await check();
    await close();
  });
});

function claims(jwt: unknown): unknown {
  return JSON.parse(Buffer.from(String(jwt).split(".")[1] ?? "", "base64url").toString());
}

/** A description with an operation for each text, which says it wherever it can. */
function withTexts(texts: readonly string[]): OpenApi {
  const all = texts.join("\n\n");
  const operation = (text: string): Json => {
    const property = { type: "string", title: text, description: text, enum: [text], example: text, pattern: text };
    const schema = { type: "object", description: text, properties: { a: property } };
    const media = { schema, examples: { a: { summary: text, description: text, value: { a: text } } } };
    const headers = { H: { description: text, schema: property } };
    return {
      tags: ["tag"],
      summary: text,
      description: text,
      parameters: [{ name: "a", in: "query", description: text, example: text, schema: property }],
      requestBody: { description: text, content: { "application/json": media } },
      responses: { "200": { description: text, headers, content: { "application/json": media } } },
    };
  };
  return {
    openapi: "3.0.3",
    info: { title: all, description: all, version: all },
    servers: [{ url: "https://a.example", description: all }],
    tags: [{ name: "tag", description: all }],
    paths: Object.fromEntries(texts.map((text, index) => [`/x${index}`, { get: operation(text) }])),
    components: { securitySchemes: { a: { type: "http", scheme: "bearer", description: all, bearerFormat: all } } },
  };
}
