import { readFile } from "node:fs/promises";
import { fileURLToPath, pathToFileURL } from "node:url";
import fc from "fast-check";
import type { Browser, Page } from "playwright-core";
import { afterAll, beforeAll, beforeEach, describe, expect, onTestFinished, test } from "vitest";
import { buildPage, serveDocs } from "../../scripts/docs.js";
import { type Emulator, renderPage } from "../../scripts/docs/page.js";
import { generate } from "../../scripts/generate.js";
import { readSpec } from "../../scripts/spec/read.js";
import { type OpenApi, asArray, asObject, schemasOf } from "../../scripts/spec/json.js";
import { operationsOf } from "../../scripts/spec/operations.js";
import { readFixture } from "../support/cases.js";
import { launchChromium, noChromium } from "../support/chromium.js";
import { claims } from "../support/service.js";
import { extendedDescription } from "../support/described.js";
import { hosts } from "../support/fixture.js";
import { needs } from "../support/needs.js";
import { treeForAll } from "../support/tree.js";

const browser = await launchChromium();
const page = await buildPage();
const committed = await readSpec("openapi/customer-tokens.yaml");
const { at, put } = treeForAll();

afterAll(() => browser?.close());

const emulator: Emulator = { url: "http://127.0.0.1:1", token: "a.b.c", bodies: {} };

/** A description of one operation, as far as the page looks at it. */
const putThing = {
  operationId: "putThing",
  parameters: [
    { name: "id", in: "path", required: true },
    { name: "q", in: "query" },
    { name: "X-Kind", in: "header" },
  ],
  requestBody: { content: { "text/plain": {} } },
};
const thing: OpenApi = {
  openapi: "3.0.3",
  info: { title: "Things" },
  servers: [{ url: "https://things.example" }],
  paths: { "/things/{id}": { put: putThing } },
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
    const paths = { "/things": { get: { operationId: "getThings", responses: { 200: { description: "" } } } } };
    const spec = await put("it's/spec.yaml", { ...thing, paths });
    const advice =
      /^there are no pages in .*generated.*: run `npm run .* --spec '.*it'\\''s\/spec\.yaml' --out '.*generated'`/;
    await expect(buildPage(undefined, spec)).rejects.toThrow(advice);
    await put("it's/generated/docs/ThingsIdpApi.md", "# ThingsIdpApi\n\nOther words.\n");
    expect(await buildPage(undefined, spec)).toContain("<p>Other words.</p>");
  });

  test("with an emulator, sends to that one only, and names no other server", () => {
    const served = renderPage(thing, pagesOf("text"), emulator);
    expect(served).toContain("connect-src http://127.0.0.1:1;");
    expect(served).toContain('data-url="http://127.0.0.1:1/things/{id}"');
    expect(served).not.toContain("things.example");
  });

  test("has a field for a bank token only if the operation has security", () => {
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

  /** Opens a page for one test; `problems` are its errors, and its requests to other hosts. */
  async function open(url: string, options: Parameters<Browser["newContext"]>[0] = {}) {
    const context = await (browser as Browser).newContext({ viewport: { width: 1440, height: 900 }, ...options });
    onTestFinished(() => context.close());
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
    return { tab, problems, requests };
  }

  async function openFile(html: string) {
    const file = await put(`${crypto.randomUUID()}.html`, html);
    return { ...(await open(pathToFileURL(file).href)), file };
  }

  /** The elements that are not allowed, with what they load or run; of scripts, all but one. */
  async function oddElements(tab: Page, allowed: RegExp): Promise<string[]> {
    const elements = await tab.evaluate(() =>
      [...document.querySelectorAll("*")].map((element) => {
        const risky = element.getAttributeNames().filter((name) => /^(?:on|src|href|action|style)/.test(name));
        return [element.nodeName, ...risky.map((name) => `${name}=${element.getAttribute(name)}`)].join(" ");
      }),
    );
    return [
      ...elements.filter((element) => element === "SCRIPT").slice(1),
      ...elements.filter((e) => !allowed.test(e)),
    ];
  }

  const form = (tab: Page, name: string) => {
    const path = operationsOf(committed).find((operation) => operation.name === name)?.path;
    return tab.locator(`form[data-url$="${path}"]`);
  };

  async function send(tab: Page, operation: string) {
    await form(tab, operation).getByRole("button", { name: "Send" }).click();
    const output = form(tab, operation).getByRole("status");
    await expect.poll(() => output.textContent()).toMatch(/^\d/);
    const [status, ...body] = ((await output.textContent()) ?? "").split("\n");
    return { status, body: JSON.parse(body.join("\n")) as Record<string, unknown> };
  }

  test("opens at the operation, in the system's font", async () => {
    const { tab, problems } = await openFile(page);
    for (const text of [
      "createCustomerToken(postCustomerTokenIdpModel): CustomerTokenIdpModel",
      "/api/customer_tokens",
    ])
      expect(
        await tab
          .getByText(text, { exact: true })
          .first()
          .evaluate((element) => element.getBoundingClientRect().bottom < innerHeight),
      ).toBe(true);
    expect(await tab.evaluate(() => getComputedStyle(document.body).fontFamily)).toMatch(/^system-ui/);
    expect(problems).toEqual([]);
  });

  test("shows every operation and model, of operations of any kind, and links lead to them", async () => {
    // The committed description is a part of it.
    const spec = await extendedDescription();
    const source = await put("extended/description.yaml", JSON.stringify(spec));
    await generate({ spec: source, out: at("extended/generated") });
    const { tab, problems } = await openFile(await buildPage(emulator, source));
    const heading = (name: string) => tab.getByRole("heading", { name, exact: true }).count();
    let pages = 0;
    for (const { name, path, fields } of operationsOf(spec)) {
      // An operation is on the page of each of its tags.
      const tags = Math.max(1, asArray(fields["tags"]).length);
      expect(await heading(name)).toBe(tags);
      pages += tags;
      for (const text of [path, ...Object.keys(asObject(fields["responses"]))])
        expect(await tab.getByText(text, { exact: true }).count()).toBeGreaterThan(0);
    }
    for (const name of Object.keys(schemasOf(spec))) expect(await heading(`${name}IdpModel`)).toBe(1);
    const brokenLinks = await tab.evaluate(() => {
      const links = [...document.querySelectorAll("a[href^='#']")].map((link) => link.getAttribute("href") ?? "");
      return links.filter((link) => document.querySelectorAll(`[id="${link.slice(1)}"]`).length !== 1);
    });
    expect(brokenLinks).toEqual([]);
    expect(await tab.locator("form").count()).toBe(pages);
    const labels = await tab.locator("form[data-method=DELETE] label").allTextContents();
    expect(labels).toEqual(["note_guid (path) "]);
    expect(problems).toEqual([]);
  });

  test("shows hostile Markdown and descriptions as text, though neither comes past the checks before", async () => {
    const { hostile = [], shown = [] } = readFixture<Record<string, string[]>>("markdown");
    const [description, title = ""] = hostile;
    const spec = { ...thing, info: { title, description }, servers: [{ url: title, description: title }] };
    const bodies = { putThing: { a: "</textarea><script>alert(1)</script>" } };
    const html = renderPage(spec, pagesOf(hostile.join("\n\n")), { ...emulator, token: title, bodies });
    const { tab, problems, requests } = await openFile(html);
    const allowed =
      /^(?:HTML|HEAD|META|TITLE|STYLE|BODY|NAV|UL|LI|MAIN|H\d|P|SECTION|CODE|PRE|DIV|BUTTON|TABLE|THEAD|TBODY|TR|T[HD]|FORM|LABEL|INPUT|TEXTAREA|OUTPUT|SCRIPT|LINK href=data:,|A href=#\S*)$/;
    expect(await oddElements(tab, allowed)).toEqual([]);
    expect({ problems, requests: requests.length }).toEqual({ problems: [], requests: 1 });
    const text = (await tab.locator("main").textContent()) ?? "";
    for (const each of shown) expect(text).toContain(each);
  });

  test("makes only harmless elements of any Markdown", async () => {
    const { pieces = [] } = readFixture<Record<string, string[]>>("markdown");
    const markdown = fc.array(fc.constantFrom(...pieces), { minLength: 1, maxLength: 8 }).map((all) => all.join(""));
    const all = fc.sample(markdown, { numRuns: 500, seed: 1 });
    const { tab, problems } = await openFile(renderPage(thing, pagesOf(all.join("\n\n")), emulator));
    const allowed = /^(?!IMG|IFRAME|SVG|OBJECT|EMBED)(?!.* on)(?!.*=(?!#|https:|data:,))/i;
    expect(await oddElements(tab, allowed)).toEqual([]);
    expect(problems).toEqual([]);
  });

  test("sends the operation's request to the emulator and shows 201 and the token", async () => {
    const { tab, problems, requests } = await open(docs.url);
    const { status, body } = await send(tab, "createCustomerToken");
    expect(status).toBe("201 Created");
    const scope = ["customers:read", "accounts:read"];
    expect(claims(String(body["access_token"]))).toMatchObject({ sub_type: "customer", scope });
    const bank = await send(tab, "createAccessToken");
    expect(claims(String(bank.body["access_token"]))).toMatchObject({ sub_type: "bank" });
    expect(requests).toEqual(["GET /", "POST /api/customer_tokens", "POST /oauth/token"]);
    expect(problems).toEqual([]);
  });

  test("shows a refusal as the service words it", async () => {
    const { tab } = await open(docs.url);
    const fields = form(tab, "createCustomerToken");
    const unknown = { customer_guid: "f".repeat(32), scopes: ["customers:read"] };
    await fields.getByLabel("Body").fill(JSON.stringify(unknown));
    expect(await send(tab, "createCustomerToken")).toEqual({
      status: "422 Unprocessable Entity",
      body: { status: 422, error_message: "Unknown customer", message_code: "no_customer" },
    });
    await fields.getByLabel("Bank token").fill("");
    await fields.getByRole("button", { name: "Send" }).click();
    await expect.poll(() => fields.getByRole("status").textContent()).toMatch(/^401/);
  });

  test("puts each value in its place, and says so if nothing responds", async () => {
    const { tab, requests } = await openFile(renderPage(thing, pagesOf(""), emulator));
    let sent: unknown;
    await tab.route("**/things/**", async (route) => {
      const request = route.request();
      sent = { kind: request.headers()["x-kind"], type: request.headers()["content-type"], body: request.postData() };
      await route.abort();
    });
    const values = { "id (path)": "a/b", "q (query)": "c&d", "X-Kind (header)": "e", Body: "f" };
    for (const [label, value] of Object.entries(values)) await tab.getByLabel(label).fill(value);
    await tab.getByRole("button", { name: "Send" }).click();
    await expect.poll(() => tab.getByRole("status").textContent()).toBe("TypeError: Failed to fetch");
    expect(requests.at(-1)).toBe("PUT /things/a%2Fb?q=c%26d");
    expect(sent).toEqual({ kind: "e", type: "text/plain", body: "f" });
  });

  test("copies an example, or selects it if it may not", async () => {
    const { tab, problems } = await open(docs.url, { permissions: ["clipboard-read", "clipboard-write"] });
    const copy = tab.getByRole("button", { name: "Copy" }).first();
    const [example, button] = await Promise.all([tab.locator(".code code").first().boundingBox(), copy.boundingBox()]);
    expect((button?.y ?? 0) + (button?.height ?? 0)).toBeLessThanOrEqual(example?.y ?? 0);
    await copy.click();
    await tab.getByText("Copied").waitFor();
    const sample = (await tab.locator(".code code").first().textContent()) ?? "";
    expect(sample).toContain("createCustomerToken");
    expect((await tab.evaluate(() => navigator.clipboard.readText())).trim()).toBe(sample.trim());
    await tab.context().clearPermissions();
    await tab.evaluate("delete Navigator.prototype.clipboard");
    await copy.click();
    await tab.getByText("Selected").waitFor();
    expect(problems).toEqual([]);
  });

  test("reads as a file, and loads nothing else", async () => {
    const { tab, problems, requests, file } = await openFile(page);
    const attempt = `fetch('${hosts["sandbox"]}').then(() => 'sent', () => 'refused')`;
    expect(await tab.evaluate(attempt)).toBe("refused");
    expect(problems).toEqual([expect.stringContaining("connect-src 'none'"), expect.anything()]);
    expect(requests).toEqual([`GET ${pathToFileURL(file).pathname}`]);
  });

  test("prints all of it, on several pages", async () => {
    const { tab } = await openFile(page);
    const pdf = await tab.pdf();
    expect(pdf.toString("latin1").match(/\/Type \/Page\b/g)?.length).toBeGreaterThan(3);
    await tab.emulateMedia({ media: "print" });
    expect(await tab.getByRole("navigation").isVisible()).toBe(false);
    // Nothing scrolls on its own, so nothing is cut off.
    const cut = await tab.evaluate(
      () =>
        [...document.querySelectorAll("main *")].filter(
          (each) => each.scrollHeight > each.clientHeight + 1 && getComputedStyle(each).overflowY !== "visible",
        ).length,
    );
    expect(cut).toBe(0);
  });

  test.each([
    [1440, "light"],
    [768, "dark"],
    [320, "light"],
  ] as const)("at %i pixels, %s: fits, and axe finds nothing against it", async (width, colorScheme) => {
    const { tab } = await open(docs.url, { viewport: { width, height: 844 }, colorScheme });
    await send(tab, "createCustomerToken");
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
  });
});
