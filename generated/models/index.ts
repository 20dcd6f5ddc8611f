// Generated from the spec by `npm run generate`. Do not edit.

/**
 * An error response (RFC 6749, section 5.2).
 */
export interface AccessTokenErrorIdpModel {
  /**
   * The error code, such as invalid_client.
   */
  error: string;
  /**
   * What went wrong, for developers.
   */
  error_description?: string;
  /**
   * A page about the error.
   */
  error_uri?: string;
}

/**
 * A successful access token response (RFC 6749, section 5.1).
 */
export interface AccessTokenIdpModel {
  /**
   * The bank's JWT access token.
   */
  access_token: string;
  /**
   * Bearer, in any case.
   */
  token_type: string;
  /**
   * The lifetime of the token in seconds, if the server states it.
   */
  expires_in?: number;
  /**
   * Scopes that were granted, separated by spaces.
   */
  scope?: string;
}
/** What the description demands of the properties (JSON Schema validation), for checks before a request is sent. */
export const AccessTokenIdpModelConstraints = { access_token: { minLength: 1 } } as const;

/**
 * A client credentials access token request (RFC 6749, section 4.4.2).
 */
export interface AccessTokenRequestIdpModel {
  grant_type: AccessTokenRequestIdpModelGrantTypeEnum;
  client_id: string;
  client_secret: string;
  /**
   * Scopes, separated by spaces (RFC 6749, section 3.3).
   */
  scope?: string;
}
export const AccessTokenRequestIdpModelGrantTypeEnum = { ClientCredentials: "client_credentials" } as const;
export type AccessTokenRequestIdpModelGrantTypeEnum =
  (typeof AccessTokenRequestIdpModelGrantTypeEnum)[keyof typeof AccessTokenRequestIdpModelGrantTypeEnum];
/** What the description demands of the properties (JSON Schema validation), for checks before a request is sent. */
export const AccessTokenRequestIdpModelConstraints = {
  client_id: { minLength: 1 },
  client_secret: { minLength: 1, format: "password" },
} as const;

export interface CustomerTokenIdpModel {
  /**
   * The customer's JWT access token.
   */
  access_token?: string;
}

export interface ErrorResponseIdpModel {
  /**
   * The HTTP status, repeated.
   */
  status: number;
  /**
   * What went wrong, for people.
   */
  error_message: string;
  /**
   * What went wrong, for programs.
   */
  message_code: string;
}

/**
 * The message codes that the customer-tokens endpoint is known to respond with.
 */
export const MessageCodeIdpModel = {
  InvalidSubject: "invalid_subject",
  AuthenticationFailed: "authentication_failed",
  AuthenticationMalformed: "authentication_malformed",
  Unauthorized: "unauthorized",
  InvalidScopes: "invalid_scopes",
  Forbidden: "forbidden",
  NoCustomer: "no_customer",
} as const;
export type MessageCodeIdpModel = (typeof MessageCodeIdpModel)[keyof typeof MessageCodeIdpModel];

export interface PostCustomerTokenIdpModel {
  /**
   * The customer the token is for.
   */
  customer_guid: string;
  /**
   * What the token may be used for. Ask for the fewest scopes that will do.
   */
  scopes: Array<PostCustomerTokenIdpModelScopesEnum>;
}
export const PostCustomerTokenIdpModelScopesEnum = {
  CounterpartiesRead: "counterparties:read",
  CounterpartiesPiiRead: "counterparties:pii:read",
  CounterpartiesWrite: "counterparties:write",
  CounterpartiesExecute: "counterparties:execute",
  CustomersRead: "customers:read",
  CustomersPiiRead: "customers:pii:read",
  CustomersWrite: "customers:write",
  AccountsRead: "accounts:read",
  AccountsWrite: "accounts:write",
  AccountsExecute: "accounts:execute",
  PricesRead: "prices:read",
  QuotesRead: "quotes:read",
  QuotesExecute: "quotes:execute",
  TradesRead: "trades:read",
  TradesExecute: "trades:execute",
  TransactionsRead: "transactions:read",
  TransfersRead: "transfers:read",
  TransfersWrite: "transfers:write",
  TransfersExecute: "transfers:execute",
  ExternalBankAccountsRead: "external_bank_accounts:read",
  ExternalBankAccountsPiiRead: "external_bank_accounts:pii:read",
  ExternalBankAccountsWrite: "external_bank_accounts:write",
  ExternalBankAccountsExecute: "external_bank_accounts:execute",
  ExternalWalletsRead: "external_wallets:read",
  ExternalWalletsWrite: "external_wallets:write",
  ExternalWalletsExecute: "external_wallets:execute",
  WorkflowsRead: "workflows:read",
  WorkflowsExecute: "workflows:execute",
  DepositAddressesRead: "deposit_addresses:read",
  DepositAddressesWrite: "deposit_addresses:write",
  DepositAddressesExecute: "deposit_addresses:execute",
  DepositBankAccountsRead: "deposit_bank_accounts:read",
  DepositBankAccountsWrite: "deposit_bank_accounts:write",
  DepositBankAccountsExecute: "deposit_bank_accounts:execute",
  InvoicesRead: "invoices:read",
  InvoicesWrite: "invoices:write",
  InvoicesExecute: "invoices:execute",
  IdentityVerificationsRead: "identity_verifications:read",
  IdentityVerificationsPiiRead: "identity_verifications:pii:read",
  IdentityVerificationsWrite: "identity_verifications:write",
  IdentityVerificationsExecute: "identity_verifications:execute",
  PersonaSessionsExecute: "persona_sessions:execute",
  SardineSessionsExecute: "sardine_sessions:execute",
  PlansExecute: "plans:execute",
  PlansRead: "plans:read",
  ExecutionsExecute: "executions:execute",
  ExecutionsRead: "executions:read",
} as const;
export type PostCustomerTokenIdpModelScopesEnum =
  (typeof PostCustomerTokenIdpModelScopesEnum)[keyof typeof PostCustomerTokenIdpModelScopesEnum];
/** What the description demands of the properties (JSON Schema validation), for checks before a request is sent. */
export const PostCustomerTokenIdpModelConstraints = {
  customer_guid: { minLength: 32, maxLength: 32 },
  scopes: { minItems: 1, uniqueItems: true },
} as const;
