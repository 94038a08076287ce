import { findFieldValue } from './splice-fields.ts'

/**
 * Gives `json` with `model` as the value of its top-level `model` field; nested fields and text that looks like one
 * stay. The same buffer where the value is already equal or the field is absent.
 */
export function rewriteModel(json: Buffer, model: string): Buffer {
  const value = findFieldValue(json, 'model')
  const text = Buffer.from(JSON.stringify(model))
  if (!value || json.subarray(value.start, value.end).equals(text)) return json
  return Buffer.concat([json.subarray(0, value.start), text, json.subarray(value.end)])
}

/**
 * `rewriteModel` for the frames of one stream. They begin alike up to the model, so after the first one a comparison
 * of that beginning replaces the search.
 */
export function createModelRewriter(model: string): (frame: Buffer) => Buffer {
  let before: Buffer | null = null
  let after: Buffer | null = null
  return (frame) => {
    if (before && after && startsWith(frame, before)) {
      return before === after ? frame : Buffer.concat([after, frame.subarray(before.length)])
    }
    const value = findFieldValue(frame, 'model')
    if (!value) return frame
    const rewritten = rewriteModel(frame, model)
    // The whole value with its closing quote belongs to the prefix, or `gpt-4` would match the start of `gpt-4o`.
    before = Buffer.from(frame.subarray(0, value.end))
    after =
      rewritten === frame
        ? before
        : Buffer.from(rewritten.subarray(0, rewritten.length - (frame.length - value.end)))
    return rewritten
  }
}

function startsWith(frame: Buffer, prefix: Buffer): boolean {
  return frame.length >= prefix.length && frame.compare(prefix, 0, prefix.length, 0, prefix.length) === 0
}
