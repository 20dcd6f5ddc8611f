import { readFile } from "node:fs/promises";
import { describe, expect, test } from "vitest";
import { ApiError, bearer, InvalidArgumentError, InvalidResponseError, TimeoutError } from "../../src/index.js";
import { type CallOptions, createApi } from "../../src/http/openapi-fetch.js";
import { createSend } from "../../src/http/retry.js";
import { resolveOptions } from "../../src/options.js";
import { FakeClock } from "../support/clock.js";
import { fakeService, hang, json, refusal } from "../support/service.js";

// A made-up second operation, as it would be added to the client: what stands here is all that it takes.

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
    // operation
    async priceThing(guid: string, price: number, callOptions?: CallOptions): Promise<Thing> {
      if (!(price > 0)) throw new InvalidArgumentError("price", "a number above 0");
      return callOperation(
        (client, init) => client.PATCH("/api/things/{guid}", { ...init, params: { path: { guid } }, body: { price } }),
        { description: "JSON with a guid", matches: isThing },
        callOptions,
      );
    },
    // end of the operation
  };
}

function isThing(answer: unknown): answer is Thing {
  return typeof (answer as Thing | null | undefined)?.guid === "string";
}

function setUp(script: Parameters<typeof fakeService>[0] = {}) {
  const clock = new FakeClock();
  const service = fakeService(script);
  const options = { auth: bearer("canary-token"), baseUrl: "https://idp.example", fetch: service.fetch, clock };
  const client = createThingsClient(resolveOptions({ ...options, random: () => 0.5 }));
  return { clock, client, price: (options?: CallOptions) => client.priceThing("g 1", 7, options), ...service };
}

describe("a further operation", () => {
  test("takes at most 15 lines", async () => {
    const lines = (await readFile(import.meta.filename, "utf8")).split("\n");
    const [first, last] = ["// operation", "// end of the operation"].map((mark) =>
      lines.findIndex((line) => line.trim() === mark),
    );
    expect(last! - first! - 1).toBeGreaterThan(5);
    expect(last! - first! - 1 + isThing.toString().split("\n").length).toBeLessThanOrEqual(15);
  });

  test("sends its own method, path and body, with the bank token", async () => {
    const { price, mints } = setUp({ mints: [json({ guid: "g 1", price: 7 })] });
    await expect(price({ headers: { "x-trace": "1" } })).resolves.toEqual({ guid: "g 1", price: 7 });
    expect(mints).toMatchObject([
      { url: "https://idp.example/api/things/g%201", body: { price: 7 }, init: { method: "PATCH" } },
    ]);
    expect(mints[0]?.headers.get("authorization")).toBe("Bearer canary-token");
    expect(mints[0]?.headers.get("x-trace")).toBe("1");
  });

  test("checks its own input before anything is sent", async () => {
    const { client, fetch } = setUp();
    await expect(client.priceThing("g", 0)).rejects.toMatchObject({ name: "InvalidArgumentError", field: "price" });
    expect(fetch).not.toHaveBeenCalled();
  });

  test("has the same retries", async () => {
    const { price, mints, clock } = setUp({ mints: [json({}, 503), json({ guid: "g" })] });
    await expect(clock.run(price())).resolves.toEqual({ guid: "g" });
    expect(mints.map(({ body }) => body)).toEqual([{ price: 7 }, { price: 7 }]);
  });

  test("has the same errors, without a secret", async () => {
    const { price } = setUp({
      mints: [refusal(422, "no_thing", "not for canary-token"), json({ id: 1 }), new Response("<html>")],
    });
    await expect(price()).rejects.toMatchObject({ messageCode: "no_thing", errorMessage: "not for [redacted]" });
    await expect(price()).rejects.toThrow(InvalidResponseError);
    await expect(price()).rejects.toThrow("expected JSON with a guid (200, text/plain");
    await expect(price()).rejects.not.toThrow(ApiError);
  });

  test("has the same deadline and abort", async () => {
    const { price, clock } = setUp({ mints: [hang] });
    await expect(clock.run(price({ timeoutMs: 50 }))).rejects.toThrow(TimeoutError);
    await expect(price({ signal: AbortSignal.abort("no need") })).rejects.toBe("no need");
  });

  test("is there with values, too", async () => {
    const { client } = setUp({ mints: [json({ guid: "g" })] });
    const init = { params: { path: { guid: "g" } }, body: { price: 1 } };
    await expect(client.api.PATCH("/api/things/{guid}", init)).resolves.toMatchObject({ data: { guid: "g" } });
    await expect(client.api.request("patch", "/api/things/{guid}", init)).resolves.toMatchObject({
      data: { guid: "g" },
    });
  });
});
