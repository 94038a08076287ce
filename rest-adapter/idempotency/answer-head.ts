import type { AnswerHead } from './detached-response.ts'

const lineEnd = 0x0a

/** The head as the log holds it: one line of JSON before the bytes of the body. */
export function encodeHead(head: AnswerHead): Buffer {
  return Buffer.from(`${JSON.stringify(head)}\n`)
}

/** The head of a log and what follows it so far; null while its line is not there in full. */
export function decodeHead(bytes: Buffer): { head: AnswerHead; rest: Buffer } | null {
  const end = bytes.indexOf(lineEnd)
  if (end === -1) return null
  return {
    head: JSON.parse(bytes.subarray(0, end).toString()) as AnswerHead,
    rest: bytes.subarray(end + 1),
  }
}
