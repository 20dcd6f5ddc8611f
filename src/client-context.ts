import type { Settings } from "./http/retry.js";

/** The properties of a client that a cache of its customer tokens needs. */
export type ClientContext = Pick<Settings, "baseUrl" | "timeoutMs" | "clock" | "log"> & {
  clientId: string | undefined;
};

/** The property that holds it. A registered symbol is the same in every copy of the package. */
export const clientContext: unique symbol = Symbol.for("cybrid-customer-tokens.client");

/** A client's context; `undefined` for any other object. A test double may return anything, or throw. */
export function contextOf(client: object): ClientContext | undefined {
  try {
    const context = (client as { [clientContext]?: ClientContext })[clientContext];
    return typeof context?.timeoutMs === "number" ? context : undefined;
  } catch {
    return undefined;
  }
}
