import { context, propagation, SpanStatusCode, trace } from "@opentelemetry/api";
import { UndiciInstrumentation } from "@opentelemetry/instrumentation-undici";
import { InMemorySpanExporter, NodeTracerProvider, SimpleSpanProcessor } from "@opentelemetry/sdk-trace-node";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { startEmulator, type Emulator } from "../../../src/emulator/emulator.js";
import { clientCredentials, createCustomerTokensClient, type CustomerTokensClientOptions } from "../../../src/index.js";
import { shown } from "../../support/shown.js";

let emulator: Emulator;

beforeEach(async () => {
  emulator = await startEmulator();
});
afterEach(() => emulator.close());

function connect(options: Partial<CustomerTokensClientOptions> = {}) {
  const client = createCustomerTokensClient({
    auth: clientCredentials(emulator.client),
    baseUrl: emulator.url,
    random: () => 0,
    ...options,
  });
  return () => client.createCustomerToken({ customer_guid: emulator.customerGuid, scopes: ["customers:read"] });
}

describe("OpenTelemetry's instrumentation of undici", () => {
  const exporter = new InMemorySpanExporter();
  const provider = new NodeTracerProvider({ spanProcessors: [new SimpleSpanProcessor(exporter)] });
  const instrumentation = new UndiciInstrumentation();

  beforeEach(() => {
    exporter.reset();
    provider.register();
    instrumentation.setTracerProvider(provider);
    instrumentation.enable();
  });
  afterEach(() => {
    instrumentation.disable();
    for (const api of [trace, context, propagation]) api.disable();
  });

  test("sees one span each for token request, call and retry, without a line in the client", async () => {
    emulator.play({ path: "/api/customer_tokens", status: 503 });
    const create = connect();
    const { access_token } = await provider.getTracer("test").startActiveSpan("payout", async (span) => {
      const created = await create();
      span.end();
      return created;
    });

    const [parent] = exporter.getFinishedSpans().filter(({ name }) => name === "payout");
    const spans = exporter.getFinishedSpans().filter((span) => span !== parent);
    expect(spans.map(({ attributes }) => [attributes["url.path"], attributes["http.response.status_code"]])).toEqual([
      ["/oauth/token", 200],
      ["/api/customer_tokens", 503],
      ["/api/customer_tokens", 201],
    ]);
    expect(spans.map(({ status }) => status.code === SpanStatusCode.ERROR)).toEqual([false, true, false]);
    for (const span of spans) expect(span.parentSpanContext?.spanId).toBe(parent?.spanContext().spanId);

    const recorded = shown(
      spans.map(({ name, attributes, events, links, status }) => ({ name, attributes, events, links, status })),
    );
    expect(recorded).toContain("/oauth/token");
    for (const secret of [emulator.client.clientSecret, access_token, "eyJ"]) expect(recorded).not.toContain(secret);
  });

  test("sees the connection that failed, and no secret in its record", async () => {
    emulator.play({ path: "/oauth/token", reset: "before", times: 3 });
    await expect(connect()()).rejects.toMatchObject({ name: "ConnectionError" });
    const spans = exporter.getFinishedSpans();
    expect(spans.map(({ attributes }) => attributes["url.path"])).toEqual(Array(3).fill("/oauth/token"));
    const recorded = shown(spans.map(({ attributes, events, status }) => ({ attributes, events, status })));
    expect(recorded).toContain("ECONNRESET");
    expect(recorded).not.toContain(emulator.client.clientSecret);
  });
});
