import type { Settings } from "./http/retry.js";

/** What a client tells a cache of its customer tokens. */
export type ClientContext = Pick<Settings, "baseUrl" | "timeoutMs" | "clock" | "log"> & {
  clientId: string | undefined;
};

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
