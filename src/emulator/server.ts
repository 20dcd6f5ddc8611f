import { once } from "node:events";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { setTimeout } from "node:timers/promises";
import type { Faults } from "./faults.js";
import { emulatorPaths, type EmulatorOptions, type EmulatorRequest, type Fault } from "./options.js";
import { type Answer, notFound, type Provider, type ReceivedRequest } from "./provider.js";

interface SentAnswer extends Answer {
  truncateBytes?: number;
}

/** No answer: the connection is cut. */
const cut: SentAnswer = { status: 0 };

type Respond = (request: ReceivedRequest) => Answer | Promise<Answer>;

const get = (respond: Respond) => ({ methods: ["GET", "HEAD"], respond });
const post = (respond: Respond) => ({ methods: ["POST"], respond });

/** For tests in other processes and languages. */
const control = (work: (text: string) => void | Promise<void>) =>
  post(async ({ text }) => {
    try {
      await work(text);
      return { status: 204 };
    } catch (error) {
      return { status: 400, body: `${(error as Error).message}\n` };
    }
  });

// The wildcard does not cover Authorization.
const preflight = { "access-control-allow-headers": "*, Authorization", "access-control-max-age": "600" };

const maxBodyBytes = 100_000;
/** Bounds the memory of a long run. */
const maxLogged = 1000;

/** Serves the provider over HTTP, with the faults, until it is closed. */
export async function startServer(options: EmulatorOptions, provider: Provider, faults: Faults) {
  const { host = "127.0.0.1", port = 0, now = Date.now, onRequest } = options;
  const requests: EmulatorRequest[] = [];
  const routes: Record<string, ReturnType<typeof get>> = {
    "/oauth/token": post(provider.createAccessToken),
    "/api/customer_tokens": post(provider.createCustomerToken),
    "/.well-known/jwks.json": get(provider.keys),
    // What waits for a server to be up, such as wait-on, asks here.
    "/": get(() => ({ status: 200, body: "Emulator of the Cybrid Identity API, for tests only\n" })),
    "/.well-known/openid-configuration": get(provider.metadata),
    "/.well-known/oauth-authorization-server": get(provider.metadata),
    ...(options.control && {
      "/emulator/revoke-tokens": control(provider.revokeTokens),
      "/emulator/rotate-key": control(provider.rotateKey),
      "/emulator/faults": control((text) => faults.play(JSON.parse(text) as Fault)),
      "/emulator/requests": get(() => ({ status: 200, body: { counts: faults.counts, requests } })),
    }),
  };

  async function answerTo(request: IncomingMessage, response: ServerResponse, path: string): Promise<SentAnswer> {
    const { method = "", headers: sent } = request;
    const route = Object.hasOwn(routes, path) ? routes[path] : undefined;
    if (!route) return notFound;
    const allow = [...route.methods, "OPTIONS"].join(", ");
    if (method === "OPTIONS") {
      return { status: 204, headers: { allow, "access-control-allow-methods": allow, ...preflight } };
    }
    if (!route.methods.includes(method)) return { status: 405, headers: { allow } };

    // Only these are counted, have quotas and play faults.
    const operation = method === "HEAD" ? undefined : emulatorPaths.find((known) => known === path);
    const fault: Partial<Fault> = operation ? faults.next(operation) : {};
    const { delayMs = 0, reset, status, headers = {}, body, truncateBytes = Infinity } = fault;
    if (delayMs > 0) await delay(delayMs, response);
    if (reset === "before") return cut;
    const text = await readBody(request);
    if (status !== undefined) return { status, body, headers, truncateBytes };
    if (text === undefined) return { status: 413 };
    const seconds = operation && faults.secondsToWait(operation);
    const mediaType = sent["content-type"]?.split(";", 1)[0]?.trim().toLowerCase();
    const usual =
      seconds === undefined
        ? await route.respond({ authorization: sent.authorization, mediaType, text })
        : { status: 429, body: "Too many requests", headers: { "retry-after": String(seconds) } };
    return reset === "after" ? cut : { ...usual, headers: { ...usual.headers, ...headers }, truncateBytes };
  }

  async function handle(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const { method = "", url = "" } = request;
    const [path = ""] = url.split("?", 1);
    const timeMs = now();
    const log = ({ status, body }: Answer) => {
      const entry = { method, path, timeMs, status, code: codeOf(body) };
      if (requests.push(entry) > maxLogged) requests.shift();
      onRequest?.({ ...entry });
    };
    try {
      const answer = await answerTo(request, response, path);
      log(answer);
      if (answer === cut) request.socket.resetAndDestroy();
      else write(response, answer);
    } catch (error) {
      if (!request.socket.destroyed) {
        // A bug, or what onRequest throws: nobody should have to guess, or to wait.
        request.socket.destroy();
        throw error;
      }
      // The client went away, or the emulator is being closed.
      log(cut);
    }
  }

  const handling = new Set<Promise<void>>();
  const server = createServer((request, response) => {
    const handled = handle(request, response).finally(() => handling.delete(handled));
    handling.add(handled);
  });
  // Longer than any test pauses, so that no connection ends just as it is used again.
  server.keepAliveTimeout = 60_000;
  await once(server.listen({ host, port, backlog: 4096 }), "listening");
  const address = { "0.0.0.0": "127.0.0.1", "::": "::1" }[host] ?? host;
  const authority = address.includes(":") ? `[${address}]` : address;

  return {
    url: `http://${authority}:${(server.address() as AddressInfo).port}`,
    requests,
    async close(): Promise<void> {
      await new Promise<void>((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      });
      await Promise.allSettled(handling);
    },
  };
}

/** The body as text, `undefined` where it is too large: then it is read to its end, but not kept. */
async function readBody(request: IncomingMessage): Promise<string | undefined> {
  const chunks: Buffer[] = [];
  let length = 0;
  for await (const chunk of request as AsyncIterable<Buffer>) {
    length += chunk.length;
    if (length <= maxBodyBytes) chunks.push(chunk);
  }
  return length > maxBodyBytes ? undefined : Buffer.concat(chunks).toString();
}

/** Waits; rejects as soon as the connection is closed. */
function delay(delayMs: number, response: ServerResponse): Promise<void> {
  const closed = new AbortController();
  response.once("close", () => closed.abort());
  // A longer timer would fire at once.
  return setTimeout(Math.min(delayMs, 2 ** 31 - 1), undefined, { signal: closed.signal });
}

function write(response: ServerResponse, answer: SentAnswer): void {
  const { status, body, headers = {}, truncateBytes = Infinity } = answer;
  const isText = typeof body === "string";
  const bytes = Buffer.from(body === undefined ? "" : isText ? body : JSON.stringify(body));
  response.statusCode = status;
  response.setHeader("access-control-allow-origin", "*");
  response.setHeader("access-control-expose-headers", "Retry-After, WWW-Authenticate");
  if (body !== undefined) response.setHeader("content-type", isText ? "text/plain; charset=utf-8" : "application/json");
  for (const [name, value] of Object.entries(headers)) response.setHeader(name, value);
  if (truncateBytes >= bytes.length) return void response.end(bytes);
  if (!response.hasHeader("content-length")) response.setHeader("content-length", bytes.length);
  response.write(bytes.subarray(0, truncateBytes), () => response.destroy());
  // Nothing to write means no callback before the headers are out.
  if (truncateBytes === 0) response.flushHeaders();
}

/** What an answer's body calls its failure, in either operation's way. */
function codeOf(body: unknown): string | undefined {
  const { error, message_code } = Object(body) as { error?: unknown; message_code?: unknown };
  const code = error ?? message_code;
  return typeof code === "string" ? code : undefined;
}
