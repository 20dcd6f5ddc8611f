// Generated from the spec by `npm run generate`. Do not edit.

/** A successful access token response (RFC 6749, section 5.1). */
export interface AccessTokenIdpModel {
  /** The bank's JWT access token. */
  access_token: string;
  /** Bearer, in any case. */
  token_type: string;
  /** The lifetime of the token in seconds, where the server states it. */
  expires_in?: number;
  /** Scopes that were granted, separated by spaces. */
  scope?: string;
}

/** What the description demands of the properties (JSON Schema validation), for checks before a request is sent. */
export const AccessTokenIdpModelConstraints = { access_token: { minLength: 1 } } as const;
