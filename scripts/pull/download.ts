import { UserError } from "../command.js";
import { isSafeUrl } from "../spec/check.js";
import { limits, tooLarge } from "../spec/parse.js";
import { printable } from "../spec/json.js";

const timeoutMs = 30_000;
const maxRedirects = 5;

/** A URL as it may be printed: without credentials, query and fragment, any of which may be secret. */
export function shown(url: URL): string {
  return printable(`${url.origin}${url.pathname}`);
}

/**
 * Gets what stands at a URL, at most {@link limits}.bytes of it, in at most `timeoutMs` (default 30 000) for all of it.
 * Only https: is asked, or http: on this machine, and so for each redirect. A user name and password in the URL are
 * sent to its own origin alone. Throws {@link UserError} for anything but an answer of 200 that is no HTML.
 */
export async function download(address: URL, options: { timeoutMs?: number } = {}): Promise<Uint8Array> {
  const limitMs = options.timeoutMs ?? timeoutMs;
  const signal = AbortSignal.timeout(limitMs);
  try {
    const response = await follow(address, signal);
    return await body(response, shown(address));
  } catch (error) {
    if (error instanceof UserError) throw error;
    if (signal.aborted) throw new UserError(`no answer from ${shown(address)} within ${limitMs} ms`);
    // The cause's code alone: its message could hold what the URL holds.
    const cause = error instanceof Error ? error.cause : undefined;
    const code = cause instanceof Error && "code" in cause ? `: ${String(cause.code)}` : "";
    throw new UserError(`no answer from ${shown(address)}${code}`);
  }
}

async function follow(address: URL, signal: AbortSignal): Promise<Response> {
  const { username, password } = address;
  const credentials = `${decodeURIComponent(username)}:${decodeURIComponent(password)}`;
  let url = address;
  for (let redirects = 0; redirects <= maxRedirects; redirects++) {
    if (!isSafeUrl(url.href))
      throw new UserError(`${shown(url)} is not asked: a URL must be https:, or http: on this machine`);
    const headers = new Headers({ accept: "application/yaml, application/json, */*;q=0.5" });
    if (credentials !== ":" && url.origin === address.origin)
      headers.set("authorization", `Basic ${Buffer.from(credentials).toString("base64")}`);
    // fetch refuses a URL that holds credentials.
    const target = new URL(url);
    target.username = "";
    target.password = "";
    const response = await fetch(target, { headers, redirect: "manual", signal });
    const location = response.headers.get("location");
    if (response.status < 300 || response.status > 399 || location === null) return response;
    await response.body?.cancel();
    if (!URL.canParse(location, url)) throw new UserError(`${shown(url)} redirects to what is not a URL`);
    url = new URL(location, url);
  }
  throw new UserError(`${shown(address)} redirects more than ${maxRedirects} times`);
}

async function body(response: Response, name: string): Promise<Uint8Array> {
  const type = response.headers.get("content-type") ?? "";
  const problem =
    response.status !== 200
      ? `answered ${response.status}, not 200`
      : /\bx?html\b/i.test(type)
        ? "answered with HTML, not an OpenAPI description"
        : undefined;
  if (problem !== undefined) {
    await response.body?.cancel();
    throw new UserError(`${name} ${problem}`);
  }
  const chunks: Uint8Array[] = [];
  let size = 0;
  const reader = response.body?.getReader();
  for (let part = await reader?.read(); part?.value; part = await reader?.read()) {
    // Counted as it comes and after unpacking, since a content-length can lie.
    size += part.value.byteLength;
    if (size > limits.bytes) {
      await reader?.cancel();
      throw tooLarge(name);
    }
    chunks.push(part.value);
  }
  return Buffer.concat(chunks);
}
