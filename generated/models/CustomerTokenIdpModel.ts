// Generated from the spec by `npm run generate`. Do not edit.

export interface CustomerTokenIdpModel {
  /** The customer's JWT access token. */
  access_token?: string;
}
