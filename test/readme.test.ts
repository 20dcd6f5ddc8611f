import { execFile } from "node:child_process";
import { readdir, readFile, stat } from "node:fs/promises";
import { promisify } from "node:util";
import { afterAll, beforeAll, describe, expect, test, vi } from "vitest";
import { type Emulator, startEmulator } from "../src/emulator/emulator.js";
import { hosts } from "./support/fixture.js";
import { compileExamples, examplesIn } from "./support/examples.js";

const root = new URL("../", import.meta.url);
const guides = (await readdir(new URL("docs/", root))).filter((name) => name.endsWith(".md"));
const pages = await Promise.all(
  ["README.md", ...guides.map((name) => `docs/${name}`)].map(async (name) => ({
    name,
    text: await readFile(new URL(name, root), "utf8"),
  })),
);

/** What a block may lean on: the client of the first screen. */
const prelude = `
import { clientCredentials as credentials$, createCustomerTokensClient as create$ } from "cybrid-customer-tokens";
const { CYBRID_CLIENT_ID: clientId$ = "", CYBRID_CLIENT_SECRET: clientSecret$ = "" } = process.env;
const cybrid = create$({ auth: credentials$({ clientId: clientId$, clientSecret: clientSecret$ }) });
`;

const blocks = pages.flatMap(({ name, text }) =>
  examplesIn(text).map((code, index) => ({
    title: `${name}, block ${index + 1}`,
    code: code.includes("const cybrid =") ? code : `${prelude}${code}`,
  })),
);
const { paths, problems, remove } = await compileExamples(
  "guides",
  blocks.map(({ code }) => code),
);
const files = paths.map((path, index) => ({ title: blocks[index]?.title, path }));

let emulator: Emulator;

beforeAll(async () => {
  emulator = await startEmulator();
});

afterAll(async () => {
  await emulator.close();
  await remove();
});

test("every TypeScript block compiles under strict", () => {
  expect(problems).toEqual([]);
});

describe("every TypeScript block runs against the emulator", () => {
  test.each(files)("$title", async ({ path }) => {
    const { clientId, clientSecret } = emulator.client;
    const { fetch } = globalThis;
    vi.spyOn(globalThis, "fetch").mockImplementation((url, init) => {
      const host = Object.values(hosts).find((each) => String(url).startsWith(`${each}/`));
      return fetch(host === undefined ? url : String(url).replace(host, emulator.url), init);
    });
    vi.spyOn(console, "log").mockImplementation(() => {});
    vi.stubEnv("CYBRID_CLIENT_ID", clientId);
    vi.stubEnv("CYBRID_CLIENT_SECRET", clientSecret);
    vi.stubEnv("CYBRID_CUSTOMER_GUID", emulator.customerGuid);
    await expect(import(path)).resolves.toBeDefined();
  });
});

test("README fits on few screens, and every link within the repository leads somewhere", async () => {
  const [readme] = pages;
  expect(readme?.text.split("\n").length).toBeLessThanOrEqual(180);
  const links = [...pages, ...(await others())].flatMap(({ name, text }) =>
    [...text.matchAll(/\]\((?!https:)([^)]+)\)/g)].map(([, link = ""]) => ({ name, link })),
  );
  expect(links.length).toBeGreaterThan(10);
  for (const { name, link } of links) {
    const [path = "", anchor] = link.split("#");
    const target = new URL(path, new URL(name, root));
    const text = await readFile(target, "utf8").catch(() => undefined);
    expect(text, `${name}: ${link}`).toBeDefined();
    if (anchor) expect(headings(text ?? ""), `${name}: ${link}`).toContain(anchor);
  }
});

test("every command, file and folder that a guide names is there", async () => {
  const { scripts } = JSON.parse(await readFile(new URL("package.json", root), "utf8")) as { scripts: object };
  for (const { name, text } of [...pages, ...(await others())]) {
    for (const [, script = ""] of text.matchAll(/npm run (?:--silent )?([\w:-]+)/g)) {
      expect(Object.keys(scripts), name).toContain(script);
    }
    for (const [, path = ""] of text.matchAll(/`((?:src|scripts|test|openapi|generated|docs|\.github)\/[\w./-]*)`/g)) {
      await expect(stat(new URL(path, root)), `${name}: ${path}`).resolves.toBeDefined();
    }
  }
});

function others() {
  return Promise.all(
    ["CONTRIBUTING.md", "SECURITY.md"].map(async (name) => ({
      name,
      text: await readFile(new URL(name, root), "utf8"),
    })),
  );
}

/** The anchors of a page's headings, as GitHub makes them. */
function headings(text: string): string[] {
  return [...text.matchAll(/^#+ (.*)$/gm)].map(([, title = ""]) =>
    title
      .toLowerCase()
      .replace(/[^\w\- ]/g, "")
      .replaceAll(" ", "-"),
  );
}

test("npm start with a part of the sandbox's variables names the others, and sends nothing", async () => {
  const env = { PATH: process.env["PATH"], CYBRID_CLIENT_ID: "bank", CYBRID_CUSTOMER_GUID: "g" };
  const start = promisify(execFile)(process.execPath, ["--import", "tsx/esm", "scripts/start.ts"], { env });
  await expect(start).rejects.toMatchObject({
    code: 1,
    stdout: "",
    stderr: expect.stringMatching(/^error: .* set CYBRID_CLIENT_SECRET as well/),
  });
});
