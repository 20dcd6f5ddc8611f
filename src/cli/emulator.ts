import type { Emulator, EmulatorClient, EmulatorOptions, Fault } from "cybrid-customer-tokens/emulator";
import { type Command, type Given, type Io, program, UsageError, wholeNumber } from "./command.js";

/** The emulator could not start. */
export class StartError extends Error {}

export const emulator: Command = {
  summary: "starts an identity provider for tests in any language",
  options: {
    host: { value: "ADDRESS", help: "IP address to listen on; 0.0.0.0 in a container (default: 127.0.0.1)" },
    port: { value: "N", help: "TCP port; 0 for a free one (default: 4010)" },
    issuer: { value: "URL", help: "address under which others reach it, for iss, aud and discovery" },
    customer: { value: "GUID", multiple: true, help: "a customer that exists; repeat it for more, 'any' for all" },
    "client-id": { value: "ID", help: "client id of the bank (default: emulator-client)" },
    "client-secret": { value: "SECRET", help: "its secret, which is printed (default: emulator-secret)" },
    client: { value: "JSON", multiple: true, help: 'a further client: "clientId", "clientSecret", perhaps "scopes"' },
    "bank-token-lifetime-seconds": { value: "N", help: "lifetime of bank tokens (default: 1800)" },
    "customer-token-lifetime-seconds": { value: "N", help: "lifetime of customer tokens (default: 1800)" },
    quotas: { help: "answer 429 after 20 token requests or 200 customer tokens in five minutes" },
    fault: { value: "JSON", multiple: true, help: 'something that goes wrong: "path", and "status" or others' },
  },
  notes: `A fault has "path", and any of "nth", "times", "delayMs", "reset" ("before" or "after"), "status", "headers",
"body" and "truncateBytes".

While it runs:
  GET  /.well-known/jwks.json   its key set
  POST /emulator/revoke-tokens  revoke all bank tokens
  POST /emulator/rotate-key     replace the signing key
  POST /emulator/faults         add a fault, as JSON
  GET  /emulator/requests       what it was asked`,
  example: `${program} emulator --fault '{ "path": "/oauth/token", "status": 429 }'`,

  async run(given, io) {
    const options = optionsOf(given, io);
    const running = await start(options);
    // Whoever reads the banner may stop it at once.
    const stopped = io.stopped();
    io.stdout(banner(running, options.customers === "any"));
    await stopped;
    await running.close();
  },
};

function optionsOf(given: Given, io: Io): EmulatorOptions {
  const [host] = given.get("host") ?? [];
  const [issuer] = given.get("issuer") ?? [];
  const [clientId = "emulator-client"] = given.get("client-id") ?? [];
  const [clientSecret = "emulator-secret"] = given.get("client-secret") ?? [];
  const customers = given.get("customer");
  return {
    host,
    port: wholeNumber(given, "port") ?? 4010,
    issuer,
    clients: [{ clientId, clientSecret }, ...objects<EmulatorClient>(given, "client")],
    customers: customers?.includes("any") ? "any" : customers,
    bankTokenLifetimeSeconds: wholeNumber(given, "bank-token-lifetime-seconds"),
    customerTokenLifetimeSeconds: wholeNumber(given, "customer-token-lifetime-seconds"),
    quotas: given.has("quotas") ? { tokenRequests: 20, customerTokens: 200, windowSeconds: 300 } : undefined,
    faults: objects<Fault>(given, "fault"),
    control: true,
    onRequest({ method, path, status, code }) {
      // An unknown path could hold anything.
      const words = [method, status === 404 ? "(unknown path)" : path, status === 0 ? "reset" : status, code];
      io.stderr(`${words.filter((word) => word !== undefined).join(" ")}\n`);
    },
  };
}

/** The emulator checks what is in them. */
function objects<T>(given: Given, option: string): T[] {
  try {
    return (given.get(option) ?? []).map((text) => JSON.parse(text) as T);
  } catch {
    throw new UsageError(`--${option}: expected a JSON object`);
  }
}

async function start(options: EmulatorOptions): Promise<Emulator> {
  // Signing and validation are a hundred times the size of the client: only this command waits for them.
  const { startEmulator } = await import("cybrid-customer-tokens/emulator");
  return startEmulator(options).catch((error: unknown) => {
    if (error instanceof TypeError) throw new UsageError(error.message);
    const { code = "unknown" } = error as NodeJS.ErrnoException;
    const reason = code === "EADDRINUSE" ? "is in use: choose another with --port" : `cannot be opened (${code})`;
    throw new StartError(`port ${options.port} ${reason}`);
  });
}

function banner({ url, client, customerGuid }: Emulator, any: boolean): string {
  const { clientId: client_id, clientSecret: client_secret } = client;
  const token = curl(`${url}/oauth/token`, { grant_type: "client_credentials", client_id, client_secret });
  const found = String.raw`sed 's/.*"access_token":"\([^"]*\)".*/\1/'`;
  const target = `${url}/api/customer_tokens -H "Authorization: Bearer $(${token} | ${found})"`;
  return `Emulator of the Cybrid Identity API, for tests only: ${url}

  client id      ${client_id}
  client secret  ${client_secret}
  customer guid  ${customerGuid}${any ? " (and every other)" : ""}
  key set        ${url}/.well-known/jwks.json

Create a customer token:

  ${curl(target, { customer_guid: customerGuid, scopes: ["customers:read"] })}

Press Ctrl-C to stop it.
`;
}

/** A shell command that posts JSON. */
function curl(target: string, body: object): string {
  const data = JSON.stringify(body).replaceAll("'", String.raw`'\''`);
  return `curl -sS ${target} -H 'Content-Type: application/json' -d '${data}'`;
}
