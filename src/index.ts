export { type Auth, bearer } from "./auth/auth.js";
export { clientCredentials, type ClientCredentialsOptions } from "./auth/client-credentials.js";
export type { BankTokenStore } from "./auth/bank-token-cache.js";
export { createCustomerTokensClient, type ApiPaths, type CustomerToken, type CustomerTokensClient } from "./client.js";
export {
  ApiError,
  ConnectionError,
  CustomerTokensError,
  type CustomerTokensErrorConstructor,
  InvalidArgumentError,
  InvalidResponseError,
  TimeoutError,
  TokenRequestError,
  type ErrorCode,
  type MessageCode,
} from "./errors.js";
export { expiresAt } from "./auth/token-lifetime.js";
export type { CallOptions, Clock } from "./http/deadline.js";
export type { Fetch } from "./http/retry.js";
export type { Logger } from "./logger.js";
export type { CustomerTokensClientOptions, Environment } from "./options.js";
export type { HeadersOption } from "./validate.js";
export {
  type CustomerTokenIdpModel,
  type ErrorResponseIdpModel,
  MessageCodeIdpModel,
  type PostCustomerTokenIdpModel,
  PostCustomerTokenIdpModelConstraints,
  PostCustomerTokenIdpModelScopesEnum,
} from "../generated/models/index.js";
export type { paths } from "../generated/paths.js";
// The types that the type of `api` names: declarations of a package that exports it could not name them otherwise.
export type {
  Client,
  ClientMethod,
  ClientRequestMethod,
  FetchOptions,
  FetchResponse,
  Middleware,
  ParseAsResponse,
} from "openapi-fetch";
