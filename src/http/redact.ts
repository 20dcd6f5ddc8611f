const jwt = /\beyJ[\w-]+\.[\w-]+(?:\.[\w-]*)?/g;

/** What is shorter keeps nothing secret, and would tear status and codes apart. */
const minLength = 4;

/**
 * Strikes out every known secret, as it is and as URLs, forms, HTML, JSON and JSON within JSON spell it, and whatever looks
 * like a JWT.
 */
export function redact(text: string, secrets: readonly string[]): string {
  // In one pass, so that none is found in what stands for another, and the longest first, which may begin with a shorter.
  const known = [...new Set(secrets)].filter(({ length }) => length >= minLength).sort((a, b) => b.length - a.length);
  const safe = known.length > 0 ? text.replace(new RegExp(known.map(spellings).join("|"), "gi"), "[redacted]") : text;
  return safe.replace(jwt, "[redacted]");
}

/** A pattern for a secret with each of its special characters escaped or not, since everybody escapes others. */
function spellings(secret: string): string {
  return secret.replace(/\\+|[^A-Za-z0-9]/g, (special) => {
    const { length } = special;
    const code = special.charCodeAt(0);
    const hex = code.toString(16).padStart(2, "0");
    const escaped = `\\\\{1,2}u00${hex}|%${hex}|&(?:#0{0,4}${code}|#x0{0,4}${hex}|[a-z]{2,4});${special === " " ? "|\\+" : ""}`;
    // Backslashes as a run, so that there is one way only to match what follows.
    const plain = special.startsWith("\\") ? `\\\\{${length},${4 * length}}` : `\\\\{0,3}\\x${hex}`;
    return `(?:${plain}|(?:${escaped}){${length}})`;
  });
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
  // By its shape: an error of another realm, as test runners have them, is not this one's `Error`.
  const { name, message, stack, code, cause } = Object(error) as Record<string, unknown>;
  if (typeof message !== "string" || depth > 5) {
    return redact(typeof error === "string" ? error : Object.prototype.toString.call(error), secrets);
  }
  const safe = new Error(redact(message, secrets));
  Object.defineProperties(safe, {
    name: { value: redact(String(name), secrets), configurable: true, writable: true },
    stack: { value: redact(String(stack ?? ""), secrets), configurable: true, writable: true },
    ...(typeof code === "string" && { code: { value: redact(code, secrets), enumerable: true } }),
    ...(cause !== undefined && { cause: { value: redactCause(cause, secrets, depth + 1) } }),
  });
  return safe;
}
