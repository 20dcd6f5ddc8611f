import type { PreparedRequest } from "./retry.js";

/**
 * What openapi-fetch makes in place of a `Request` if no middleware wants a real one. Making one costs more than all
 * else that a call does, since `fetch` then copies its body stream; and the first `Request` loads the platform's whole
 * fetch implementation, some 20 ms of a cold start.
 */
export class Carrier {
  readonly method: string;
  readonly url: string;
  readonly init: PreparedRequest["init"];

  constructor(url: string, init: PreparedRequest["init"] & { method: string }) {
    this.method = init.method;
    this.url = url;
    this.init = init;
  }
}

/** `Carrier` as openapi-fetch's type for it wants to have it. */
export const CarrierRequest = Carrier as unknown as typeof Request;
