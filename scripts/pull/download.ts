import { UserError } from "../cli.js";
import { isSafeUrl } from "../spec/names.js";
import { readAll } from "../spec/read.js";
import { printable } from "../spec/json.js";

const timeoutMs = 30_000;
const maxRedirects = 5;

/** A URL as it may be printed: without credentials, query and fragment, any of which may be secret. */
export function displayUrl(url: URL): string {
  // The origin of other protocols than http: and https: is null.
  return printable(`${url.protocol}//${url.host}${url.pathname}`);
}

/**
 * Downloads a URL: at most {@link limits}.bytes, in at most `timeoutMs` (default 30 000) altogether. The URL must use
 * https:, or http: on this machine, and so must each redirect. Throws {@link UserError} for anything but a 200 response that
 * is not HTML, and for a URL with a user name or a password.
 */
export async function download(address: URL, options: { timeoutMs?: number } = {}): Promise<Uint8Array> {
  const limitMs = options.timeoutMs ?? timeoutMs;
  const signal = AbortSignal.timeout(limitMs);
  try {
    return await body(await follow(address, signal), displayUrl(address));
  } catch (error) {
    if (error instanceof UserError) throw error;
    if (signal.aborted) throw new UserError(`no answer from ${displayUrl(address)} within ${limitMs} ms`);
    // Only the cause's code: its message could contain the URL, with its secrets.
    const cause = error instanceof Error ? error.cause : undefined;
    const code = cause instanceof Error && "code" in cause ? `: ${String(cause.code)}` : "";
    throw new UserError(`no answer from ${displayUrl(address)}${code}`);
  }
}

async function follow(address: URL, signal: AbortSignal): Promise<Response> {
  let url = address;
  for (let redirects = 0; redirects <= maxRedirects; redirects++) {
    if (!isSafeUrl(url.href))
      throw new UserError(`refusing to download ${displayUrl(url)}: the URL must use https:, or http: on this machine`);
    if (url.username !== "" || url.password !== "")
      throw new UserError(`refusing to download ${displayUrl(url)}: the URL must hold no user name and no password`);
    const headers = { accept: "application/yaml, application/json, */*;q=0.5" };
    const response = await fetch(url, { headers, redirect: "manual", signal });
    const location = response.headers.get("location");
    if (response.status < 300 || response.status > 399 || location === null) return response;
    await response.body?.cancel();
    if (!URL.canParse(location, url)) throw new UserError(`${displayUrl(url)} redirects to an invalid URL`);
    url = new URL(location, url);
  }
  throw new UserError(`${displayUrl(address)} redirects more than ${maxRedirects} times`);
}

async function body(response: Response, name: string): Promise<Uint8Array> {
  const isHtml = /\bx?html\b/i.test(response.headers.get("content-type") ?? "");
  if (response.status !== 200 || isHtml) {
    await response.body?.cancel();
    const problem = isHtml ? "HTML, not an OpenAPI description" : `${response.status}, not 200`;
    throw new UserError(`${name} responded with ${problem}`);
  }
  return readAll((response.body ?? []) as unknown as AsyncIterable<Uint8Array>, name);
}
