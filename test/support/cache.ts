import { type CustomerTokenCacheOptions, customerTokenCache } from "../../src/customer-token-cache.js";
import { setUp } from "./client.js";
import type { FakeClock } from "./clock.js";
import { customerToken, guid, type Script, unsignedJwt } from "./service.js";

export const startSeconds = Date.UTC(2026, 7, 1) / 1000;
export const other = "f".repeat(32);
export const [read, write] = ["customers:read", "customers:write"] as const;
export const request = (customer_guid = guid, ...scopes: (typeof read | typeof write)[]) => ({
  customer_guid,
  scopes: scopes.length > 0 ? scopes : [read],
});

let created = 0;
/** A response of the service: another token each time, that expires after so many seconds of the fake clock. */
export const tokenFor = (seconds: number) => () =>
  customerToken(unsignedJwt({ n: ++created, exp: startSeconds + seconds }));

/** The right time, in seconds. */
export const secondsOf = (clock: FakeClock) => startSeconds + Math.floor(clock.elapsedMs / 1000);
/** A service whose clock is right: tokens of half an hour, by their own `iat` and `exp`. */
export const tokenByClock = (clock: FakeClock) => () =>
  customerToken(unsignedJwt({ n: ++created, iat: secondsOf(clock), exp: secondsOf(clock) + 1800 }));

export function setUpCache(
  options: CustomerTokenCacheOptions = {},
  customerTokens: Script["customerTokens"] = [tokenFor(1800)],
  client: Parameters<typeof setUp>[1] = {},
) {
  const context = setUp({ customerTokens }, client);
  const cache = customerTokenCache(context.client, options);
  const get = async (...args: Parameters<typeof cache.get>) => (await cache.get(...args)).access_token;
  return { ...context, cache, get, count: () => context.customerTokenRequests.length };
}
