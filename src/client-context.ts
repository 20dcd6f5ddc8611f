/**
 * Where a client tells what a cache of its customer tokens needs to know. A registered symbol is the same in every copy of
 * the package.
 */
export const clientContext: unique symbol = Symbol.for("cybrid-customer-tokens.client");
