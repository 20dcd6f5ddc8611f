import type { Clock } from "./http/deadline.js";
import type { Logger } from "./logger.js";

/** What a client tells a cache of its customer tokens. */
export interface ClientContext {
  baseUrl: string;
  clientId: string | undefined;
  timeoutMs: number;
  clock: Clock;
  log: Logger;
}

/** Where it tells so. A registered symbol is the same in every copy of the package. */
export const clientContext: unique symbol = Symbol.for("cybrid-customer-tokens.client");

/** A client's context; `undefined` for what was not made by this package. A test double may answer anything, or throw. */
export function contextOf(client: object): ClientContext | undefined {
  try {
    const context = (client as { [clientContext]?: ClientContext })[clientContext];
    return typeof context?.baseUrl === "string" && typeof context.timeoutMs === "number" ? context : undefined;
  } catch {
    return undefined;
  }
}
