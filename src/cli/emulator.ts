import type { Emulator, EmulatorOptions, EmulatorQuotas } from "cybrid-customer-tokens/emulator";
import { type Command, type Io, type Option, program, UsageError } from "./command.js";

/** The emulator could not start. */
export class StartError extends Error {}

type Settable = Exclude<keyof EmulatorOptions, "now" | "onRequest" | "control">;
const options: Record<Settable | keyof EmulatorQuotas | "clientId" | "clientSecret", Option> = {
  host: {
    value: "ADDRESS",
    help: "IP address to listen on, or localhost; 0.0.0.0 in a container (default: 127.0.0.1)",
  },
  port: { value: "N", help: "TCP port; 0 for a free one (default: 4010)" },
  issuer: { value: "URL", help: "address under which others reach it, for iss, aud and discovery" },
  customers: { value: "GUID", multiple: true, help: "a customer that exists; repeat it for more, 'any' for all" },
  clientId: { value: "ID", help: "client id of the bank (default: emulator-client)" },
  clientSecret: { value: "SECRET", help: "its secret, which is printed (default: emulator-secret)" },
  clients: { value: "JSON", multiple: true, help: 'a further client: "clientId", "clientSecret", optionally "scopes"' },
  bankTokenLifetimeSeconds: { value: "N", help: "lifetime of bank tokens (default: 1800)" },
  customerTokenLifetimeSeconds: { value: "N", help: "lifetime of customer tokens (default: 1800)" },
  omitExpiresIn: { help: "leave expires_in out of the token response" },
  algorithm: { value: "NAME", help: "how tokens are signed: RS256 or RS512 (default: RS256)" },
  signingKey: { value: "FILE", help: "RSA private key (PEM), so that tokens survive a restart (default: a new one)" },
  quotas: { help: "respond with 429 beyond 20 token requests or 200 customer tokens in 300 seconds" },
  tokenRequests: { value: "N", help: "--quotas with this many token requests" },
  customerTokens: { value: "N", help: "--quotas with this many customer tokens" },
  windowSeconds: { value: "N", help: "--quotas with a window of this many seconds" },
  faults: { value: "JSON", multiple: true, help: 'a fault to inject: "path", and "status" or others' },
};

export const emulator: Command = {
  summary: "starts an identity provider for tests in any language",
  options,
  notes: `A fault has "path", and any of "nth", "times", "delayMs", "reset" ("before" or "after"), "status", "headers",
"body" and "truncateBytes".

While it runs:
  GET    /.well-known/jwks.json   its key set
  POST   /emulator/reset          bring back the state that it started with
  POST   /emulator/revoke-tokens  revoke all bank tokens
  POST   /emulator/rotate-key     replace the signing key
  POST   /emulator/clock          set its clock forward: { "advanceMs": 60000 }
  POST   /emulator/faults         add a fault, or a list of them, as JSON
  DELETE /emulator/faults         remove the faults that are left
  GET    /emulator/requests       the requests received so far`,
  example: `${program} emulator --fault '{ "path": "/oauth/token", "status": 429 }'`,

  async run(given, io) {
    const settings = optionsOf(given, io);
    const running = await start(settings);
    // Whoever reads the banner may stop it at once.
    const stopped = io.stopped();
    io.stdout(banner(running, settings.customers === "any"));
    await stopped;
    await running.close();
    return 0;
  },
};

type Given = EmulatorOptions & EmulatorQuotas & { clientId?: string; clientSecret?: string };

function optionsOf(given: Given, io: Io): EmulatorOptions {
  const { clientId = "emulator-client", clientSecret = "emulator-secret", ...rest } = given;
  const { tokenRequests, customerTokens, windowSeconds, quotas, clients = [], customers, ...others } = rest;
  const limits = { tokenRequests, customerTokens, windowSeconds };
  return {
    port: 4010,
    ...others,
    clients: [{ clientId, clientSecret }, ...clients],
    customers: customers?.includes("any") ? "any" : customers,
    quotas: quotas || Object.values(limits).some((limit) => limit !== undefined) ? limits : undefined,
    control: true,
    onRequest({ timeMs, method, path, status, code, reason, fault }) {
      // An unknown path could hold anything.
      const shown = status === 404 ? "(unknown path)" : path;
      const why = [code, reason].filter(Boolean).join(": ");
      const words = [new Date(timeMs).toISOString(), method, shown, status || "reset", why, fault && "(fault)"];
      const line = words.filter(Boolean).join(" ");
      io.stderr(`${line.replace(/\p{C}+/gu, " ")}\n`);
    },
  };
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
