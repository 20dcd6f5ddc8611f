// Runs in a process of its own: measures every client in turns, so that whatever else the machine does hits all alike, and
// prints the rounds as JSON.
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import * as clients from "./clients.js";

const { raw, rawWithDeadline, ours, openapiFetch, typescriptFetch, heyApi } = clients;
const contenders = { raw, rawWithDeadline, ours, openapiFetch, typescriptFetch, heyApi };
const answer = JSON.stringify({ access_token: "x".repeat(800) });
const headers = { "content-type": "application/json" };
const rounds = Number(process.env["ROUNDS"] ?? 41);

async function measure(
  fetch: typeof globalThis.fetch,
  baseUrl: string,
  calls: number,
  atOnce: number,
): Promise<Record<string, number[]>> {
  const made = Object.entries(contenders).map(([name, create]) => [name, create(fetch, baseUrl)] as const);
  const times: Record<string, number[]> = {};
  for (let round = -3; round < rounds; round++) {
    // Each begins a round as often as the others.
    const turn = made
      .map((_, index) => made[(index + round + made.length) % made.length])
      .filter((one) => one !== undefined);
    for (const [name, call] of turn) {
      const startedAt = performance.now();
      for (let done = 0; done < calls; done += atOnce) {
        if (atOnce === 1) await call();
        else await Promise.all(Array.from({ length: atOnce }, call));
      }
      // The first rounds warm up.
      if (round >= 0) (times[name] ??= []).push((performance.now() - startedAt) / calls);
    }
  }
  return times;
}

const inMemory = () => Promise.resolve(new Response(answer, { status: 201, headers }));
const memory = await measure(inMemory, "https://idp.example", 2_000, 1);

// Answers at once: the emulator's RSA signatures would take longer than everything that is compared here.
const server = createServer((request, response) => {
  request.resume();
  request.on("end", () => response.writeHead(201, headers).end(answer));
});
await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
const fetch: typeof globalThis.fetch = (input, init) => globalThis.fetch(input, init);
const one = await measure(fetch, url, 200, 1);
const many = await measure(fetch, url, 640, 64);
server.closeAllConnections();
server.close();

console.log(JSON.stringify({ memory, one, many }));
