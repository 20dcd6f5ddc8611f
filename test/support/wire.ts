import { once } from "node:events";
import { type AddressInfo, createServer, type Socket } from "node:net";

/** A server that responds byte by byte, as no HTTP library would let it. */
export interface Wire extends AsyncDisposable {
  /** Base URL, without a trailing slash. */
  readonly url: string;
  /** The requests that came, head and body. */
  readonly requests: readonly string[];
}

/** Starts a server on 127.0.0.1 that calls back with each whole request and the socket to respond on. */
export async function startWire(respond: (socket: Socket, request: string) => void): Promise<Wire> {
  const requests: string[] = [];
  const sockets = new Set<Socket>();
  const server = createServer((socket) => {
    sockets.add(socket);
    socket.on("close", () => sockets.delete(socket)).on("error", () => {});
    let received = "";
    socket.setEncoding("latin1").on("data", (chunk: string) => {
      received += chunk;
      const [head = "", body] = received.split("\r\n\r\n", 2);
      const length = Number(/content-length: (\d+)/i.exec(head)?.[1] ?? 0);
      if (body === undefined || body.length < length) return;
      requests.push(received);
      const request = received;
      received = "";
      respond(socket, request);
    });
  });
  await once(server.listen(0, "127.0.0.1"), "listening");
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    requests,
    async [Symbol.asyncDispose]() {
      const closed = once(server.close(), "close");
      for (const socket of sockets) socket.destroy();
      await closed;
    },
  };
}

/** An HTTP response as it travels, with the right content-length unless the headers say otherwise. */
export function http(status: number, body: string, headers: Record<string, string | number> = {}): string {
  const all = { "content-type": "application/json", "content-length": Buffer.byteLength(body), ...headers };
  const lines = Object.entries(all).map(([name, value]) => `${name}: ${value}\r\n`);
  return `HTTP/1.1 ${status} Whatever\r\n${lines.join("")}\r\n${body}`;
}

/** A port that nobody listens on. */
export async function freePort(): Promise<number> {
  const server = createServer();
  await once(server.listen(0, "127.0.0.1"), "listening");
  const { port } = server.address() as AddressInfo;
  await once(server.close(), "close");
  return port;
}

const half = (whole: string) => whole.slice(0, whole.length / 2 + whole.indexOf("\r\n\r\n") / 2);
const headOf = (whole: string) => whole.slice(0, whole.indexOf("\r\n\r\n") + 4);
const withLength = (whole: string, more: number) =>
  whole.replace(/content-length: (\d+)/i, (_, length) => `content-length: ${Math.max(0, Number(length) + more)}`);
/** Bytes that are neither HTTP nor JSON, the same each time. */
const garbage = (length: number) =>
  Array.from({ length }, (_, index) => String.fromCharCode((index * 167 + 91) % 256)).join("");
const reset = (socket: Socket) => void socket.resetAndDestroy();
const write = (socket: Socket, bytes: string, then?: () => void) => void socket.write(bytes, "latin1", then);
const cut = (socket: Socket, bytes: string) => write(socket, bytes, () => setImmediate(reset, socket));
const end = (socket: Socket, bytes: string) => void socket.end(bytes, "latin1");
const chunked = "HTTP/1.1 201 Created\r\ncontent-type: application/json\r\ntransfer-encoding: chunked\r\n\r\n";

function trickle(socket: Socket, bytes: string): void {
  if (bytes === "" || socket.destroyed) return;
  const length = Math.ceil(bytes.length / 20);
  write(socket, bytes.slice(0, length), () => setImmediate(trickle, socket, bytes.slice(length)));
}

function flood(socket: Socket): void {
  if (!socket.destroyed) write(socket, `4000\r\n${"x".repeat(0x4000)}\r\n`, () => setImmediate(flood, socket));
}

/** What can happen to a response on its way, by name: it gets the socket, and the response as it should be. */
export const wireFaults = {
  none: write,
  "reset without a response": reset,
  "closed without a response": (socket: Socket) => end(socket, ""),
  "reset within the headers": (socket: Socket) => cut(socket, "HTTP/1.1 200 OK\r\ncontent-ty"),
  "reset within the body": (socket: Socket, whole: string) => cut(socket, half(whole)),
  "closed within the body": (socket: Socket, whole: string) => end(socket, half(whole)),
  "closed within a chunked body": (socket: Socket, whole: string) =>
    end(socket, `${chunked}400\r\n${whole.slice(-20)}`),
  "no HTTP": (socket: Socket) => end(socket, "220 smtp.example ESMTP\r\n"),
  "random bytes": (socket: Socket) => end(socket, garbage(512)),
  "garbage for a body": (socket: Socket, whole: string) =>
    write(socket, headOf(whole) + garbage(whole.length - headOf(whole).length)),
  "a content-length that is too long": (socket: Socket, whole: string) => end(socket, withLength(whole, 100)),
  "a content-length that is too short": (socket: Socket, whole: string) => end(socket, withLength(whole, -10)),
  "byte after byte": trickle,
  "a body without an end": (socket: Socket) => (write(socket, chunked), flood(socket)),
  "an error of 3 MB": (socket: Socket) => write(socket, http(500, "a huge response ".repeat(220_000))),
  // It ends as a token does, so that nothing of it may be shown.
  "an error full of starts of tokens": (socket: Socket) => write(socket, http(500, `${"-eyJ".repeat(50_000)}.x`)),
  "no headers in time": () => {},
  "half the headers in time": (socket: Socket) => write(socket, "HTTP/1.1 200 OK\r\nx: "),
  "no body in time": (socket: Socket, whole: string) => write(socket, headOf(whole)),
  "half the body in time": (socket: Socket, whole: string) => write(socket, half(whole)),
} satisfies Record<string, (socket: Socket, whole: string) => void>;
export type WireFault = keyof typeof wireFaults;
