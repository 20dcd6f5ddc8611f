import {
  ApiError,
  bearer,
  clientCredentials,
  createCustomerTokensClient,
  CustomerTokensError,
  expiresAt,
  InvalidArgumentError,
  type PostCustomerTokenIdpModel,
  TokenRequestError,
} from "cybrid-customer-tokens";

/** The services and credentials of a journey. */
export interface Setting {
  /** Base URL of the service. */
  baseUrl: string;
  /** Base URL of a port that nothing listens on. */
  deadUrl: string;
  /** Base URL of a server that never responds. */
  hangingUrl: string;
  bankToken: string;
  clientId: string;
  clientSecret: string;
  customerGuid: string;
  unknownGuid: string;
}

/** Calls the package as an application does, in any runtime. Returns the outcome of each step in a word or two. */
export async function journey(setting: Setting): Promise<Record<string, string>> {
  const { baseUrl, clientId, clientSecret } = setting;
  const request: PostCustomerTokenIdpModel = { customer_guid: setting.customerGuid, scopes: ["customers:read"] };
  const auth = bearer(setting.bankToken);
  const client = createCustomerTokensClient({ baseUrl, auth });

  async function create(
    options: Parameters<typeof createCustomerTokensClient>[0],
    timeoutMs = 10_000,
  ): Promise<string> {
    const { access_token } = await createCustomerTokensClient(options).createCustomerToken(request, { timeoutMs });
    return expiresAt(access_token) ? "token" : "token without expiry";
  }

  return {
    bearer: await outcome(() => create({ baseUrl, auth: bearer(async () => setting.bankToken) })),
    clientCredentials: await outcome(() => create({ baseUrl, auth: clientCredentials({ clientId, clientSecret }) })),
    wrongSecret: await outcome(() => create({ baseUrl, auth: clientCredentials({ clientId, clientSecret: "wrong" }) })),
    unknownCustomer: await outcome(async () => {
      await client.createCustomerToken({ ...request, customer_guid: setting.unknownGuid });
      return "token";
    }),
    shortGuid: await outcome(async () => {
      await client.createCustomerToken({ ...request, customer_guid: "short" });
      return "token";
    }),
    noServer: await outcome(() => create({ baseUrl: setting.deadUrl, auth, maxRetries: 0 })),
    noResponse: await outcome(() => create({ baseUrl: setting.hangingUrl, auth }, 100)),
    api: await outcome(async () => {
      const { data, error, response } = await client.api.POST("/api/customer_tokens", { body: request });
      return `${response.status} ${data ? "data" : (error?.message_code ?? "nothing")}`;
    }),
  };
}

async function outcome(step: () => Promise<string>): Promise<string> {
  try {
    return await step();
  } catch (error) {
    if (!(error instanceof CustomerTokensError)) return `${String(error)}, not one of the package's errors`;
    const details: unknown[] = [];
    if (error instanceof ApiError) details.push(error.status, error.messageCode);
    if (error instanceof TokenRequestError) details.push(error.status, error.error);
    if (error instanceof InvalidArgumentError) details.push(error.field);
    return [error.name, ...details].join(" ");
  }
}
