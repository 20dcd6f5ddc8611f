/**
 * Gets a line for each event: a token is requested, a call is sent again, a store fails. No line contains a secret
 * or a token. `console` fits, and so do pino and winston.
 */
export interface Logger {
  /** For events that are expected. */
  debug(message: string): unknown;
  /** For events that somebody should look into. */
  warn(message: string): unknown;
}

/** A logger that passes on each line, marked as this package's, and never throws. */
export function createLog(logger: Logger | undefined): Logger {
  const write = (level: keyof Logger) => async (message: string) => {
    try {
      await logger?.[level](`cybrid-customer-tokens: ${message}`);
    } catch {
      // No call fails because of its logger, which may be asynchronous.
    }
  };
  return { debug: write("debug"), warn: write("warn") };
}
