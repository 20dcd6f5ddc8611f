// Generated from the spec by `npm run generate`. Do not edit.

/** An error response (RFC 6749, section 5.2). */
export interface AccessTokenErrorIdpModel {
  /** The error code, such as invalid_client. */
  error: string;
  /** What went wrong, for developers. */
  error_description?: string;
  /** A page about the error. */
  error_uri?: string;
}
