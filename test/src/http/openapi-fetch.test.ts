import { describe, expect, test } from "vitest";
import { ApiError, bearer, InvalidArgumentError, InvalidResponseError } from "../../../src/index.js";
import type { CallOptions } from "../../../src/http/deadline.js";
import { createApi } from "../../../src/http/openapi-fetch.js";
import { createSend } from "../../../src/http/retry.js";
import { resolveOptions } from "../../../src/options.js";
import { FakeClock } from "../../support/clock.js";
import { fakeService, json, refusal } from "../../support/service.js";

// A made-up second operation, as it would be added to the client.

interface Thing {
  guid: string;
  price?: number;
}
interface Paths {
  "/api/things/{guid}": {
    parameters: { query?: never; header?: never; path: { guid: string }; cookie?: never };
    patch: {
      parameters: { query?: never; header?: never; path: { guid: string }; cookie?: never };
      requestBody: { content: { "application/json": { price: number } } };
      responses: { 200: { headers: Record<string, unknown>; content: { "application/json": Thing } } };
    };
  };
}

function createThingsClient({ auth, ...options }: ReturnType<typeof resolveOptions>) {
  const send = createSend(options);
  const { api, callOperation } = createApi<Paths>({ ...options, send, tokenProvider: auth({ ...options, send }) });
  return {
    api,
    async priceThing(guid: string, price: number, callOptions?: CallOptions): Promise<Thing> {
      if (!(price > 0)) throw new InvalidArgumentError("price", "a number above 0");
      return callOperation(
        (client, init) => client.PATCH("/api/things/{guid}", { ...init, params: { path: { guid } }, body: { price } }),
        "JSON with a guid",
        isThing,
        callOptions,
      );
    },
  };
}

function isThing(body: unknown): body is Thing {
  return typeof (body as Thing | null | undefined)?.guid === "string";
}

function setUp(script: Parameters<typeof fakeService>[0] = {}) {
  const clock = new FakeClock();
  const service = fakeService(script);
  const options = { auth: bearer("canary-token"), baseUrl: "https://idp.example", fetch: service.fetch, clock };
  const client = createThingsClient(resolveOptions({ ...options, random: () => 0.5 }));
  return { clock, client, price: (options?: CallOptions) => client.priceThing("g 1", 7, options), ...service };
}

const init = (guid: unknown) => ({ params: { path: { guid: guid as string } }, body: { price: 1 } });

describe("a further operation", () => {
  test("sends its own method, path and body, with the bank token", async () => {
    const { price, customerTokenRequests } = setUp({ customerTokens: [json({ guid: "g 1", price: 7 })] });
    await expect(price({ headers: { "x-trace": "1" } })).resolves.toEqual({ guid: "g 1", price: 7 });
    expect(customerTokenRequests).toMatchObject([
      { url: "https://idp.example/api/things/g%201", body: { price: 7 }, init: { method: "PATCH" } },
    ]);
    expect(customerTokenRequests[0]?.headers.get("authorization")).toBe("Bearer canary-token");
    expect(customerTokenRequests[0]?.headers.get("x-trace")).toBe("1");
  });

  test("checks its own input before anything is sent", async () => {
    const { client, fetch } = setUp();
    await expect(client.priceThing("g", 0)).rejects.toMatchObject({ name: "InvalidArgumentError", field: "price" });
    expect(fetch).not.toHaveBeenCalled();
  });

  test("has the same retries", async () => {
    const { price, customerTokenRequests, clock } = setUp({ customerTokens: [json({}, 503), json({ guid: "g" })] });
    await expect(clock.run(price())).resolves.toEqual({ guid: "g" });
    expect(customerTokenRequests.map(({ body }) => body)).toEqual([{ price: 7 }, { price: 7 }]);
  });

  test("has the same errors, without a secret", async () => {
    const { price } = setUp({
      customerTokens: [refusal(422, "no_thing", "not for canary-token"), json({ id: 1 }), new Response("<html>")],
    });
    await expect(price()).rejects.toMatchObject({ messageCode: "no_thing", errorMessage: "not for [redacted]" });
    await expect(price()).rejects.toThrow(InvalidResponseError);
    await expect(price()).rejects.toThrow("expected JSON with a guid (200, text/plain");
    await expect(price()).rejects.not.toThrow(ApiError);
  });

  test("is there with values, too", async () => {
    const { client } = setUp({ customerTokens: [json({ guid: "g" })] });
    const result = { data: { guid: "g" } };
    await expect(client.api.PATCH("/api/things/{guid}", init("g"))).resolves.toMatchObject(result);
    await expect(client.api.request("patch", "/api/things/{guid}", init("g"))).resolves.toMatchObject(result);
  });
});

describe("a path parameter that would lead elsewhere is refused, and nothing is sent:", () => {
  const refused = { name: "InvalidArgumentError", field: "params.path" };

  test.each(["", ".", "..", [], [".."], undefined, null, {}])("%j", async (guid) => {
    const { client, fetch } = setUp({ customerTokens: [json({ guid: "g" })] });
    const path = "/api/things/{guid}";
    // Without a middleware and with one.
    for (let middleware = 0; middleware < 2; middleware++) {
      await expect(client.api.PATCH(path, init(guid))).rejects.toMatchObject(refused);
      await expect(client.api.request("patch", path, init(guid))).rejects.toMatchObject(refused);
      await expect(client.priceThing(guid as string, 7)).rejects.toMatchObject(refused);
      client.api.use({ onRequest: () => undefined });
    }
    expect(fetch).not.toHaveBeenCalled();
  });

  test.each(["%2e%2E", ".%2e", "a/../..", "a\\..\\..", "\t..", "a?b=", "#"])(
    "as a serializer of the caller's writes it: %j",
    async (written) => {
      const { client, fetch } = setUp();
      const pathSerializer = (path: string) => path.replace("{guid}/price", written);
      const path = "/api/things/{guid}/price" as "/api/things/{guid}";
      await expect(client.api.PATCH(path, { ...init("g"), pathSerializer })).rejects.toMatchObject(refused);
      expect(fetch).not.toHaveBeenCalled();
    },
  );

  test.each(["/api/../things", "/api/./things", "/api/%2e%2e/things", "/api\\..\\things", "/api/things/{guid}"])(
    "in the path itself: %j",
    async (path) => {
      const { client, fetch } = setUp();
      const call = client.api.PATCH(path as "/api/things/{guid}", { body: { price: 1 } } as never);
      await expect(call).rejects.toMatchObject(refused);
      expect(fetch).not.toHaveBeenCalled();
    },
  );

  test.each(["../x", "..%2f..", "%2e%2e", "a.b", "...", "?", "#", "\\..", " ", "ü"])(
    "but not one that stays a segment: %j",
    async (guid) => {
      const { client, customerTokenRequests } = setUp({ customerTokens: [json({ guid: "g" })] });
      await client.priceThing(guid, 7);
      await client.api.PATCH("/api/things/{guid}", init(guid));
      expect(customerTokenRequests.map(({ url }) => url)).toEqual(
        Array(2).fill(`https://idp.example/api/things/${encodeURIComponent(guid)}`),
      );
    },
  );
});

test.each([{}, { maxRetries: 9 }, { input: "/x", url: "/x", init: {}, method: "GET" }])(
  "unknown options of a call of api have no effect: %j",
  async (extra) => {
    const { client, clock, customerTokenRequests } = setUp({ customerTokens: [json({}, 503)] });
    await clock.run(client.api.PATCH("/api/things/{guid}", { ...init("g"), ...(extra as object) }));
    expect(customerTokenRequests.map(({ url, init }) => [url, init.method])).toEqual(
      Array(3).fill(["https://idp.example/api/things/g", "PATCH"]),
    );
  },
);

test.each([204, 205])("a response without content is neither data nor an error: %i", async (status) => {
  const { client } = setUp({ customerTokens: [new Response(null, { status })] });
  for (const parseAs of ["json", "text", "stream"] as const) {
    const { data, error, response } = await client.api.PATCH("/api/things/{guid}", { ...init("g"), parseAs });
    expect([data || undefined, error, response.status]).toEqual([undefined, undefined, status]);
  }
});

test.each([200, 201, 302, 304])("a middleware's %i never becomes the status of an error", async (status) => {
  const { client, price } = setUp({ customerTokens: [json({ guid: "g" })] });
  client.api.use({ onResponse: () => new Response(null, { status }) });
  const error = (await price().catch((reason: unknown) => reason)) as { status?: number; responseStatus?: number };
  expect(error).toBeInstanceOf(InvalidResponseError);
  expect([error.status, error.responseStatus]).toEqual([undefined, status]);
});

test("a middleware may add headers, but none that belongs to the connection", async () => {
  const { client, price, customerTokenRequests } = setUp({ customerTokens: [json({ guid: "g" })] });
  let added = "x-trace";
  client.api.use({ onRequest: ({ request }) => request.headers.set(added, "1") });
  await price();
  expect(customerTokenRequests[0]?.headers.get("x-trace")).toBe("1");
  added = "te";
  await expect(price()).rejects.toMatchObject({ name: "InvalidArgumentError", field: "headers" });
  expect(customerTokenRequests).toHaveLength(1);
});
