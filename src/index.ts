export type { Auth } from "./auth/auth.js";
export { bearer } from "./auth/bearer.js";
export { clientCredentials } from "./auth/client-credentials.js";
export type { ClientCredentialsOptions } from "./auth/client-credentials.js";
export type { BankTokenStore } from "./auth/token-cache.js";
export { createCustomerTokensClient } from "./client.js";
export type { CallOptions, CustomerTokensClient, CustomerTokensClientOptions, Environment } from "./client.js";
export {
  ApiError,
  ConnectionError,
  CustomerTokensError,
  InvalidArgumentError,
  InvalidResponseError,
  TimeoutError,
  TokenRequestError,
} from "./errors.js";
export type { MessageCode } from "./errors.js";
export { expiresAt } from "./auth/jwt.js";
export type { Clock } from "./http/clock.js";
export * from "../generated/models/index.js";
export type { paths } from "../generated/paths.js";
