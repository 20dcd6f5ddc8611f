export { bearer, clientCredentials } from "./auth/auth.js";
export type { Auth, BankTokenStore, ClientCredentialsOptions } from "./auth/auth.js";
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
