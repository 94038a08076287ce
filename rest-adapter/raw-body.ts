import type { Response } from 'express'
import { notesOf } from '../platform/openai/answer-notes.ts'
import { rawBodyOf } from '../platform/openai/raw-body.ts'

/** Up to here it is cheaper to copy a body behind its head than to hand both to the system. */
const oneWriteBytes = 16 * 1024

/** Answers with a JSON body that the graph has handed through as bytes. */
export function sendRawBody(response: Response, body: unknown): void {
  const { bytes } = rawBodyOf(body)
  setNotes(response, body)
  response.setHeader('Content-Type', 'application/json; charset=utf-8')
  response.setHeader('Content-Length', bytes.length)
  // Node writes a text together with the head: as latin1 each byte of it stays what it is. Bytes would be a write of two parts.
  if (bytes.length <= oneWriteBytes) response.end(bytes.toString('latin1'), 'latin1')
  else response.end(bytes)
}

/** What is told beside bytes that were handed through, as headers (contract 2.9). */
export function setNotes(response: Response, bytes: unknown): void {
  const notes = notesOf(bytes)
  if (notes) response.setHeader('X-Applied-Prompt-Modules', notes.promptModules.join(','))
}
