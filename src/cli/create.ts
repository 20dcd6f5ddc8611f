import {
  bearer,
  clientCredentials,
  createCustomerTokensClient,
  expiresAt,
  PostCustomerTokenIdpModelScopesEnum,
  type CustomerTokensClientOptions,
  type PostCustomerTokenIdpModel,
} from "cybrid-customer-tokens";
import { environments } from "../../generated/environments.js";
import { type Command, type Io, program, UsageError, quoted } from "./command.js";
import { withProxy } from "./proxy.js";

const known: readonly string[] = Object.values(PostCustomerTokenIdpModelScopesEnum);

type ClientOptions = Omit<CustomerTokensClientOptions, "auth">;
type Given = Partial<ClientOptions & PostCustomerTokenIdpModel> & { json?: true };

export const create: Command = {
  summary: "creates an access token for a customer and prints it",
  synopsis: "--customer GUID --scope SCOPE",
  options: {
    customer_guid: { value: "GUID", help: "the customer, by a guid of 32 characters" },
    scopes: { value: "SCOPE", multiple: true, help: "what the token may be used for; repeat it for more scopes" },
    environment: { value: "NAME", help: `${Object.keys(environments).join(" or ")} (default: sandbox)` },
    baseUrl: { value: "URL", help: "a server to use instead, such as an emulator" },
    allowInsecureHttp: { help: "allow http: to another machine, where others can read the credentials" },
    timeoutMs: { value: "N", help: "milliseconds for everything, with retries (default: 10000)" },
    json: { help: 'print the whole response as JSON, with the expiry as "expires_at"' },
  },
  notes: `Environment, since everyone on the machine can read arguments:
  CYBRID_CLIENT_ID, CYBRID_CLIENT_SECRET  the bank's client credentials
  CYBRID_ACCESS_TOKEN                     a bank token to use instead
  HTTPS_PROXY, HTTP_PROXY, NO_PROXY       a proxy, and hosts without it; needs Node 22.21 or newer
  NODE_EXTRA_CA_CERTS                     a file of further certificate authorities (PEM)`,
  example: `TOKEN=$(${program} create --customer "$GUID" --scope customers:read --scope accounts:read)`,

  async run(given, io) {
    const { customer_guid, scopes = [], json, ...options }: Given = given;
    if (customer_guid === undefined) throw new UsageError("--customer GUID is missing");
    if (scopes.length === 0) throw new UsageError("--scope SCOPE is missing");
    if (scopes.some((scope) => /[\s,]/.test(scope))) {
      throw new UsageError("--scope: expected one scope; repeat the option for each");
    }
    const behindProxy = withProxy(io.env);
    const status = behindProxy && io.runBehindProxy(behindProxy);
    if (status !== undefined) return status;
    if (behindProxy)
      io.stderr("warning: this Node ignores HTTPS_PROXY and HTTP_PROXY; Node 22.21 and newer use them\n");
    // The client refuses options that it does not know.
    const client = createCustomerTokensClient({ auth: authFrom(io.env), ...options });
    for (const scope of scopes.filter((each) => !known.includes(each))) {
      // The service may know it: let it decide.
      io.stderr(`warning: the scope${quoted(scope)} is unknown to this version; the service decides\n`);
    }
    const created = await client.createCustomerToken({ customer_guid, scopes });
    const expires_at = expiresAt(created.access_token)?.toISOString() ?? null;
    io.stdout(`${json ? JSON.stringify({ ...created, expires_at }, undefined, 2) : created.access_token}\n`);
    return 0;
  },
};

function authFrom(env: Io["env"]) {
  const { CYBRID_ACCESS_TOKEN: token, CYBRID_CLIENT_ID: clientId = "", CYBRID_CLIENT_SECRET: clientSecret = "" } = env;
  if (token) return bearer(token);
  if (clientId || clientSecret) return clientCredentials({ clientId, clientSecret });
  throw new UsageError("no credentials: set CYBRID_CLIENT_ID and CYBRID_CLIENT_SECRET, or CYBRID_ACCESS_TOKEN");
}
