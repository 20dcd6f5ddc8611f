import { afterEach, describe, expect, test, vi } from "vitest";
import { bearer, clientCredentials } from "../../../src/index.js";
import { bank, setUpOnce as setUp } from "../../support/client.js";
import { json } from "../../support/service.js";

describe("if everybody can read the secret", () => {
  afterEach(() => void vi.unstubAllGlobals());
  const make = () => clientCredentials({ clientId: "c", clientSecret: "s" });
  const stub = (globals: Record<string, unknown>) => {
    for (const [name, value] of Object.entries(globals)) vi.stubGlobal(name, value);
  };

  test.each([
    ["a browser", { window: globalThis, document: {} }],
    ["React Native, which has a window and no document", { window: globalThis, navigator: { product: "ReactNative" } }],
    ["jsdom and happy-dom", { window: {}, document: {}, navigator: { product: "Gecko" } }],
  ])("it refuses to work and says what to do, but bearer works: %s", async (_, globals) => {
    stub(globals);
    expect(make).toThrow(/backend.*an app.*jsdom or happy-dom.*`@vitest-environment node`.*`@jest-environment node`/);
    await expect(setUp({}, { auth: bearer("static") }).create()).resolves.toBeDefined();
  });

  test("the package can be imported in jsdom, which lacks a TextDecoder, to say so", async () => {
    vi.resetModules();
    stub({ window: {}, document: {}, TextDecoder: undefined });
    const library = await import("../../../src/index.js");
    expect(() => library.clientCredentials({ clientId: "c", clientSecret: "s" })).toThrow(/jsdom/);
  });

  test.each([
    ["a window alone", { window: globalThis }],
    ["a document alone", { document: {} }],
    ["a navigator, as Node 21 has it", { navigator: { userAgent: "Node.js/22" } }],
    ["no navigator at all", { navigator: undefined }],
  ])("it works on Node with %s", (_, globals) => {
    stub(globals);
    expect(make).not.toThrow();
  });
});

describe("the token request", () => {
  test("is a JSON POST to the API's own host, with the default scopes, once for 100 cold calls", async () => {
    const { create, tokenRequests } = setUp();
    const tokens = await Promise.all(Array.from({ length: 100 }, () => create()));
    expect(new Set(tokens.map(({ access_token }) => access_token))).toHaveLength(100);
    expect(tokenRequests).toMatchObject([
      {
        url: "https://idp.example/oauth/token",
        init: { method: "POST", redirect: "manual" },
        body: {
          grant_type: "client_credentials",
          client_id: "bank",
          client_secret: "s3cret",
          scope: "customers:read customers:write",
        },
      },
    ]);
    expect(tokenRequests[0]?.headers.get("content-type")).toBe("application/json");
  });

  test("is each client's own, also for one auth object in two clients, with the scopes in the caller's order", async () => {
    const scopes = Object.freeze(["customers:write", "accounts:read"]);
    const auth = clientCredentials({ ...bank, scopes });
    for (const baseUrl of ["https://idp.example", "https://other.example"]) {
      const { create, tokenRequests } = setUp({}, { auth, baseUrl });
      await create();
      const body = { scope: "customers:write accounts:read" };
      expect(tokenRequests).toMatchObject([{ url: `${baseUrl}/oauth/token`, body }]);
    }
  });

  test.each(["Bearer", "bearer", "BEARER", undefined])("takes the token type %s", async (token_type) => {
    const { create } = setUp({ tokens: [json({ access_token: "t", token_type, expires_in: 60 })] });
    await expect(create()).resolves.toBeDefined();
  });
});
