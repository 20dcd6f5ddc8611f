// Generated from the spec by `npm run generate`. Do not edit.

/** The message codes that the customer-tokens endpoint is known to answer with. */
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
