import { bearer, createCustomerTokensClient } from "cybrid-customer-tokens";

// A package may export it: its declarations name types of openapi-fetch, which pnpm hides from it.

export const { api } = createCustomerTokensClient({ auth: bearer("token") });
export const { POST, use } = api;
export const create = () => POST("/api/customer_tokens", { body: { customer_guid: "", scopes: ["customers:read"] } });
