const jwt = /\beyJ[\w-]+\.[\w-]+(?:\.[\w-]*)?/g;

/** Strikes out every known secret, as it is and as URLs, JSON and JSON within JSON spell it, and whatever looks like a JWT. */
export function redact(text: string, secrets: readonly string[]): string {
  const inJson = (value: string) => JSON.stringify(value).slice(1, -1);
  let safe = text;
  for (const secret of secrets) {
    for (const spelling of [inJson(inJson(secret)), inJson(secret), secret, encodeURIComponent(secret)]) {
      safe = safe.replaceAll(spelling, "[redacted]");
    }
  }
  return safe.replace(jwt, "[redacted]");
}

/** Copies response headers without cookies and without secrets. */
export function redactHeaders(headers: Headers, secrets: readonly string[]): Headers {
  const safe = new Headers();
  for (const [name, value] of headers) {
    if (name !== "set-cookie") safe.append(name, redact(value, secrets));
  }
  return safe;
}

/**
 * Copies what may be shown of a foreign error: name, message, stack, `code` and cause. The original may carry more, such
 * as the request with its headers.
 */
export function redactCause(error: unknown, secrets: readonly string[], depth = 0): unknown {
  if (!(error instanceof Error) || depth > 5) {
    return redact(typeof error === "string" ? error : Object.prototype.toString.call(error), secrets);
  }
  const safe = new Error(redact(error.message, secrets));
  const { code } = error as { code?: unknown };
  Object.defineProperties(safe, {
    name: { value: redact(error.name, secrets), configurable: true, writable: true },
    stack: { value: redact(error.stack ?? "", secrets), configurable: true, writable: true },
    ...(typeof code === "string" && { code: { value: redact(code, secrets), enumerable: true } }),
    ...(error.cause !== undefined && {
      cause: { value: redactCause(error.cause, secrets, depth + 1) },
    }),
  });
  return safe;
}
