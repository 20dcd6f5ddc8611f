// Generated from the spec by `npm run generate`. Do not edit.

/** The servers of the spec, by the name of their environment. */
export const environments = {
  sandbox: "https://id.sandbox.cybrid.app",
  production: "https://id.production.cybrid.app",
} as const;
