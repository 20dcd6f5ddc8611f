import { once } from "node:events";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { unescape } from "node:querystring";
import { setTimeout } from "node:timers/promises";
import { nestsTooDeep, parseJson } from "../http/body.js";
import { emulatorPaths, type Faults } from "./faults.js";
import type { Routes } from "./operations.js";
import { apiError, type Refusal, type Reply } from "./replies.js";
import type { EmulatorOptions, EmulatorRequest, Fault } from "./types.js";

/** Paths that begin like this one control the emulator. */
const controlPrefix = "/emulator/";

/** No response: the connection is cut. */
const cut: Reply = { status: 0 };

// The wildcard does not cover Authorization.
const preflight = { "access-control-allow-headers": "*, Authorization", "access-control-max-age": "600" };

const maxBodyBytes = 100_000;
/** Bounds the memory of a long run. */
const maxLogged = 1000;

/** Serves routes over HTTP, with the faults, until it is closed. Records the requests. */
export async function startServer(
  { host = "127.0.0.1", port = 0, onRequest }: EmulatorOptions,
  now: () => number,
  routes: Routes,
  currentFaults: () => Faults,
  requests: EmulatorRequest[],
) {
  // As OpenAPI has it, a path without parameters comes first.
  const templates = Object.keys(routes).sort((a, b) => Number(a.includes("{")) - Number(b.includes("{")));

  async function handle(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const { method = "", url = "" } = request;
    const [path = ""] = url.split("?", 1);
    const [timeMs, faults] = [now(), currentFaults()];
    const template = templates.find((each) => match(each, path)) ?? "";
    const respond = routes[template]?.[method === "HEAD" ? "GET" : method];
    const isControl = path.startsWith(controlPrefix);
    // Only these are counted, have quotas and faults.
    const operation = respond && method !== "HEAD" ? emulatorPaths.find((known) => known === template) : undefined;
    const fault: Partial<Fault> | undefined = operation && faults.next(operation);

    async function reply(): Promise<Reply> {
      const { authorization, origin, "content-type": type = "" } = request.headers;
      const methods = routes[template];
      if (!methods) throw apiError(404, "not_found", "Not found");
      if (isControl && origin !== undefined) return { status: 403, body: "Web pages may not control the emulator\n" };
      const allow = [...Object.keys(methods), ...("GET" in methods ? ["HEAD"] : []), "OPTIONS"].join(", ");
      if (method === "OPTIONS") {
        return { status: 204, headers: { allow, "access-control-allow-methods": allow, ...preflight } };
      }
      if (!respond) return { status: 405, headers: { allow } };
      if (fault?.delayMs) await delay(fault.delayMs, response);
      if (fault?.reset === "before") return cut;
      const text = await readBody(request);
      if (fault?.status !== undefined) return { status: fault.status, body: fault.body };
      if (text === undefined) return { status: 413, body: `The body is larger than ${maxBodyBytes} bytes\n` };
      if (nestsTooDeep(text)) return { status: 400, body: "The body is nested deeper than 100 levels\n" };
      const seconds = operation && faults.secondsToWait(operation);
      if (seconds !== undefined) {
        return { status: 429, body: "Too many requests", headers: { "retry-after": String(seconds) } };
      }
      const parameters = match(template, path) ?? {};
      const query = new URLSearchParams(url.slice(path.length));
      const mediaType = type.split(";", 1)[0]?.trim().toLowerCase();
      return respond({ method, parameters, query, authorization, mediaType, text, body: parseJson(text) });
    }

    function log({ status, body, reason }: Reply): void {
      const { error, message_code, error_description, error_message } = Object(body) as Record<string, unknown>;
      const why = reason ?? error_description ?? error_message ?? (status >= 400 ? body : undefined);
      const [code, text] = [error ?? message_code, why].map((said) =>
        typeof said === "string" ? said.slice(0, 200).trim() : undefined,
      );
      const entry = { method, path, timeMs, status, code, reason: text, fault: fault !== undefined };
      // A request that came before a reset is no longer recorded.
      if (!isControl && faults === currentFaults() && requests.push(entry) > maxLogged) requests.shift();
      onRequest?.({ ...entry });
    }

    try {
      const usual = await reply().catch((error: unknown) => {
        const { reply: refused, message } = error as Partial<Refusal>;
        if (isControl && error instanceof TypeError) return { status: 400, body: `${message}\n` };
        if (refused) return refused;
        throw error;
      });
      const sent = fault?.reset ? cut : { ...usual, headers: { ...usual.headers, ...fault?.headers } };
      log(sent);
      if (sent === cut) request.socket.resetAndDestroy();
      else write(response, sent, isControl, fault?.truncateBytes);
    } catch (error) {
      if (!request.socket.destroyed) {
        // A bug, or an error of onRequest: nobody should have to guess, or to wait.
        request.socket.destroy();
        throw error;
      }
      // The client went away, or the emulator is being closed.
      log({ ...cut, reason: "the client closed the connection" });
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
    async close(): Promise<void> {
      await new Promise<void>((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      });
      await Promise.allSettled(handling);
    },
  };
}

/** The values of a path's parameters, decoded; `undefined` if the path does not match the template. */
export function match(template: string, path: string): Record<string, string> | undefined {
  const parameter = /\{(.+?)\}/g;
  const names = [...template.matchAll(parameter)].map(([, name = ""]) => name);
  const pattern = template.replace(/[.*+?^$()|[\]\\]/g, "\\$&").replace(parameter, "([^/]+)");
  const values = new RegExp(`^${pattern}$`).exec(path)?.slice(1);
  return values && Object.fromEntries(names.map((name, index) => [name, unescape(values[index] ?? "")]));
}

/** The body as text; `undefined` if it is too large: then it is read to its end, but not kept. */
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

function write(response: ServerResponse, reply: Reply, isControl: boolean, truncateBytes = Infinity): void {
  const { status, body, headers = {} } = reply;
  const isText = typeof body === "string";
  const bytes = Buffer.from(body === undefined ? "" : isText ? body : JSON.stringify(body));
  response.statusCode = status;
  if (!isControl) {
    response.setHeader("access-control-allow-origin", "*");
    response.setHeader("access-control-expose-headers", "Retry-After, WWW-Authenticate");
  }
  if (body !== undefined) response.setHeader("content-type", isText ? "text/plain; charset=utf-8" : "application/json");
  for (const [name, value] of Object.entries(headers)) response.setHeader(name, value);
  if (truncateBytes >= bytes.length) return void response.end(bytes);
  if (!response.hasHeader("content-length")) response.setHeader("content-length", bytes.length);
  response.write(bytes.subarray(0, truncateBytes), () => response.destroy());
  // Nothing to write means no callback before the headers are out.
  if (truncateBytes === 0) response.flushHeaders();
}
