// Runs in a separate process, and prints its figures as JSON.
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { heyApi, openapiFetch, ours, raw, rawWithDeadline, refused, typescriptFetch } from "./clients.js";
import { medians } from "./medians.js";

/** Ratios of the contenders, in the order of the columns. */
export interface Measured extends Record<"memory" | "one" | "many", number[]> {
  redaction: number;
}

const contenders = [ours, rawWithDeadline, openapiFetch, typescriptFetch, heyApi, raw];
const answer = JSON.stringify({ access_token: "x".repeat(800) });
const headers = { "content-type": "application/json" };

/** Time of each contender's calls ÷ time of the same by a raw `fetch`; raw compared with itself shows how much is noise. */
async function ratios(fetch: typeof globalThis.fetch, baseUrl: string, rounds: number, atOnce = 1): Promise<number[]> {
  const found: number[] = [];
  for (const create of contenders) {
    const tasks = [create, raw].map((client) => {
      const call = client(fetch, baseUrl);
      return atOnce === 1 ? call : () => Promise.all(Array.from({ length: atOnce }, call));
    });
    const [own = NaN, floor = NaN] = await medians(tasks, rounds);
    found.push(own / floor);
  }
  return found;
}

/** Time for a character of 1 MB of hostile text in a response ÷ time for one of 64 kB: the worst of several texts. */
async function redaction(): Promise<number> {
  const found: number[] = [];
  for (const alphabet of ["-eyJ", "eyJa.", "\\", "%5C", "&#x26;", "secret-"]) {
    const calls = [2 ** 16, 2 ** 20].map((size) => refused(alphabet.repeat((size - 64) / alphabet.length)));
    const [short = NaN, long = NaN] = await medians(calls, 25);
    found.push(long / short / 2 ** 4);
  }
  return Math.max(...found);
}

const rounds = Number(process.argv[2]);
const inMemory = () => Promise.resolve(new Response(answer, { status: 201, headers }));
const memory = await ratios(inMemory, "https://idp.example", 10 * rounds);

// Responds at once: the emulator's RSA signatures would take longer than everything that is compared here.
const server = createServer((request, response) => {
  request.resume();
  request.on("end", () => response.writeHead(201, headers).end(answer));
});
await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
const fetch: typeof globalThis.fetch = (input, init) => globalThis.fetch(input, init);
const one = await ratios(fetch, url, rounds);
const many = await ratios(fetch, url, rounds / 10, 64);
server.closeAllConnections();
server.close();

console.log(JSON.stringify({ memory, one, many, redaction: await redaction() } satisfies Measured));
