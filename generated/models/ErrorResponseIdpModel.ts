// Generated from the spec by `npm run generate`. Do not edit.

export interface ErrorResponseIdpModel {
  /** The HTTP status, repeated. */
  status: number;
  /** What went wrong, for people. */
  error_message: string;
  /** What went wrong, for programs. */
  message_code: string;
}
