/**
 * Gets a line for each thing that happens: a token is asked for, a call is sent again, a store fails. No line holds a secret
 * or a token. `console` fits, and so do pino and winston.
 */
export interface Logger {
  /** For events that go as planned. */
  debug(message: string): void;
  /** For events that somebody should look into. */
  warn(message: string): void;
}

/** A logger that passes on each line, marked as this package's, and never throws. */
export function createLog(logger: Logger | undefined): Logger {
  const write = (level: keyof Logger) => (message: string) => {
    try {
      logger?.[level](`cybrid-customer-tokens: ${message}`);
    } catch {
      // No call fails because of its logger.
    }
  };
  return { debug: write("debug"), warn: write("warn") };
}
