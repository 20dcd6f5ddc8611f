// Generated from the spec by `npm run generate`. Do not edit.

export interface PostCustomerTokenIdpModel {
  /** The customer the token is for. */
  customer_guid: string;
  /** What the token may be used for. Ask for the fewest scopes that will do. */
  scopes: Array<PostCustomerTokenIdpModelScopesEnum>;
}

/** What the token may be used for. Ask for the fewest scopes that will do. */
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
