import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import fc from "fast-check";
import type { Browser, Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { spec } from "../../generated/emulator/spec.js";
import { launchChromium, noChromium } from "../../scripts/package/chromium.js";
import { buildPage, serveDocs } from "../../scripts/docs.js";
import { renderPage } from "../../scripts/docs/page.js";
import type { OpenApi } from "../../scripts/spec/json.js";

const browser: Browser | undefined = await launchChromium();
const page = await buildPage();

afterAll(() => browser?.close());

describe("the page", () => {
  test("has every operation, schema, scope and error code of the description", () => {
    const operations = Object.entries(spec.paths).map(([path, { post }]) => [path, post] as const);
    for (const [path, { operationId, summary, responses }] of operations) {
      expect(page).toContain(`<section id="${operationId}"`);
      expect(page).toContain(`<h2>${summary}</h2>`);
      expect(page).toContain(`<code>${path}</code>`);
      for (const response of Object.values(responses) as { "x-message-codes"?: string[] }[]) {
        for (const code of response["x-message-codes"] ?? [])
          expect(page).toContain(`<th scope="row"><code>${code}</code></th>`);
      }
    }
    for (const name of Object.keys(spec.components.schemas)) expect(page).toContain(`<article id="schema-${name}">`);
    for (const scope of spec.components.schemas.PostCustomerToken.properties.scopes.items.enum) {
      expect(page).toContain(`<code title="${scope}">`);
    }
  });

  test("has the same bytes each time, and no form without an emulator", async () => {
    expect(await buildPage()).toBe(page);
    expect(page).not.toContain("<form");
    expect(page).toContain("connect-src &#39;none&#39;");
  });

  test("shows a hostile description as text", () => {
    const parts = { css: "", script: "", samples: new Map<string, string>() };
    const render = (text: string) => renderPage(withText(text), parts);
    const tags = (html: string) => [...new Set(html.match(/<[a-z!][^\s>]*/gi))].sort().join();
    const harmless = tags(render("text"));
    for (const text of [
      "<script>alert(1)</script>",
      '"><img src=x onerror=alert(1)>',
      "[a](javascript:alert(1))",
      "[a](data:text/html,x)",
      "![a](https://example.com/a.png)",
      "<!-- a -->",
    ]) {
      expect(tags(render(text))).toBe(harmless);
      expect(render(text)).not.toMatch(/\b(?:href|src)="(?!#|https:|data:,)/);
    }
    fc.assert(
      fc.property(fc.stringMatching(/^[<>"'&a-z/= ]*$/), (text) => {
        expect(render(text)).not.toMatch(
          /<(?:script|img|svg|iframe|object|embed|form|input)\b[^>]*(?:src|on\w+|action)\s*=/i,
        );
        expect(render(text).match(/<script/g)).toHaveLength(1);
      }),
    );
  });
});

/** The description with one text wherever it can say something. */
function withText(text: string): OpenApi {
  return {
    openapi: "3.0.3",
    info: { title: text, description: text },
    servers: [{ url: text, description: text }],
    paths: {
      "/x": {
        get: {
          operationId: "x",
          summary: text,
          description: text,
          parameters: [{ name: text, in: text, description: text, schema: { type: "string", pattern: text } }],
          responses: {
            "200": {
              description: text,
              "x-message-codes": [text],
              content: { "application/json": { schema: { type: "string", enum: [text], description: text } } },
            },
          },
        },
      },
    },
    components: {
      securitySchemes: { a: { type: text, description: text } },
      schemas: { A: { description: text, type: text } },
    },
  };
}

describe.skipIf(browser === undefined)(browser ? "in Chromium" : `skipped: ${noChromium}`, () => {
  let docs: Awaited<ReturnType<typeof serveDocs>>;

  beforeAll(async () => {
    docs = await serveDocs(0);
  });

  afterAll(() => docs.close());

  /** Opens a page of its own; `problems` collects what it should not do: errors, and requests to other hosts. */
  async function open(url: string, options: Parameters<Browser["newContext"]>[0] = {}) {
    const context = await (browser as Browser).newContext(options);
    const tab = await context.newPage();
    const problems: string[] = [];
    const requests: string[] = [];
    tab.on("pageerror", (error) => problems.push(String(error)));
    tab.on("console", (message) => problems.push(message.text()));
    tab.on("request", (request) => {
      const { protocol, hostname, pathname } = new URL(request.url());
      requests.push(`${request.method()} ${pathname}`);
      if (protocol !== "file:" && hostname !== "127.0.0.1") problems.push(`a request to ${hostname}`);
    });
    await tab.goto(url);
    return { tab, problems, requests, close: () => context.close() };
  }

  const form = (tab: Page) => tab.getByRole("form", { name: "Try Create customer access token" });

  test("sends the operation's request to the emulator and shows 201 and the token's claims", async () => {
    const { tab, problems, requests, close } = await open(docs.url);
    const operation = tab.locator("#createCustomerToken");
    expect(await operation.getByRole("heading", { level: 2 }).textContent()).toBe("Create customer access token");
    expect(await operation.locator(".endpoint").textContent()).toBe("POST /api/customer_tokens");
    await form(tab).getByRole("button", { name: "Send" }).click();
    const output = form(tab).getByRole("status");
    await output.getByText("201", { exact: true }).waitFor();
    const claims = JSON.parse((await output.getByLabel("Claims").textContent()) ?? "") as { sub_type: string };
    expect(claims.sub_type).toBe("customer");
    expect(requests).toEqual(["GET /", "POST /oauth/token", "POST /api/customer_tokens"]);
    expect(problems).toEqual([]);
    await close();
  });

  test("shows a refusal as the service words it", async () => {
    const { tab, close } = await open(docs.url);
    await form(tab)
      .getByLabel("Body")
      .fill(JSON.stringify({ customer_guid: "f".repeat(32), scopes: ["customers:read"] }));
    await form(tab).getByRole("button", { name: "Send" }).click();
    const output = form(tab).getByRole("status");
    await output.getByText("422", { exact: true }).waitFor();
    expect(JSON.parse((await output.getByLabel("Answer").textContent()) ?? "")).toEqual({
      status: 422,
      error_message: "Unknown customer",
      message_code: "no_customer",
    });
    await form(tab).getByLabel("Bank token").fill("not-a-token");
    await form(tab).getByRole("button", { name: "Send" }).click();
    await output.getByText("401", { exact: true }).waitFor();
    await close();
  });

  test("copies a sample", async () => {
    const permissions = ["clipboard-read", "clipboard-write"];
    const { tab, problems, close } = await open(docs.url, { permissions });
    await tab.locator("#createCustomerToken").getByRole("button", { name: "Copy" }).first().click();
    await tab.getByRole("button", { name: "Copied" }).waitFor();
    const sample = await readFile("scripts/examples/createCustomerToken.ts", "utf8");
    expect(await tab.evaluate(() => navigator.clipboard.readText())).toBe(sample.trim());
    expect(problems).toEqual([]);
    await close();
  });

  test("reads as a file and without JavaScript, and loads nothing else", async () => {
    const folder = await mkdtemp(join(tmpdir(), "docs-"));
    const file = join(folder, "index.html");
    await writeFile(file, page);
    const { tab, problems, requests, close } = await open(pathToFileURL(file).href, { javaScriptEnabled: false });
    expect(await tab.getByRole("heading", { level: 2, name: "Create customer access token" }).isVisible()).toBe(true);
    const operation = tab.locator("#createCustomerToken");
    expect(await operation.getByLabel("curl sample").isVisible()).toBe(false);
    await operation.getByLabel("curl", { exact: true }).check();
    expect(await operation.getByLabel("curl sample").isVisible()).toBe(true);
    expect({ problems, requests }).toEqual({ problems: [], requests: [`GET ${file}`] });
    await close();
    await rm(folder, { recursive: true });
  });

  test.each([
    [1440, "dark"],
    [390, "light"],
  ] as const)("at %i pixels, %s: fits, and axe finds nothing against it", async (width, colorScheme) => {
    const { tab, close } = await open(docs.url, { viewport: { width, height: 844 }, colorScheme });
    await tab.locator("details").evaluateAll((all) => all.forEach((element) => element.setAttribute("open", "")));
    expect(await tab.evaluate(() => document.documentElement.scrollWidth)).toBe(width);
    await tab.evaluate(await readFile(fileURLToPath(import.meta.resolve("axe-core/axe.min.js")), "utf8"));
    const { violations, passes } = await tab.evaluate<{
      violations: { id: string; nodes: { html: string }[] }[];
      passes: unknown[];
    }>("axe.run()");
    expect(violations.map(({ id, nodes }) => [id, nodes.map(({ html }) => html)])).toEqual([]);
    expect(passes.length).toBeGreaterThan(20);
    await close();
  });
});
