import { parseJson } from "../http/json.js";

/**
 * Reads when a JWT expires, without verifying it (RFC 7519, section 4.1.4).
 *
 * @param jwt A JWT in compact form; anything else gives `undefined` too
 * @returns the time of its `exp` claim, or `undefined` where it has none that is a date
 */
export function expiresAt(jwt: string): Date | undefined {
  const exp = numericDate(jwtClaims(jwt)?.["exp"]);
  return exp === undefined ? undefined : new Date(exp);
}

/** The claims of a JWT, unverified; `undefined` where it is none. */
export function jwtClaims(jwt: string): Record<string, unknown> | undefined {
  try {
    const payload = jwt.split(".")[1] ?? "";
    // Latin-1 is enough: what matters here are numbers, and broken letters leave JSON intact.
    const claims = parseJson(atob(payload.replaceAll("-", "+").replaceAll("_", "/")));
    return typeof claims === "object" && claims !== null ? (claims as Record<string, unknown>) : undefined;
  } catch {
    return undefined;
  }
}

/** A NumericDate (RFC 7519, section 2) in milliseconds; `undefined` for what a `Date` cannot hold. */
export function numericDate(seconds: unknown): number | undefined {
  if (typeof seconds !== "number") return undefined;
  const timeMs = new Date(seconds * 1000).getTime();
  return Number.isNaN(timeMs) ? undefined : timeMs;
}
