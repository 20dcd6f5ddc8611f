import { describe, expect, test, vi } from "vitest";
import { bearer, type Fetch } from "../../../src/index.js";
import { redactCause } from "../../../src/http/redact.js";
import { setUp, setUpOnce } from "../../support/client.js";
import { customerToken, fakeService, json, request, steering } from "../../support/service.js";

describe("headers", () => {
  test("that the platform refuses are not tried again", async () => {
    const cause = Object.assign(new Error("invalid x header"), { code: "UND_ERR_INVALID_ARG" });
    const { create, fetch } = setUp({ customerTokens: [Object.assign(new TypeError("fetch failed"), { cause })] });
    await expect(create()).rejects.toMatchObject({ name: "InvalidArgumentError", field: "headers" });
    expect(fetch).toHaveBeenCalledTimes(2);
  });

  test("without a value are left out, and taken once", async () => {
    const headers = new Map([["x-once", "1"]]).entries();
    const { create, tokenRequests, customerTokenRequests } = setUp({}, { headers: headers as never });
    await create({ headers: { traceparent: undefined, "x-none": null, "x-b": "2" } });
    expect([...(customerTokenRequests[0]?.headers.keys() ?? [])]).toEqual([
      "accept",
      "authorization",
      "content-type",
      "x-b",
      "x-once",
    ]);
    expect(tokenRequests[0]?.headers.get("x-once")).toBe("1");
  });

  test.each<[string, () => HeadersInit]>([
    ["an array", () => [["x-a", "1"]]],
    ["a map", () => new Map([["x-a", "1"]]) as never],
    ["an iterator", () => new Map([["x-a", "1"]]).entries() as never],
    ["Headers", () => new Headers({ "x-a": "1" })],
  ])("of a call of api may be %s", async (_, headers) => {
    const { post, customerTokenRequests } = setUp();
    await post({ headers: headers() });
    expect([...(customerTokenRequests[0]?.headers.keys() ?? [])]).toEqual([
      "accept",
      "authorization",
      "content-type",
      "x-a",
    ]);
  });

  test("of a call of api take the client's away with null", async () => {
    const { post, customerTokenRequests } = setUp({}, { headers: { "x-client": "1" } });
    await post({ headers: { "x-client": null } });
    expect(customerTokenRequests[0]?.headers.has("x-client")).toBe(false);
  });

  test("of a caller never authorize the token request; each asks for JSON and is kept by no cache", async () => {
    const { create, tokenRequests, customerTokenRequests } = setUp({}, { headers: { Authorization: "Basic x" } });
    await create();
    expect(tokenRequests[0]?.headers.get("authorization")).toBeNull();
    for (const { headers, init } of [...tokenRequests, ...customerTokenRequests]) {
      expect([headers.get("accept"), init.cache]).toEqual(["application/json", "no-store"]);
    }
  });

  test("are new for each attempt", async () => {
    const service = fakeService({ customerTokens: [json({}, 503), customerToken("c")] });
    const fetch: Fetch = (input, init) => (init.headers.append("x-trace", "1"), service.fetch(input, init));
    const { create, clock } = setUp({}, { fetch });
    await clock.run(create());
    expect(service.customerTokenRequests.map(({ headers }) => headers.get("x-trace"))).toEqual(["1", "1"]);
  });
});

test("a call leaves no timer of the system's clock behind", async () => {
  vi.useFakeTimers();
  const { create } = setUp({}, { auth: bearer("t"), clock: undefined });
  await create();
  expect(vi.getTimerCount()).toBe(0);
});

test("Next.js's control-flow error passes through unchanged", async () => {
  const { create, fetch } = setUp({ customerTokens: [steering] }, { auth: bearer("t") });
  await expect(create()).rejects.toBe(steering);
  expect(fetch).toHaveBeenCalledTimes(1);
});

test("an AggregateError keeps its first errors, redacted", () => {
  const errors = Array.from({ length: 9 }, (_, nth) => new Error(`canary ${nth}`));
  const shown = redactCause(new AggregateError(errors, ""), ["canary"]) as AggregateError;
  expect(shown.errors.map(({ message }) => message as string)).toEqual([0, 1, 2, 3].map((nth) => `[redacted] ${nth}`));
});

describe("a call of api", () => {
  test("with its own fetch has authentication and retries", async () => {
    const { post, clock, fetch } = setUp({}, { auth: bearer("t") });
    const responses = [json({}, 503), customerToken("c")];
    const seen: (string | null)[] = [];
    const own = async (sent: Request) => (seen.push(sent.headers.get("authorization")), responses.shift() as Response);
    await expect(clock.run(post({ fetch: own }))).resolves.toMatchObject({ data: { access_token: "c" } });
    expect(seen).toEqual(["Bearer t", "Bearer t"]);
    expect(fetch).not.toHaveBeenCalled();
  });

  test("goes nowhere but to the client's base URL", async () => {
    const { client, fetch } = setUp();
    const path = client.api.POST("@evil.example/" as "/api/customer_tokens", { body: request });
    await expect(path).rejects.toMatchObject({ name: "InvalidArgumentError", field: "url" });
    expect(fetch).not.toHaveBeenCalled();
  });
});

describe("Retry-After", () => {
  const sent = Date.UTC(2026, 7, 1, 12);
  const at = (ms: number) => new Date(sent + ms).toUTCString();
  const dates: [string, Record<string, string>, number | undefined][] = [
    ["seconds", { "retry-after": "5" }, 5],
    ["the longest of several", { "retry-after": "5, 0,3" }, 5],
    ["no number", { "retry-after": "5, soon" }, undefined],
    ["a date, by the response's own clock", { "retry-after": at(5_000), date: at(0) }, 5],
    ["a date in the past", { "retry-after": at(-5_000), date: at(0) }, 0],
    ["a date in the first obsolete form", { "retry-after": "Saturday, 01-Aug-26 12:00:05 GMT", date: at(0) }, 5],
    ["a date in the second one, which names no zone", { "retry-after": "Sat Aug  1 12:00:05 2026", date: at(0) }, 5],
    ["no date", { "retry-after": "soon", date: at(0) }, undefined],
    ["a date of no weekday", { "retry-after": "1 Aug 2026 12:00:05 GMT", date: at(0) }, undefined],
  ];
  test.each(dates)("%s, whatever this machine's clock and time zone say", async (_, headers, seconds) => {
    vi.stubEnv("TZ", "America/New_York");
    for (const offMs of [0, -600_000, 600_000]) {
      const { create, clock } = setUpOnce({ customerTokens: [json({}, 503, headers)] });
      clock.wallMs = sent + offMs;
      await expect(create()).rejects.toMatchObject({ status: 503, retryAfterSeconds: seconds });
      const later = setUpOnce({ tokens: [json({}, 503, headers)] });
      later.clock.wallMs = sent + offMs;
      await expect(later.create()).rejects.toMatchObject({ status: 503, retryAfterSeconds: Math.max(1, seconds ?? 0) });
    }
  });

  test.each([undefined, "now", ""])(
    "is measured by this machine's clock if the response has no Date: %j",
    async (date) => {
      const headers = { "retry-after": at(5_000), ...(date !== undefined && { date }) };
      const { create, clock } = setUp(
        { customerTokens: [json({}, 503, headers)] },
        { auth: bearer("t"), maxRetries: 0 },
      );
      clock.wallMs = sent;
      await expect(create()).rejects.toMatchObject({ retryAfterSeconds: 5 });
    },
  );
});

test("a proxy that wants a password is not a wrong argument", async () => {
  const code = { code: "UND_ERR_INVALID_ARG" };
  const cause = Object.assign(new Error("Proxy Authentication Required (407)"), code);
  const script = { customerTokens: [Object.assign(new TypeError("fetch failed"), { cause })] };
  await expect(setUp(script, { auth: bearer("t"), maxRetries: 0 }).create()).rejects.toMatchObject({
    name: "ConnectionError",
    message: "no answer from idp.example (UND_ERR_INVALID_ARG)",
  });
});

test("a cause that names itself, or goes on forever, is shown as far as it makes sense; a string as it is", () => {
  const loop = new Error("canary");
  loop.cause = loop;
  let depth = 0;
  for (let link: unknown = redactCause(loop, ["canary"]); link instanceof Error; link = link.cause) depth++;
  expect(depth).toBeLessThan(10);
  const shallow = redactCause(new Error("a", { cause: new Error("b", { cause: new Error("c") }) }), []) as Error;
  expect(((shallow.cause as Error).cause as Error).message).toBe("c");
  expect(redactCause("a canary", ["canary"])).toBe("a [redacted]");
  expect(redactCause(new Error("a", { cause: "a canary" }), ["canary"])).toMatchObject({ cause: "a [redacted]" });
});
