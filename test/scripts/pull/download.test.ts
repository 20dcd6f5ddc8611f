import { createHash } from "node:crypto";
import type { RequestListener } from "node:http";
import { describe, expect, onTestFinished, test } from "vitest";
import { UserError } from "../../../scripts/cli.js";
import { download } from "../../../scripts/pull/download.js";
import { pull } from "../../../scripts/pull.js";
import { readCases } from "../../support/cases.js";
import { serve as startServer } from "../../support/serve.js";
import { treeForEach } from "../../support/tree.js";

const { put, read } = treeForEach();

const source = (url = "https://library.example"): Promise<string> =>
  put("source.json", JSON.stringify({ url, operationIds: ["getBook"] }));

const described = JSON.stringify({
  openapi: "3.0.3",
  info: { title: "Library", version: "1" },
  paths: { "/books": { get: { operationId: "getBook", responses: {} } } },
});

describe("over HTTP", () => {
  async function serve(listener: RequestListener) {
    const server = await startServer(listener);
    onTestFinished(server.close);
    return server;
  }

  async function get(address: string, timeoutMs = 10_000): Promise<string> {
    return Buffer.from(await download(new URL(address), { timeoutMs })).toString();
  }

  test("pulls a server's response, by default that of the source's url, and records its SHA-256", async () => {
    const { url, requests } = await serve((_, response) => response.end(described));
    await pull({ from: `${url}/api.yaml`, config: await source() });
    const hash = createHash("sha256").update(described).digest("hex");
    expect(JSON.parse(await read("source.json"))).toMatchObject({ sha256: hash });
    await pull({ config: await source(`${url}/other.yaml`) });
    expect(requests).toEqual(["/api.yaml", "/other.yaml"]);
  });

  interface Case {
    status: number;
    headers?: Record<string, string>;
    text?: string;
    says: string;
  }

  async function expectRefusal(listener: RequestListener, says: (url: string) => string | RegExp): Promise<void> {
    const { url } = await serve(listener);
    const attempt = get(`${url}/api.yaml?token=canary`);
    await expect(attempt).rejects.toThrow(says(`${url}/api.yaml`));
    await expect(attempt).rejects.toThrow(UserError);
    await expect(attempt).rejects.not.toThrow(/canary/);
  }

  test.each(readCases<Case>("downloads"))("refuses %s", async (_, { status, headers = {}, text, says }) => {
    await expectRefusal(
      (_, response) => response.writeHead(status, headers).end(text),
      (url) => says.replace("$url", url),
    );
  });

  test.each<[string, RequestListener, RegExp]>([
    ["a broken connection", (request) => request.socket.destroy(), /no answer from .*: UND_ERR_SOCKET$/],
    [
      "half a response",
      (_, response) => {
        response.writeHead(200, { "content-length": "1000" }).write("open");
        setImmediate(() => response.destroy());
      },
      /^no answer from /,
    ],
    [
      "an endless response",
      (_, response) => {
        const more = (): void => {
          while (response.write("x".repeat(100_000)));
        };
        response.on("drain", more);
        more();
      },
      /is larger than 32 MB$/,
    ],
  ])("refuses %s", async (_, listener, says) => {
    await expectRefusal(listener, () => says);
  });

  test("gives up on a server that does not respond", async () => {
    const { url } = await serve(() => undefined);
    await expect(get(url, 50)).rejects.toThrow(/^no answer from .* within 50 ms$/);
  });

  test("refuses a closed port", async () => {
    await expect(get("http://127.0.0.1:1/")).rejects.toThrow(/^no answer from http:/);
  });

  test("downloads without encryption from this machine only", async () => {
    await expect(get("http://library.example/")).rejects.toThrow(/^refusing to download/);
  });

  test("follows a redirect on this machine, but none to a URL with a password", async () => {
    const last = await serve((_, response) => response.end("here"));
    const first = await serve(({ url = "" }, response) => {
      const to = url === "/a" ? last.url : last.url.replace("http://", "http://me:canary@");
      response.writeHead(302, { location: to }).end();
    });
    expect(await get(`${first.url}/a`)).toBe("here");
    const attempt = get(`${first.url}/b`);
    await expect(attempt).rejects.toThrow(/^refusing to download .*: the URL must hold no user name and no password$/);
    await expect(attempt).rejects.not.toThrow(/canary/);
    expect(last.requests).toHaveLength(1);
  });

  test.each([
    "http://me:canary@127.0.0.1:1/x?key=canary#canary",
    "http://canary:canary@library.example/",
    "https://me:canary@[/",
    "ftp://me:canary@library.example/",
  ])("prints no credentials of %s", async (from) => {
    const attempt = pull({ from, config: await source() });
    await expect(attempt).rejects.toThrow(UserError);
    await expect(attempt).rejects.not.toThrow(/canary/);
  });
});
