import { AppError } from '../../../platform/errors.ts'
import { tooLarge } from '../../../platform/observed-bytes.ts'

const header = /^data:[^,]{0,200}?;base64,/i
/** What does not stand in base64, but for padding. Blanks and line breaks may. */
const afterDigits = /[^A-Za-z0-9+/\s]/
const padding = /^={1,2}\s*$/

/**
 * The bytes of a data URL; the type it claims is not looked at.
 * @throws AppError `invalid_parameter` for what is no base64 data URL, `max_size_exceeded`
 */
export function bytesOfDataUrl(dataUrl: string, maxBytes: number, param: string): Buffer {
  const start = header.exec(dataUrl.slice(0, 256))?.[0].length
  if (start === undefined)
    throw refusal(`${param} must be a data URL in base64: data:image/png;base64,….`, param)
  // four characters stand for three bytes: what is much longer need not be read
  if ((dataUrl.length - start) * 0.75 > maxBytes * 1.1 + 16) throw tooLarge(maxBytes, param)
  const text = dataUrl.slice(start)
  if (!isBase64(text)) throw refusal(`${param} is not base64.`, param)
  return Buffer.from(text, 'base64')
}

/** Each character is looked at once: one expression for the whole would take hours for megabytes of blanks. */
function isBase64(text: string): boolean {
  const end = text.search(afterDigits)
  return end === -1 || padding.test(text.slice(end))
}

function refusal(message: string, param: string): AppError {
  return new AppError('invalid_parameter', message, { param })
}
