import { connect, type Socket } from "node:net";
import { startWire, type Wire } from "../../support/wire.js";

/** What one exchange through the proxy can suffer, on its way to the server or back. */
export const wireFaults = [
  "none",
  "reset before the request",
  "reset after the request",
  "half an answer, then reset",
  "half an answer, then end",
  "half an answer, then nothing",
  "trickled bytes",
  "content-length too long",
  "content-length too short",
  "garbage for an answer",
  "garbage for a body",
  "a body without an end",
  "an error of 3 MB",
  "an error full of starts of tokens",
  "hang",
] as const;
export type WireFault = (typeof wireFaults)[number];

/** A TCP proxy before a server on 127.0.0.1. */
export interface Proxy extends AsyncDisposable {
  readonly url: string;
  /** How often each path was asked. */
  readonly counts: Map<string, number>;
  /** Bank tokens that were answered 401 `authentication_failed`. */
  readonly refused: Set<string>;
  /** Waits for whatever is still on its way to or from the server. */
  drain(): Promise<void>;
}

/**
 * @param target URL of the server
 * @param faults Faults to play, per path and in order; none after the last
 */
export async function startProxy(target: string, faults: Record<string, readonly WireFault[]>): Promise<Proxy> {
  const port = Number(new URL(target).port);
  const counts = new Map<string, number>();
  const refused = new Set<string>();
  const exchanges = new Set<Promise<void>>();

  async function exchange(socket: Socket, request: string): Promise<void> {
    const path = request.split(" ", 2)[1] ?? "";
    const nth = counts.get(path) ?? 0;
    counts.set(path, nth + 1);
    const fault = faults[path]?.[nth] ?? "none";
    if (fault === "reset before the request") return void socket.resetAndDestroy();
    const answer = await forward(port, request);
    if (answer.includes('"authentication_failed"')) refused.add(/authorization: (.*)/i.exec(request)?.[1] ?? "");
    // The server itself has cut the connection.
    if (answer === "") return void socket.resetAndDestroy();
    misbehave(socket, answer, fault);
  }

  const wire: Wire = await startWire((socket, request) => {
    const done = exchange(socket, request).catch(() => void socket.destroy());
    exchanges.add(done);
    void done.then(() => exchanges.delete(done));
  });
  return {
    url: wire.url,
    counts,
    refused,
    async drain() {
      await Promise.all(exchanges);
    },
    [Symbol.asyncDispose]: () => wire[Symbol.asyncDispose](),
  };
}

/** Hands a request on, and gives all that comes back; nothing where the server resets the connection. */
function forward(port: number, request: string): Promise<string> {
  return new Promise((resolve) => {
    let answer = "";
    const upstream = connect(port, "127.0.0.1", () => {
      upstream.write(request.replace(/^connection: .*\r\n/im, "connection: close\r\n"), "latin1");
    });
    upstream.setEncoding("latin1").on("data", (chunk: string) => (answer += chunk));
    upstream.on("error", () => {}).on("close", () => resolve(answer));
  });
}

function misbehave(socket: Socket, answer: string, fault: WireFault): void {
  const write = (bytes: string, then?: () => void) => void socket.write(bytes, "latin1", then);
  const [head = "", body = ""] = answer.replace(/^connection: close\r\n/im, "").split("\r\n\r\n", 2);
  const whole = `${head}\r\n\r\n${body}`;
  const half = whole.slice(0, whole.length / 2);
  const withLength = (length: number) =>
    `${head.replace(/content-length: \d+/i, `content-length: ${length}`)}\r\n\r\n${body}`;
  switch (fault) {
    case "none":
      return write(whole);
    case "reset after the request":
      return void socket.resetAndDestroy();
    case "half an answer, then reset":
      return write(half, () => setImmediate(() => socket.resetAndDestroy()));
    case "half an answer, then end":
      return void socket.end(half, "latin1");
    case "half an answer, then nothing":
      return write(half);
    case "trickled bytes": {
      const trickle = (at: number) => {
        if (at < whole.length && !socket.destroyed)
          write(whole.slice(at, at + 40), () => setImmediate(trickle, at + 40));
      };
      return trickle(0);
    }
    case "content-length too long":
      return void socket.end(withLength(body.length + 100), "latin1");
    case "content-length too short":
      return void socket.end(withLength(Math.floor(body.length / 2)), "latin1");
    case "garbage for an answer":
      return void socket.end(garbage(300), "latin1");
    case "garbage for a body":
      return write(`${head}\r\n\r\n${garbage(body.length)}`);
    case "a body without an end": {
      const chunk = `4000\r\n${"x".repeat(0x4000)}\r\n`;
      const more = () => {
        if (!socket.destroyed) socket.write(chunk, () => setImmediate(more));
      };
      socket.write(
        "HTTP/1.1 201 Created\r\ncontent-type: application/json\r\ntransfer-encoding: chunked\r\n\r\n",
        more,
      );
      return;
    }
    case "an error of 3 MB":
      return write(failed("a huge answer ".repeat(220_000)));
    case "an error full of starts of tokens":
      // It ends as a token does, so that nothing of it may be shown.
      return write(failed(`${"-eyJ".repeat(50_000)}.x`));
    case "hang":
    case "reset before the request":
      return;
  }
}

function failed(text: string): string {
  return `HTTP/1.1 500 Whatever\r\ncontent-type: text/plain\r\ncontent-length: ${text.length}\r\n\r\n${text}`;
}

/** Bytes that are neither HTTP nor JSON, the same each time. */
function garbage(length: number): string {
  return Array.from({ length }, (_, index) => String.fromCharCode((index * 167 + 91) % 256)).join("");
}
