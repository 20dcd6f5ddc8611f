import { mkdir, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { basename, join } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import fc from "fast-check";
import type { Browser, Page } from "playwright-core";
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { buildPage, serveDocs } from "../../scripts/docs.js";
import { type Emulator, renderPage } from "../../scripts/docs/page.js";
import { generate } from "../../scripts/generate.js";
import { readTree } from "../../scripts/generate/files.js";
import { readSpec } from "../../scripts/spec/check.js";
import { type OpenApi, list, object, schemasOf } from "../../scripts/spec/json.js";
import { operationsOf } from "../../scripts/spec/operations.js";
import { launchChromium, noChromium } from "../support/chromium.js";
import { extendedDescription } from "../support/described.js";
import { hosts } from "../support/fixture.js";
import { needs } from "../support/needs.js";

const browser: Browser | undefined = await launchChromium();
const folder = await mkdtemp(join(tmpdir(), "docs-"));
const page = await buildPage();
const committed = await readSpec("openapi/customer-tokens.yaml");

afterAll(async () => {
  await browser?.close();
  await rm(folder, { recursive: true });
});

const emulator: Emulator = { url: "http://127.0.0.1:1", token: "a.b.c", bodies: {} };

/** A description of one operation, as far as the page looks at it. */
const thing: OpenApi = {
  openapi: "3.0.3",
  info: { title: "Things" },
  servers: [{ url: "https://things.example" }],
  paths: {
    "/things/{id}": {
      put: {
        operationId: "putThing",
        parameters: [
          { name: "id", in: "path", required: true },
          { name: "q", in: "query" },
          { name: "X-Kind", in: "header" },
        ],
        requestBody: { content: { "text/plain": {} } },
      },
    },
  },
};
const pagesOf = (text: string) => new Map([["ThingsIdpApi", `# ThingsIdpApi\n\n## putThing\n\n${text}\n`]]);

describe("the page", () => {
  test("has the same bytes each time, names the servers, and may connect to none", async () => {
    expect(await buildPage()).toBe(page);
    for (const host of Object.values(hosts)) expect(page).toContain(`<code>${host}</code>`);
    expect(page).toContain("connect-src 'none'");
    expect(page).not.toContain("<form");
  });

  test("of another description has the pages next to that", async () => {
    const spec = join(folder, "things", "spec.yaml");
    const pages = join(folder, "things", "generated", "docs");
    const paths = { "/things": { get: { operationId: "getThings", responses: { 200: { description: "" } } } } };
    await expect(buildPage(undefined, spec)).rejects.toThrow(/^there are no pages in .*generated/);
    await mkdir(pages, { recursive: true });
    await writeFile(spec, JSON.stringify({ ...thing, paths }));
    await writeFile(join(pages, "ThingsIdpApi.md"), "# ThingsIdpApi\n\nOther words.\n");
    expect(await buildPage(undefined, spec)).toContain("<p>Other words.</p>");
  });

  test("with an emulator, sends to that one alone, and names no other server", () => {
    const served = renderPage(thing, pagesOf("text"), emulator);
    expect(served).toContain("connect-src http://127.0.0.1:1;");
    expect(served).toContain('data-url="http://127.0.0.1:1/things/{id}"');
    expect(served).not.toContain("things.example");
  });

  test("asks for a bank token only if the operation has security", () => {
    const withSecurity = (security: unknown) => renderPage({ ...thing, security }, pagesOf(""), emulator);
    expect(withSecurity([{ Bearer: [] }])).toContain('name="token" value="a.b.c"');
    for (const none of [undefined, [], [{}]]) expect(withSecurity(none)).not.toContain("a.b.c");
  });
});

describe("in Chromium", () => {
  let docs: Awaited<ReturnType<typeof serveDocs>>;

  beforeEach((context) => needs(context, browser, noChromium));
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
      const { protocol, hostname, pathname, search, href } = new URL(request.url());
      if (protocol === "data:") return;
      requests.push(`${request.method()} ${pathname}${search}`);
      if (protocol !== "file:" && hostname !== "127.0.0.1") problems.push(`a request to ${href}`);
    });
    await tab.goto(url);
    return { tab, problems, requests, close: () => context.close() };
  }

  async function openFile(html: string, options: Parameters<Browser["newContext"]>[0] = {}) {
    const file = join(folder, `${crypto.randomUUID()}.html`);
    await writeFile(file, html);
    return { ...(await open(pathToFileURL(file).href, options)), file };
  }

  /** The names of all elements, with what they load or run. */
  const elementsOf = (tab: Page): Promise<string[]> =>
    tab.evaluate(() =>
      [...document.querySelectorAll("*")].map((element) => {
        const risky = element.getAttributeNames().filter((name) => /^(?:on|src|href|action|style)/.test(name));
        return [element.nodeName, ...risky.map((name) => `${name}=${element.getAttribute(name)}`)].join(" ");
      }),
    );

  const section = (tab: Page, name: string) => {
    const path = operationsOf(committed).find((operation) => operation.name === name)?.path;
    return tab.locator(`form[data-url$="${path}"]`);
  };

  test("opens at the operation, in the system's font", async () => {
    const { tab, problems, close } = await openFile(page);
    const isInView = (text: string) =>
      tab
        .getByText(text, { exact: true })
        .first()
        .evaluate((element) => element.getBoundingClientRect().bottom < innerHeight);
    expect(await isInView("createCustomerToken(postCustomerTokenIdpModel): CustomerTokenIdpModel")).toBe(true);
    expect(await isInView("/api/customer_tokens")).toBe(true);
    expect(await tab.evaluate(() => getComputedStyle(document.body).fontFamily)).toMatch(/^system-ui/);
    expect(problems).toEqual([]);
    await close();
  });

  test("shows every operation and model, and links lead to them", async () => {
    const { tab, problems, close } = await openFile(page);
    for (const { name, path, fields } of operationsOf(committed)) {
      // An operation is on the page of each of its tags.
      const pages = Math.max(1, list(fields["tags"]).length);
      await expect(tab.getByRole("heading", { name, exact: true }).count()).resolves.toBe(pages);
      for (const text of [path, ...Object.keys(object(fields["responses"]))])
        expect(await tab.getByText(text, { exact: true }).count()).toBeGreaterThan(0);
    }
    for (const name of Object.keys(schemasOf(committed)))
      await expect(tab.getByRole("heading", { name: `${name}IdpModel`, exact: true }).count()).resolves.toBe(1);
    expect(await brokenLinks(tab)).toEqual([]);
    expect(problems).toEqual([]);
    await close();
  });

  const brokenLinks = (tab: Page): Promise<string[]> =>
    tab.evaluate(() => {
      const links = [...document.querySelectorAll("a[href^='#']")].map((link) => link.getAttribute("href") ?? "");
      return links.filter((link) => document.querySelectorAll(`[id="${link.slice(1)}"]`).length !== 1);
    });

  test("shows operations of any kind, with a form each, also one with several tags", async () => {
    const source = join(folder, "description.yaml");
    const spec = await extendedDescription();
    await writeFile(source, JSON.stringify(spec));
    await generate({ spec: source, out: join(folder, "generated") });
    const files = await readTree(join(folder, "generated", "docs"));
    const pages = new Map([...files].map(([path, text]) => [basename(path, ".md"), text]));
    const { tab, problems, close } = await openFile(renderPage(spec, pages, emulator));
    expect(await brokenLinks(tab)).toEqual([]);
    // listNotes is on two pages.
    await expect(tab.locator("form").count()).resolves.toBe(operationsOf(spec).length + 1);
    await expect(tab.locator("form[data-method=DELETE] label").allTextContents()).resolves.toEqual([
      "note_guid (path) ",
    ]);
    expect(problems).toEqual([]);
    await close();
  });

  const hostile = [
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
    "</style><script>alert(1)</script>",
    "<!-- a -->",
    "| <b> |\n| --- |\n| </td><img src=x onerror=alert(1)> |",
    "```html\n</pre><script>alert(1)</script>\n```",
    "`<b>`",
    "${alert(1)}",
  ];

  test("shows hostile Markdown and descriptions as text, though neither comes past the checks before", async () => {
    const title = hostile[1];
    const spec = { ...thing, info: { title, description: hostile[0] }, servers: [{ url: title, description: title }] };
    const bodies = { putThing: { a: "</textarea><script>alert(1)</script>" } };
    const html = renderPage(spec, pagesOf(hostile.join("\n\n")), { ...emulator, token: title ?? "", bodies });
    const { tab, problems, requests, close } = await openFile(html);
    const allowed =
      /^(?:HTML|HEAD|META|TITLE|STYLE|BODY|NAV|UL|LI|MAIN|H\d|P|SECTION|CODE|PRE|DIV|BUTTON|TABLE|THEAD|TBODY|TR|T[HD]|FORM|LABEL|INPUT|TEXTAREA|OUTPUT|SCRIPT|LINK href=data:,|A href=#\S*)$/;
    expect((await elementsOf(tab)).filter((element) => !allowed.test(element))).toEqual([]);
    expect(await tab.locator("script").count()).toBe(1);
    expect({ problems, requests: requests.length }).toEqual({ problems: [], requests: 1 });
    const text = (await tab.locator("main").textContent()) ?? "";
    for (const each of [
      "<script>alert(1)</script>",
      "<iframe src=//elsewhere.example></iframe>",
      "</td><img src=x onerror=alert(1)>",
      "${alert(1)}",
    ])
      expect(text).toContain(each);
    await close();
  });

  test("makes no element of any Markdown but what Markdown is for", async () => {
    const pieces = [
      "<img src=x onerror=alert(1)>",
      "<script>",
      "</p>",
      "<",
      "[a]",
      "](",
      "(javascript:alert(1))",
      "!",
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
      "|",
      "(",
      ")",
      ">",
      '"',
    ];
    const markdown = fc
      .array(fc.constantFrom(...pieces), { minLength: 1, maxLength: 8 })
      .map((parts) => parts.join(""));
    const all = fc.sample(markdown, { numRuns: 500, seed: 1 });
    const { tab, problems, close } = await openFile(renderPage(thing, pagesOf(all.join("\n\n")), emulator));
    const elements = await elementsOf(tab);
    const odd = elements.filter((element) =>
      /^(?:IMG|IFRAME|SVG|OBJECT|EMBED)\b| on|=(?!#|https:|data:,)/i.test(element),
    );
    expect(odd).toEqual([]);
    expect(await tab.locator("script").count()).toBe(1);
    expect(problems).toEqual([]);
    await close();
  });

  const answer = async (tab: Page, operation: string): Promise<{ status: string; body: Record<string, unknown> }> => {
    const output = section(tab, operation).getByRole("status");
    await expect.poll(() => output.textContent()).toMatch(/^\d/);
    const [status = "", ...body] = ((await output.textContent()) ?? "").split("\n");
    return { status, body: JSON.parse(body.join("\n")) as Record<string, unknown> };
  };
  const send = (tab: Page, operation: string) => section(tab, operation).getByRole("button", { name: "Send" }).click();

  test("sends the operation's request to the emulator and shows 201 and the token", async () => {
    const { tab, problems, requests, close } = await open(docs.url);
    await send(tab, "createCustomerToken");
    const { status, body } = await answer(tab, "createCustomerToken");
    expect(status).toBe("201 Created");
    expect(claims(body["access_token"])).toMatchObject({
      sub_type: "customer",
      scope: ["customers:read", "accounts:read"],
    });
    await send(tab, "createAccessToken");
    expect(claims((await answer(tab, "createAccessToken")).body["access_token"])).toMatchObject({ sub_type: "bank" });
    expect(requests).toEqual(["GET /", "POST /api/customer_tokens", "POST /oauth/token"]);
    expect(problems).toEqual([]);
    await close();
  });

  test("shows a refusal as the service words it", async () => {
    const { tab, close } = await open(docs.url);
    const form = section(tab, "createCustomerToken");
    await form.getByLabel("Body").fill(JSON.stringify({ customer_guid: "f".repeat(32), scopes: ["customers:read"] }));
    await send(tab, "createCustomerToken");
    expect(await answer(tab, "createCustomerToken")).toEqual({
      status: "422 Unprocessable Entity",
      body: { status: 422, error_message: "Unknown customer", message_code: "no_customer" },
    });
    await form.getByLabel("Bank token").fill("");
    await send(tab, "createCustomerToken");
    await expect.poll(() => form.getByRole("status").textContent()).toMatch(/^401/);
    await close();
  });

  test("puts each value in its place, and says so if nothing responds", async () => {
    const { tab, requests, close } = await openFile(renderPage(thing, pagesOf(""), emulator));
    let sent: unknown;
    await tab.route("**/things/**", async (route) => {
      const request = route.request();
      sent = { kind: request.headers()["x-kind"], type: request.headers()["content-type"], body: request.postData() };
      await route.abort();
    });
    await tab.getByLabel("id (path)").fill("a/b");
    await tab.getByLabel("q (query)").fill("c&d");
    await tab.getByLabel("X-Kind (header)").fill("e");
    await tab.getByLabel("Body").fill("f");
    await tab.getByRole("button", { name: "Send" }).click();
    await expect.poll(() => tab.getByRole("status").textContent()).toBe("TypeError: Failed to fetch");
    expect(requests.at(-1)).toBe("PUT /things/a%2Fb?q=c%26d");
    expect(sent).toEqual({ kind: "e", type: "text/plain", body: "f" });
    await close();
  });

  test("copies an example, or selects it if it may not", async () => {
    const { tab, problems, close } = await open(docs.url, { permissions: ["clipboard-read", "clipboard-write"] });
    const copy = tab.getByRole("button", { name: "Copy" }).first();
    const [example, button] = await Promise.all([tab.locator(".code code").first().boundingBox(), copy.boundingBox()]);
    expect((button?.y ?? 0) + (button?.height ?? 0)).toBeLessThanOrEqual(example?.y ?? 0);
    await copy.click();
    await tab.getByText("Copied").waitFor();
    const sample = await readFile("scripts/examples/createCustomerToken.ts", "utf8");
    expect((await tab.evaluate(() => navigator.clipboard.readText())).trim()).toBe(sample.trim());
    await tab.context().clearPermissions();
    await tab.evaluate("delete Navigator.prototype.clipboard");
    await tab.getByRole("button", { name: "Copy" }).first().click();
    await tab.getByText("Selected").waitFor();
    expect(problems).toEqual([]);
    await close();
  });

  test("reads as a file, has no form, and loads nothing else", async () => {
    const { tab, problems, requests, file, close } = await openFile(page);
    await expect(tab.locator("form").count()).resolves.toBe(0);
    const attempt = `fetch('${hosts["sandbox"]}').then(() => 'sent', () => 'refused')`;
    expect(await tab.evaluate(attempt)).toBe("refused");
    expect(problems.splice(0)).toEqual([expect.stringContaining("connect-src 'none'"), expect.anything()]);
    expect({ problems, requests }).toEqual({ problems: [], requests: [`GET ${pathToFileURL(file).pathname}`] });
    await close();
  });

  test("prints all of it, on several pages", async () => {
    const { tab, close } = await openFile(page);
    const pdf = await tab.pdf();
    expect(pdf.toString("latin1").match(/\/Type \/Page\b/g)?.length).toBeGreaterThan(3);
    await tab.emulateMedia({ media: "print" });
    await expect(tab.getByRole("navigation").isVisible()).resolves.toBe(false);
    // Nothing scrolls on its own, so nothing is cut off.
    const cut = await tab.evaluate(
      () =>
        [...document.querySelectorAll("main *")].filter(
          (each) => each.scrollHeight > each.clientHeight + 1 && getComputedStyle(each).overflowY !== "visible",
        ).length,
    );
    expect(cut).toBe(0);
    await close();
  });

  test.each([
    [1440, "light"],
    [1440, "dark"],
    [768, "light"],
    [390, "light"],
    [320, "dark"],
  ] as const)("at %i pixels, %s: fits, and axe finds nothing against it", async (width, colorScheme) => {
    const { tab, close } = await open(docs.url, { viewport: { width, height: 844 }, colorScheme });
    await send(tab, "createCustomerToken");
    await answer(tab, "createCustomerToken");
    const wide = await tab.evaluate(() =>
      [...document.querySelectorAll("main *")]
        .filter((each) => each.getBoundingClientRect().right > innerWidth)
        .map((each) => each.outerHTML.slice(0, 80)),
    );
    expect(wide).toEqual([]);
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

function claims(jwt: unknown): unknown {
  return JSON.parse(Buffer.from(String(jwt).split(".")[1] ?? "", "base64url").toString());
}
