import type { Emulator, EmulatorClient, EmulatorOptions, Fault } from "cybrid-customer-tokens/emulator";
import { type Command, type Given, type Io, program, UsageError, wholeNumber } from "./command.js";
import { list } from "./help.js";

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
    const running = await start(optionsOf(given, io));
    // Whoever reads the banner may stop it at once.
    const stopped = io.stopped();
    io.stdout(banner(running, given.get("customer")?.includes("any") ?? false));
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
  return (given.get(option) ?? []).map((text) => {
    try {
      const value: unknown = JSON.parse(text);
      if (typeof value === "object" && value !== null) return value as T;
    } catch {
      // The message below says it.
    }
    throw new UsageError(`--${option}: expected a JSON object`);
  });
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

function banner(running: Emulator, any: boolean): string {
  const { url, client, customerGuid } = running;
  return `Emulator of the Cybrid Identity API, for tests only: ${url}

${list([
  ["client id", client.clientId],
  ["client secret", client.clientSecret],
  ["customer guid", `${customerGuid}${any ? " (and every other)" : ""}`],
  ["key set", `${url}/.well-known/jwks.json`],
])}

Create a customer token:

  ${curl(running)}

Press Ctrl-C to stop it.
`;
}

/** A shell command that asks for a bank token and creates a customer token with it. */
function curl({ url, client, customerGuid }: Emulator): string {
  const post = (path: string, header: string, body: object) => {
    const data = `'${JSON.stringify(body).replaceAll("'", String.raw`'\''`)}'`;
    return `curl -sS ${url}${path}${header} -H 'Content-Type: application/json' -d ${data}`;
  };
  const credentials = { client_id: client.clientId, client_secret: client.clientSecret };
  const token = post("/oauth/token", "", { grant_type: "client_credentials", ...credentials });
  const found = String.raw`sed 's/.*"access_token":"\([^"]*\)".*/\1/'`;
  const header = ` -H "Authorization: Bearer $(${token} | ${found})"`;
  return post("/api/customer_tokens", header, { customer_guid: customerGuid, scopes: ["customers:read"] });
}
