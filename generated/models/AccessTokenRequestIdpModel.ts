// Generated from the spec by `npm run generate`. Do not edit.

/** A client credentials access token request (RFC 6749, section 4.4.2). */
export interface AccessTokenRequestIdpModel {
  grant_type: AccessTokenRequestIdpModelGrantTypeEnum;
  client_id: string;
  client_secret: string;
  /** Scopes, separated by spaces (RFC 6749, section 3.3). */
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
