// Runs in a process of its own, and prints what it measured as JSON.
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import * as clients from "./clients.js";

const { raw, rawWithDeadline, ours, openapiFetch, typescriptFetch, heyApi, refused } = clients;
const contenders = { ours, rawWithDeadline, openapiFetch, typescriptFetch, heyApi, raw };
const answer = JSON.stringify({ access_token: "x".repeat(800) });
const headers = { "content-type": "application/json" };

/**
 * Time of a contender's calls ÷ time of the same by a raw `fetch`. The two alternate one by one, so that whatever else the
 * machine does hits both alike; raw beside itself shows what is noise.
 */
async function ratios(fetch: typeof globalThis.fetch, baseUrl: string, rounds: number, atOnce: number) {
  const found: Record<string, number> = {};
  for (const [name, create] of Object.entries(contenders)) {
    const pair = [create, raw].map((client) => ({ call: client(fetch, baseUrl), times: [] as number[] }));
    for (let round = -rounds / 10; round < rounds; round++) {
      for (const { call, times } of round % 2 ? pair : [...pair].reverse()) {
        const startedAt = performance.now();
        await (atOnce === 1 ? call() : Promise.all(Array.from({ length: atOnce }, call)));
        // The first rounds warm up.
        if (round >= 0) times.push(performance.now() - startedAt);
      }
    }
    const [own = NaN, raws = NaN] = pair.map(({ times }) => median(times));
    found[name] = own / raws;
  }
  return found;
}

function median(values: readonly number[]): number {
  return [...values].sort((a, b) => a - b)[Math.floor(values.length / 2)] ?? NaN;
}

/** Time for a character of 1 MB of hostile text in an answer ÷ time for one of 64 kB: the worst of several texts. */
async function redaction(): Promise<number> {
  let worst = 0;
  for (const alphabet of ["-eyJ", "eyJa.", "\\", "%5C", "&#x26;", "secret-"]) {
    const pair = [2 ** 16, 2 ** 20 - 64].map((size) => {
      return { size, call: refused(alphabet.repeat(size / alphabet.length)), times: [] as number[] };
    });
    for (let round = -2; round < 25; round++)
      for (const { call, times } of pair) {
        const startedAt = performance.now();
        await call();
        if (round >= 0) times.push(performance.now() - startedAt);
      }
    const [short = NaN, long = NaN] = pair.map(({ size, times }) => median(times) / size);
    worst = Math.max(worst, long / short);
  }
  return worst;
}

const rounds = Number(process.argv[2]);
const inMemory = () => Promise.resolve(new Response(answer, { status: 201, headers }));
const memory = await ratios(inMemory, "https://idp.example", 10 * rounds, 1);

// Answers at once: the emulator's RSA signatures would take longer than everything that is compared here.
const server = createServer((request, response) => {
  request.resume();
  request.on("end", () => response.writeHead(201, headers).end(answer));
});
await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
const fetch: typeof globalThis.fetch = (input, init) => globalThis.fetch(input, init);
const one = await ratios(fetch, url, rounds, 1);
const many = await ratios(fetch, url, rounds / 10, 64);
server.closeAllConnections();
server.close();

console.log(JSON.stringify({ memory, one, many, redaction: await redaction() }));
