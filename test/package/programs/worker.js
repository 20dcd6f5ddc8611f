import { clientCredentials, createCustomerTokensClient } from "cybrid-customer-tokens";
import { journey } from "./journey.js";

// One client for all requests, though a Worker's requests must not share what they wait for.
let client;

export default {
  async fetch(incoming) {
    const { setting, timeoutMs } = await incoming.json();
    if (new URL(incoming.url).pathname === "/journey") return Response.json(await journey(setting));

    const { baseUrl, clientId, clientSecret, customerGuid } = setting;
    client ??= createCustomerTokensClient({ baseUrl, auth: clientCredentials({ clientId, clientSecret }) });
    const request = { customer_guid: customerGuid, scopes: ["customers:read"] };
    try {
      await Promise.all([1, 2].map(() => client.createCustomerToken(request, { timeoutMs })));
      return Response.json("tokens");
    } catch (error) {
      return Response.json(String(error));
    }
  },
};
