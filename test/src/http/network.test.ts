import { describe, expect, test } from "vitest";
import {
  bearer,
  clientCredentials,
  createCustomerTokensClient,
  CustomerTokensError,
  type CustomerTokensClientOptions,
} from "../../../src/index.js";
import { startEmulator } from "../../../src/emulator/emulator.js";
import { readFixture } from "../../support/cases.js";
import { FakeClock } from "../../support/clock.js";
import { shown } from "../../support/shown.js";
import { failureOf, request } from "../../support/service.js";
import { freePort, http, startWire, type WireFault, wireFaults } from "../../support/wire.js";

// What crosses a socket here goes through the platform's own fetch.

const canaries = { secret: "canary-secret", bank: "canary-bank-token", customer: "canary-customer-token" };
const bankResponse = http(200, JSON.stringify({ access_token: canaries.bank, token_type: "Bearer", expires_in: 3600 }));
const createdResponse = http(201, JSON.stringify({ access_token: canaries.customer }));

function connect(baseUrl: string, options: Partial<CustomerTokensClientOptions> = {}) {
  return createCustomerTokensClient({
    auth: clientCredentials({ clientId: "bank", clientSecret: canaries.secret }),
    baseUrl,
    maxRetries: 0,
    ...options,
  });
}

/** What a call fails with: a documented error that shows no canary. */
async function failure(call: Promise<unknown>): Promise<CustomerTokensError> {
  const error = await failureOf(call);
  expect(error).toBeInstanceOf(CustomerTokensError);
  for (const canary of Object.values(canaries)) expect(shown(error)).not.toContain(canary);
  return error as CustomerTokensError;
}

/** The codes along an error's causes. */
function codes(error: unknown): unknown[] {
  const found: unknown[] = [];
  for (let link = error; link instanceof Error; link = link.cause) found.push((link as { code?: unknown }).code);
  return found;
}

describe("no connection", () => {
  test("refused is a ConnectionError with the system's code, after all tries", async () => {
    const host = `127.0.0.1:${await freePort()}`;
    const client = connect(`http://${host}`, { maxRetries: 2, random: () => 0 });
    const error = await failure(client.createCustomerToken(request));
    expect(error).toMatchObject({
      name: "ConnectionError",
      attempts: 3,
      message: `no answer from ${host} (ECONNREFUSED)`,
    });
    expect(codes(error)).toContain("ECONNREFUSED");
  });

  test("a name that does not resolve is a ConnectionError with the resolver's code", async () => {
    const error = await failure(connect("https://name.invalid").createCustomerToken(request));
    expect(error).toMatchObject({ name: "ConnectionError", attempts: 1 });
    expect(["ENOTFOUND", "EAI_AGAIN"]).toContain(codes(error).at(-1));
  });

  test("TLS with a server that does not speak it is a ConnectionError", async () => {
    await using plain = await startEmulator();
    const error = await failure(connect(plain.url.replace("http:", "https:")).createCustomerToken(request));
    expect(error).toMatchObject({ name: "ConnectionError" });
    expect(codes(error)).toContain("ERR_SSL_WRONG_VERSION_NUMBER");
  });
});

const faults = Object.entries(readFixture<Record<WireFault, string>>("wire-faults"));

test.each(faults)("%s is a %s, of the token endpoint and of the service", async (fault, name) => {
  for (const [nth, response] of [bankResponse, createdResponse].entries()) {
    const clock = new FakeClock();
    await using wire = await startWire((socket) => {
      if (wire.requests.length <= nth) return void socket.write(bankResponse);
      wireFaults[fault as WireFault](socket, response);
      // The time is up as soon as the faulty response is on its way.
      if (name === "TimeoutError") setImmediate(() => clock.advance(10_000));
    });
    const call = connect(wire.url, { clock }).createCustomerToken(request);
    await expect(failure(call)).resolves.toMatchObject({ name });
    expect(wire.requests).toHaveLength(nth + 1);
  }
});

describe("a call gets its token", () => {
  test("when every byte comes alone", async () => {
    await using wire = await startWire((socket, text) =>
      wireFaults["byte after byte"](socket, text.startsWith("POST /oauth") ? bankResponse : createdResponse),
    );
    await expect(connect(wire.url).createCustomerToken(request)).resolves.toEqual({ access_token: canaries.customer });
  });

  test("when the server has closed the kept connection", async () => {
    await using wire = await startWire((socket) => socket.write(createdResponse, () => socket.resetAndDestroy()));
    const client = connect(wire.url, { auth: bearer(canaries.bank), maxRetries: 2, random: () => 0 });
    for (let call = 0; call < 5; call++) await expect(client.createCustomerToken(request)).resolves.toBeDefined();
  });

  test("after a response that was longer than its Content-Length, without the rest of it", async () => {
    let nth = 0;
    await using wire = await startWire((socket) =>
      socket.write(++nth === 1 ? `${createdResponse}${http(201, '{"access_token":"stray"}')}` : createdResponse),
    );
    const client = connect(wire.url, { auth: bearer(canaries.bank), maxRetries: 2, random: () => 0 });
    for (let call = 0; call < 3; call++) {
      await expect(client.createCustomerToken(request)).resolves.toEqual({ access_token: canaries.customer });
    }
  });
});

// RFC 9112, section 4: a reason phrase may hold bytes beyond ASCII.
describe.each(["Ungültig", "Nicht — erlaubt"])("the reason phrase %j", (phrase) => {
  test("of the service is passed over", async () => {
    const refused = http(422, '{"message_code":"no_customer"}').replace("Whatever", phrase);
    await using wire = await startWire((socket) => socket.write(refused));
    const client = connect(wire.url, { auth: bearer(canaries.bank) });
    const expected = { name: "ApiError", status: 422, messageCode: "no_customer" };
    await expect(failure(client.createCustomerToken(request))).resolves.toMatchObject(expected);
    const { error, response } = await client.api.POST("/api/customer_tokens", { body: request });
    expect([error, response.status]).toEqual([{ message_code: "no_customer" }, 422]);
  });

  test("of the token endpoint does not hide a refusal, which is remembered", async () => {
    const refused = http(401, '{"error":"invalid_client"}').replace("Whatever", phrase);
    await using wire = await startWire((socket) => socket.write(refused));
    const client = connect(wire.url);
    for (let calls = 0; calls < 3; calls++) {
      const expected = { name: "TokenRequestError", error: "invalid_client" };
      await expect(failure(client.createCustomerToken(request))).resolves.toMatchObject(expected);
    }
    expect(wire.requests).toHaveLength(1);
  });
});

test.each([301, 302, 303, 307, 308])("a redirect with %i takes no secret to another host", async (status) => {
  await using elsewhere = await startWire((socket) => socket.write(bankResponse));
  await using wire = await startWire((socket) => socket.write(http(status, "", { location: elsewhere.url })));
  for (const options of [{}, { auth: bearer(canaries.bank) }]) {
    const error = await failure(connect(wire.url, { maxRetries: 2, ...options }).createCustomerToken(request));
    expect(error).toMatchObject({ name: "InvalidResponseError", responseStatus: status });
  }
  expect([wire.requests.length, elsewhere.requests.length]).toEqual([2, 0]);
});

test("a status that HTTP does not know is an InvalidResponseError", async () => {
  await using wire = await startWire((socket) => socket.write(http(999, "no")));
  const client = connect(wire.url, { auth: bearer(canaries.bank) });
  const error = await failure(client.createCustomerToken(request));
  expect(error).toMatchObject({ name: "InvalidResponseError", responseStatus: 999 });
  expect(String(error)).toContain("a status that HTTP does not know");
});
