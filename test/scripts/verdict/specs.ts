import { expect } from "vitest";
import type { OpenApi } from "../../../scripts/spec/json.js";
import { compareSpecs } from "../../../scripts/verdict/verdict.js";

export type Json = Record<string, unknown>;

/** A description with one operation; the parts given replace the defaults. */
export function spec(parts: Json = {}, operation: Json = {}): OpenApi {
  return {
    openapi: "3.0.3",
    info: { title: "Things", version: "1" },
    servers: [
      { url: "https://sandbox.example.com", "x-environment": "sandbox" },
      { url: "https://example.com", "x-environment": "production" },
    ],
    paths: { "/things": { post: { operationId: "createThing", responses: { "204": ok }, ...operation } } },
    ...parts,
  };
}
export const ok = { description: "Done" };
export const json = (schema: Json): Json => ({ content: { "application/json": { schema } } });
export const asks = (schema: Json, parts?: Json): OpenApi =>
  spec(parts, { requestBody: { required: true, ...json(schema) } });
export const responses = (schema: Json, parts?: Json): OpenApi =>
  spec(parts, { responses: { "200": { ...ok, ...json(schema) } } });
export const thing = (properties: Json, required?: string[]): Json => ({
  type: "object",
  properties,
  ...(required && { required }),
});
export const text = { type: "string" };
export const schemas = (all: Json): Json => ({ components: { schemas: all } });
export const ref = (name: string): Json => ({ $ref: `#/components/schemas/${name}` });
/** The changes, one a line; the verdict itself must be the first one's level. */
export async function lines(from: OpenApi, to: OpenApi): Promise<string[]> {
  const { verdict, changes } = await compareSpecs(from, to);
  expect(verdict).toBe(changes[0]?.level ?? "none");
  return changes.map(
    ({ level, location, message, review }) => `${level} | ${location} | ${message}${review ? " | review" : ""}`,
  );
}
/** The verdict of a change, and that of its way back. */
export async function bothWays(before: OpenApi, after: OpenApi): Promise<string[]> {
  const verdicts = await Promise.all([compareSpecs(before, after), compareSpecs(after, before)]);
  return verdicts.map(({ verdict }) => verdict);
}
