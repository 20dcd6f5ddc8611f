import {
  bearer,
  clientCredentials,
  createCustomerTokensClient,
  expiresAt,
  PostCustomerTokenIdpModelScopesEnum,
} from "cybrid-customer-tokens";
import { environments } from "../../generated/environments.js";
import { type Command, type Io, program, UsageError, wholeNumber, withHint } from "./command.js";

const known: readonly string[] = Object.values(PostCustomerTokenIdpModelScopesEnum);

export const create: Command = {
  summary: "creates an access token for a customer and prints it",
  synopsis: "--customer GUID --scope SCOPE",
  options: {
    customer: { value: "GUID", help: "the customer, by a guid of 32 characters" },
    scope: { value: "SCOPE", multiple: true, help: "what the token may be used for; repeat it for more scopes" },
    environment: { value: "NAME", help: `${Object.keys(environments).join(" or ")} (default: sandbox)` },
    "base-url": { value: "URL", help: "a server to use instead, such as an emulator" },
    "allow-insecure-http": { help: "allow http: to another machine, where others can read the credentials" },
    "timeout-ms": { value: "N", help: "milliseconds for everything, with retries (default: 10000)" },
    json: { help: 'print the whole answer as JSON, with the expiry as "expires_at"' },
  },
  notes: `Environment, since everyone on the machine can read arguments:
  CYBRID_CLIENT_ID, CYBRID_CLIENT_SECRET  the bank's client credentials
  CYBRID_ACCESS_TOKEN                     a bank token to use instead
  NODE_EXTRA_CA_CERTS                     a file of further certificate authorities (PEM)`,
  example: `TOKEN=$(${program} create --customer "$GUID" --scope customers:read --scope accounts:read)`,

  async run(given, io) {
    const [customer_guid] = given.get("customer") ?? [];
    const scopes = given.get("scope") ?? [];
    if (customer_guid === undefined) throw new UsageError("--customer GUID is missing");
    if (scopes.length === 0) throw new UsageError("--scope SCOPE is missing");
    if (scopes.some((scope) => /[\s,]/.test(scope))) {
      throw new UsageError("--scope: expected one scope; repeat the option for each");
    }
    const [environment] = given.get("environment") ?? [];
    const [baseUrl] = given.get("base-url") ?? [];
    const allowInsecureHttp = given.has("allow-insecure-http");
    if (allowInsecureHttp && !baseUrl) throw new UsageError("--allow-insecure-http goes with --base-url only");
    const client = createCustomerTokensClient({
      auth: authFrom(io.env),
      // The client refuses what it does not know.
      environment: environment as keyof typeof environments | undefined,
      baseUrl,
      timeoutMs: wholeNumber(given, "timeout-ms"),
      allowInsecureHttp,
    });
    for (const scope of scopes.filter((each) => !known.includes(each))) {
      // The service may know it: let it decide.
      io.stderr(`warning: this version knows no scope${withHint(scope, known)}\n`);
    }
    const answer = await client.createCustomerToken({
      customer_guid,
      scopes: scopes as PostCustomerTokenIdpModelScopesEnum[],
    });
    if (!given.has("json")) return io.stdout(`${answer.access_token}\n`);
    const expires_at = expiresAt(answer.access_token)?.toISOString() ?? null;
    io.stdout(`${JSON.stringify({ ...answer, expires_at }, undefined, 2)}\n`);
  },
};

function authFrom(env: Io["env"]) {
  const { CYBRID_ACCESS_TOKEN: token, CYBRID_CLIENT_ID: clientId = "", CYBRID_CLIENT_SECRET: clientSecret = "" } = env;
  if (token) return bearer(token);
  if (clientId || clientSecret) return clientCredentials({ clientId, clientSecret });
  throw new UsageError("no credentials: set CYBRID_CLIENT_ID and CYBRID_CLIENT_SECRET, or CYBRID_ACCESS_TOKEN");
}
