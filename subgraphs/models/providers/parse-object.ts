import type { JsonObject } from './provider.ts'

/** The JSON object in `bytes`, or null where they are not JSON or something else than an object. */
export function parseObject(bytes: Buffer): JsonObject | null {
  const value = parseJson(bytes)
  return isObject(value) ? value : null
}

/** The JSON value in `bytes`, or undefined where they are not JSON. */
export function parseJson(bytes: Buffer): unknown {
  try {
    return JSON.parse(bytes.toString())
  } catch {
    // What it means that a provider sent something else is for the caller to say.
    return undefined
  }
}

/** Whether `value` is an object that is neither null nor an array. */
export function isObject(value: unknown): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
