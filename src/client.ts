import type { Client } from "openapi-fetch";
import {
  type CustomerTokenIdpModel,
  type PostCustomerTokenIdpModel,
  PostCustomerTokenIdpModelConstraints,
} from "../generated/models/index.js";
import type { paths } from "../generated/paths.js";
import { clientContext } from "./client-context.js";
import type { CallOptions } from "./http/deadline.js";
import { createApi } from "./http/openapi-fetch.js";
import { createSend } from "./http/retry.js";
import { type CustomerTokensClientOptions, expectedAuth, resolveOptions } from "./options.js";
import { check, checkRequest, printableAscii } from "./validate.js";

/** `T` with all of its arrays readonly: a request is only read, and arrays with `as const` are readonly. */
type ReadonlyArrays<T> = T extends readonly (infer Item)[]
  ? readonly ReadonlyArrays<Item>[]
  : T extends object
    ? { [Key in keyof T]: ReadonlyArrays<T[Key]> }
    : T;

/** Paths whose request bodies take readonly arrays. */
type ReadonlyBodies<Paths> = {
  [Path in keyof Paths]: {
    [Method in keyof Paths[Path]]: {
      [Part in keyof Paths[Path][Method]]: Part extends "requestBody"
        ? ReadonlyArrays<Paths[Path][Method][Part]>
        : Paths[Path][Method][Part];
    };
  };
};

/** The operations that callers can call. The client sends token requests itself. */
export type ApiPaths = ReadonlyBodies<Omit<paths, "/oauth/token">>;

/** A client of the customer-tokens endpoint. */
export interface CustomerTokensClient {
  /**
   * Creates an access token for one customer of the bank (`POST /api/customer_tokens`).
   *
   * @param request The customer, by a guid of 32 characters, and the scopes of the token, at least one and each once
   * @returns the response, with an `access_token` that is never empty
   * @throws {InvalidArgumentError} before anything is sent, if the request breaks the description's constraints
   * @throws {ApiError} if the service responds with 4xx or 5xx
   * @throws {TokenRequestError} if `clientCredentials` gets no bank token
   * @throws {InvalidResponseError} if the response does not match the description
   * @throws {ConnectionError} if there is no response, or an incomplete one
   * @throws {TimeoutError} after `timeoutMs`
   * @see `generated/docs/CustomerTokensIdpApi.md`
   */
  createCustomerToken: (
    request: ReadonlyArrays<PostCustomerTokenIdpModel>,
    options?: CallOptions,
  ) => Promise<CustomerToken>;

  /**
   * The openapi-fetch client underneath, with the same authentication, retries and timeout, for those who prefer
   * `{ data, error, response }`. A 4xx or 5xx response comes as `error`; all other failures reject with the errors of
   * `createCustomerToken`. Neither the request nor `data` is checked. Middleware sees `createCustomerToken` too.
   */
  readonly api: Client<ApiPaths>;
}

/** A customer's access token, which is there and not empty. */
export type CustomerToken = CustomerTokenIdpModel & { access_token: string };

/**
 * Creates a client. It sends nothing yet.
 *
 * @throws {InvalidArgumentError} naming the option that is wrong
 */
export function createCustomerTokensClient(options: CustomerTokensClientOptions): CustomerTokensClient {
  const { auth, ...resolved } = resolveOptions(options);
  const send = createSend(resolved);
  const tokenProvider = auth({ ...resolved, send });
  check(typeof tokenProvider?.token === "function", "auth", expectedAuth);
  const { callOperation, api } = createApi<ApiPaths>({ ...resolved, send, tokenProvider });
  const { baseUrl, timeoutMs, clock, log } = resolved;
  const context = { [clientContext]: { baseUrl, clientId: tokenProvider.clientId, timeoutMs, clock, log } };
  return {
    ...context,
    api,
    async createCustomerToken(request, callOptions) {
      checkRequest(request, PostCustomerTokenIdpModelConstraints);
      return callOperation(
        (client, init) => client.POST("/api/customer_tokens", { ...init, body: request }),
        "JSON with an access_token",
        isCustomerToken,
        callOptions,
      );
    },
  };
}

function isCustomerToken(body: unknown): body is CustomerToken {
  const token = (body as CustomerTokenIdpModel | null | undefined)?.access_token;
  return typeof token === "string" && printableAscii.test(token);
}
