import { type Io, UsageError } from "./command.js";

/**
 * A copy of the environment that makes Node use the proxy named in it. Node reads `NODE_USE_ENV_PROXY` only when it starts.
 *
 * @returns undefined if there is no proxy, or Node uses it already
 * @throws {UsageError} for a proxy that Node would not start with
 */
export function withProxy(env: Io["env"]): Io["env"] | undefined {
  const given = ["https_proxy", "HTTPS_PROXY", "http_proxy", "HTTP_PROXY"].filter((name) => env[name]);
  if (given.length === 0 || env["NODE_USE_ENV_PROXY"] !== undefined) return undefined;
  const urls = given.map((name) => {
    const text = env[name] ?? "";
    // curl takes an address without a scheme.
    const url = text.includes("://") ? text : `http://${text}`;
    if (!/^https?:/i.test(url) || !URL.canParse(url))
      throw new UsageError(`expected an http: or https: URL in ${name}`);
    return [name, url];
  });
  return { ...env, ...Object.fromEntries(urls), NODE_USE_ENV_PROXY: "1" };
}
