import { type Socket } from "node:net";
import createClient from "openapi-fetch";
import { describe, expect, test } from "vitest";
import {
  bearer,
  clientCredentials,
  createCustomerTokensClient,
  CustomerTokensError,
  type CustomerTokensClientOptions,
  type paths,
} from "../../../src/index.js";
import { startEmulator } from "../../../src/emulator/emulator.js";
import { FakeClock } from "../../support/clock.js";
import { shown } from "../../support/shown.js";
import { guid } from "../../support/service.js";
import { freePort, http, startWire } from "../../support/wire.js";

// What crosses a socket here goes through the platform's own fetch.

const request = { customer_guid: guid, scopes: ["customers:read" as const] };
const canaries = { secret: "canary-secret", bank: "canary-bank-token", customer: "canary-customer-token" };
const tokenAnswer = http(200, JSON.stringify({ access_token: canaries.bank, token_type: "Bearer", expires_in: 3600 }));
const customerTokenBody = JSON.stringify({ access_token: canaries.customer });
const customerTokenAnswer = http(201, customerTokenBody);

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
  const error: unknown = await call.then(
    () => new Error("the call has succeeded"),
    (reason: unknown) => reason,
  );
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

  test("TLS with somebody who does not speak it is a ConnectionError", async () => {
    await using plain = await startEmulator();
    const error = await failure(connect(plain.url.replace("http:", "https:")).createCustomerToken(request));
    expect(error).toMatchObject({ name: "ConnectionError" });
    expect(codes(error)).toContain("ERR_SSL_WRONG_VERSION_NUMBER");
  });
});

type Answer = (socket: Socket) => unknown;
const half = (answer: string) => answer.slice(0, -Math.ceil(customerTokenBody.length / 2));
const trickle = (socket: Socket, bytes: string): void => {
  if (bytes === "") return;
  socket.write(bytes.slice(0, 1), () => setImmediate(trickle, socket, bytes.slice(1)));
};

/** What the wire can do to an answer, and what a call makes of it. */
const faults: [string, (whole: string) => Answer, Partial<CustomerTokensError> & { attempts?: number }][] = [
  ["reset without an answer", () => (socket) => socket.resetAndDestroy(), { name: "ConnectionError" }],
  ["closed without an answer", () => (socket) => socket.end(), { name: "ConnectionError" }],
  ["reset within the headers", () => cut("HTTP/1.1 200 OK\r\ncontent-ty"), { name: "ConnectionError" }],
  ["reset within the body", (whole) => cut(half(whole)), { name: "ConnectionError" }],
  ["closed within the body", (whole) => (socket) => socket.end(half(whole)), { name: "ConnectionError" }],
  [
    "closed within a chunked body",
    (whole) => (socket) =>
      socket.end(`${whole.slice(0, 12)} OK\r\ntransfer-encoding: chunked\r\n\r\n400\r\n${whole.slice(-20)}`),
    { name: "ConnectionError" },
  ],
  ["no HTTP", () => (socket) => socket.end("220 smtp.example ESMTP\r\n"), { name: "ConnectionError" }],
  [
    "random bytes",
    () => (socket) => socket.end(Buffer.from(Array.from({ length: 512 }, (_, i) => (i * 167) % 256))),
    { name: "ConnectionError" },
  ],
  [
    "a content-length that is too long",
    (whole) => (socket) => socket.end(lengthOf(whole, 9999)),
    { name: "ConnectionError" },
  ],
  [
    "a content-length that is too short",
    (whole) => (socket) => socket.end(lengthOf(whole, 9)),
    { name: "InvalidResponseError" },
  ],
  ["no headers in time", () => () => {}, { name: "TimeoutError" }],
  ["half the headers in time", () => (socket) => socket.write("HTTP/1.1 200 OK\r\nx: "), { name: "TimeoutError" }],
  [
    "no body in time",
    (whole) => (socket) => socket.write(whole.split("\r\n\r\n")[0] + "\r\n\r\n"),
    { name: "TimeoutError" },
  ],
  ["half the body in time", (whole) => (socket) => socket.write(half(whole)), { name: "TimeoutError" }],
];

function cut(bytes: string): Answer {
  return (socket) => socket.write(bytes, () => setImmediate(() => socket.resetAndDestroy()));
}

function lengthOf(answer: string, length: number): string {
  return answer.replace(/content-length: \d+/, `content-length: ${length}`);
}

describe.each(faults)("%s", (_, fault, expected) => {
  /** Its time is up as soon as the faulty answer is on its way. */
  function connectFor(url: string) {
    const clock = new FakeClock();
    const arrived = () => expected.name === "TimeoutError" && setImmediate(() => clock.advance(10_000));
    return { client: connect(url, { clock }), arrived };
  }

  test("of the token endpoint", async () => {
    const answer = fault(tokenAnswer);
    await using wire = await startWire((socket) => (answer(socket), arrived()));
    const { client, arrived } = connectFor(wire.url);
    await expect(failure(client.createCustomerToken(request))).resolves.toMatchObject(expected);
    expect(wire.requests).toHaveLength(1);
  });

  test("of the service", async () => {
    const answer = fault(customerTokenAnswer);
    await using wire = await startWire((socket, text) =>
      text.startsWith("POST /oauth") ? socket.write(tokenAnswer) : (answer(socket), arrived()),
    );
    const { client, arrived } = connectFor(wire.url);
    await expect(failure(client.createCustomerToken(request))).resolves.toMatchObject(expected);
    expect(wire.requests).toHaveLength(2);
  });
});

describe("a call gets its token", () => {
  test("when every byte comes by itself", async () => {
    await using wire = await startWire((socket, text) =>
      trickle(socket, text.startsWith("POST /oauth") ? tokenAnswer : customerTokenAnswer),
    );
    await expect(connect(wire.url).createCustomerToken(request)).resolves.toEqual({ access_token: canaries.customer });
  });

  test("when the server has closed the kept connection", async () => {
    await using wire = await startWire((socket) => socket.write(customerTokenAnswer, () => socket.resetAndDestroy()));
    const client = connect(wire.url, { auth: bearer(canaries.bank), maxRetries: 2, random: () => 0 });
    for (let call = 0; call < 5; call++) await expect(client.createCustomerToken(request)).resolves.toBeDefined();
  });

  test("after an answer that was longer than it said, without a byte of it", async () => {
    let nth = 0;
    await using wire = await startWire((socket) =>
      socket.write(
        ++nth === 1 ? `${customerTokenAnswer}${http(201, '{"access_token":"stray"}')}` : customerTokenAnswer,
      ),
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

describe.each([307, 308, 302])("a redirect with %i to another host", (status) => {
  test("of the token request takes no secret there", async () => {
    await using elsewhere = await startWire((socket) => socket.write(tokenAnswer));
    await using wire = await startWire((socket) =>
      socket.write(http(status, "", { location: `${elsewhere.url}/oauth/token` })),
    );
    const error = await failure(connect(wire.url, { maxRetries: 2 }).createCustomerToken(request));
    expect(error).toMatchObject({ name: "InvalidResponseError", responseStatus: status });
    expect([wire.requests.length, elsewhere.requests.length]).toEqual([1, 0]);
  });

  test("of the call takes no bank token there", async () => {
    await using elsewhere = await startWire((socket) => socket.write(customerTokenAnswer));
    await using wire = await startWire((socket) => socket.write(http(status, "", { location: elsewhere.url })));
    const client = connect(wire.url, { auth: bearer(canaries.bank), maxRetries: 2 });
    await expect(failure(client.createCustomerToken(request))).resolves.toMatchObject({ responseStatus: status });
    expect([wire.requests.length, elsewhere.requests.length]).toEqual([1, 0]);
  });
});

test("a status that HTTP does not know is an InvalidResponseError", async () => {
  await using wire = await startWire((socket) => socket.write(http(999, "no")));
  const client = connect(wire.url, { auth: bearer(canaries.bank) });
  const error = await failure(client.createCustomerToken(request));
  expect(error).toMatchObject({ name: "InvalidResponseError", responseStatus: 999 });
  expect(String(error)).toContain("a status that HTTP does not know");
});

// Each of these is how openapi-fetch 0.17 behaves by itself. Where a new version does better, the first line of its test
// says so, and what the facade does about it may go.
describe("traps of openapi-fetch:", () => {
  const ours = (url: string) => connect(url, { auth: bearer(canaries.bank) }).createCustomerToken(request);
  const theirs = (url: string, onError?: () => void) => {
    const client = createClient<paths>({ baseUrl: url });
    if (onError) client.use({ onError });
    return client.POST("/api/customer_tokens", { body: request });
  };

  test("an empty 401 is an error that reads as none", async () => {
    await using wire = await startWire((socket) => socket.end("HTTP/1.1 401 Unauthorized\r\n\r\n"));
    await expect(theirs(wire.url)).resolves.toMatchObject({ error: "" });
    await expect(ours(wire.url)).rejects.toMatchObject({ name: "ApiError", status: 401, body: "" });
  });

  test("an empty 201 is neither data nor an error", async () => {
    await using wire = await startWire((socket) => socket.write(http(201, "")));
    const result = await theirs(wire.url);
    expect([result.data, result.error]).toEqual([undefined, undefined]);
    await expect(ours(wire.url)).rejects.toMatchObject({
      name: "InvalidResponseError",
      responseStatus: 201,
      contentLength: 0,
    });
  });

  test("HTML on a 2xx is a bare SyntaxError, and onError hears nothing", async () => {
    await using wire = await startWire((socket) => socket.write(http(201, "<html>", { "content-type": "text/html" })));
    let heard = 0;
    await expect(theirs(wire.url, () => void heard++)).rejects.toThrow(SyntaxError);
    expect(heard).toBe(0);
    await expect(ours(wire.url)).rejects.toMatchObject({ name: "InvalidResponseError", contentType: "text/html" });
  });

  test("a cut body is a bare TypeError, and onError hears nothing", async () => {
    await using wire = await startWire((socket) => socket.end(http(201, "{", { "content-length": 100 })));
    let heard = 0;
    await expect(theirs(wire.url, () => void heard++)).rejects.toThrow(new TypeError("terminated"));
    expect(heard).toBe(0);
    await expect(ours(wire.url)).rejects.toMatchObject({ name: "ConnectionError" });
  });

  test("the request's body can be sent once only", async () => {
    const answers = [http(503, ""), customerTokenAnswer];
    await using wire = await startWire((socket) => socket.write(answers.shift() ?? ""));
    const twice: typeof fetch = async (input, init) => {
      const answer = await fetch(input, init);
      return answer.status === 503 ? fetch(input, init) : answer;
    };
    const client = createClient<paths>({ baseUrl: wire.url, fetch: twice });
    await expect(client.POST("/api/customer_tokens", { body: request })).rejects.toThrow(TypeError);

    answers.unshift(http(503, ""));
    const retrying = connect(wire.url, { auth: bearer(canaries.bank), maxRetries: 1, random: () => 0 });
    await expect(retrying.createCustomerToken(request)).resolves.toBeDefined();
    expect(wire.requests.slice(-2).map((text) => text.split("\r\n\r\n")[1])).toEqual(
      Array(2).fill(JSON.stringify(request)),
    );
  });
});
