import { isUtf8 } from "node:buffer";
import { createReadStream } from "node:fs";
import { stat } from "node:fs/promises";
import { UserError } from "../cli.js";
import { checkSpec } from "./check.js";
import { type OpenApi, withoutBigints } from "./json.js";
import { keepPlaces, parseSpec, refuseLarge } from "./parse.js";

/**
 * Reads a file of at most {@link limits}.bytes; "-" is standard input. Throws {@link UserError} for one that is not there,
 * cannot be read or is larger.
 */
export async function readBytes(path: string): Promise<Buffer> {
  if (path !== "-" && (await stat(path).catch(() => undefined))?.isDirectory() !== false)
    throw new UserError(`there is no file ${path}`);
  try {
    return await readAll(path === "-" ? process.stdin : createReadStream(path), path);
  } catch (error) {
    if (error instanceof UserError) throw error;
    throw new UserError(`${path} cannot be read: ${(error as NodeJS.ErrnoException).code}`);
  }
}

/** All of a stream of at most {@link limits}.bytes. `name` is used in the error message. */
export async function readAll(stream: AsyncIterable<Uint8Array>, name: string): Promise<Buffer> {
  const chunks: Uint8Array[] = [];
  let size = 0;
  for await (const chunk of stream) {
    // Counted as it arrives, since the length that a server or a file system states can be wrong. Throwing ends the stream.
    size += chunk.byteLength;
    refuseLarge(size, name);
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}

/** Reads a file as UTF-8 text; see {@link readBytes}. */
export async function readText(path: string): Promise<string> {
  return decode(await readBytes(path), path);
}

/** Bytes as UTF-8 text, without a byte order mark. Throws {@link UserError} for other bytes. */
export function decode(bytes: Uint8Array, name: string): string {
  if (!isUtf8(bytes)) throw new UserError(`${name} is not UTF-8 text`);
  return new TextDecoder().decode(bytes);
}

/**
 * Reads, parses and checks the description in a file. Integers that no number can hold become the nearest number. Throws
 * {@link UserError}.
 */
export async function readSpec(path: string): Promise<OpenApi> {
  const spec = await readExactSpec(path);
  return keepPlaces(spec, withoutBigints(spec, Number));
}

/** Like {@link readSpec}, with bigints for integers that no number can hold: no digit is lost. */
export async function readExactSpec(path: string): Promise<OpenApi> {
  const spec = parseSpec(await readText(path), path);
  checkSpec(spec, path);
  return spec;
}
