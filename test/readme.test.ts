import { execFile } from "node:child_process";
import { existsSync } from "node:fs";
import { readdir, readFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { promisify } from "node:util";
import { afterAll, beforeAll, describe, expect, test, vi } from "vitest";
import { type Emulator, startEmulator } from "../src/emulator/emulator.js";
import { compileExamples, examplesIn } from "./support/examples.js";
import { hosts } from "./support/fixture.js";

const guides = (await readdir("docs")).filter((name) => name.endsWith(".md")).map((name) => `docs/${name}`);
const names = ["README.md", ...guides, "CONTRIBUTING.md", "SECURITY.md"];
const pages = new Map(await Promise.all(names.map(async (name) => [name, await readFile(name, "utf8")] as const)));

/** The client of the first screen, which a block may use. */
const prelude = `
import { clientCredentials as credentials$, createCustomerTokensClient as create$ } from "cybrid-customer-tokens";
const { CYBRID_CLIENT_ID: clientId$ = "", CYBRID_CLIENT_SECRET: clientSecret$ = "" } = process.env;
const cybrid = create$({ auth: credentials$({ clientId: clientId$, clientSecret: clientSecret$ }) });
`;

const blocks = [...pages].flatMap(([name, text]) =>
  examplesIn(text).map((code, index) => ({
    title: `${name}, block ${index + 1}`,
    code: code.includes("const cybrid =") ? code : `${prelude}${code}`,
  })),
);
const { paths, problems, remove } = await compileExamples(
  "guides",
  blocks.map(({ code }) => code),
);

describe("every TypeScript block", () => {
  let emulator: Emulator;
  beforeAll(async () => {
    emulator = await startEmulator();
  });
  afterAll(async () => {
    await emulator.close();
    await remove();
  });

  test("compiles under strict", () => {
    expect(problems).toEqual([]);
  });

  test.each(blocks.map(({ title }, index) => [title, paths[index] ?? ""]))("runs: %s", async (_, path) => {
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

/** Whether a link of a page leads to a file and, if it names one, to a heading, by the anchors that GitHub makes. */
async function leadsSomewhere(page: string, link: string): Promise<boolean> {
  const [path = "", anchor] = link.split("#");
  const target = path === "" ? page : join(dirname(page), path);
  if (anchor === undefined || !existsSync(target)) return existsSync(target);
  const titles = [...(await readFile(target, "utf8")).matchAll(/^#+ (.*)$/gm)].map(([, title = ""]) => title);
  const anchors = titles.map((title) => title.toLowerCase().replace(/[^\w\- ]/g, ""));
  return anchors.some((each) => each.replaceAll(" ", "-") === anchor);
}

test.each([...pages])(
  "the links of %s, and the commands, files and folders that it names, are there",
  async (name, text) => {
    const all = (pattern: RegExp) => [...text.matchAll(pattern)].map(([, found = ""]) => found);
    const links = all(/\]\((?!https:)([^)]+)\)/g);
    const isThere = await Promise.all(links.map((link) => leadsSomewhere(name, link)));
    expect(links.filter((_, index) => !isThere[index])).toEqual([]);
    const { scripts } = JSON.parse(await readFile("package.json", "utf8")) as { scripts: object };
    expect(all(/npm run (?:--silent )?([\w:-]+)/g).filter((script) => !(script in scripts))).toEqual([]);
    const files = all(/`((?:src|scripts|test|openapi|generated|docs|\.github)\/[\w./-]*)`/g);
    expect(files.filter((path) => !existsSync(path))).toEqual([]);
  },
);

test("npm start with a part of the sandbox's variables names the others, and sends nothing", async () => {
  const env = { PATH: process.env["PATH"], CYBRID_CLIENT_ID: "bank", CYBRID_CUSTOMER_GUID: "g" };
  const start = promisify(execFile)(process.execPath, ["--import", "tsx/esm", "scripts/start.ts"], { env });
  await expect(start).rejects.toMatchObject({
    code: 1,
    stdout: "",
    stderr: expect.stringMatching(/^error: .* set CYBRID_CLIENT_SECRET as well/),
  });
});
