import type { Response } from 'express'
import type { AnswerNotes } from '../platform/openai/answer-notes.ts'
import { rawBodyOf } from '../platform/openai/raw-body.ts'

/** Answers with a JSON body that the graph has handed through as bytes. */
export function sendRawBody(response: Response, body: unknown): void {
  const { bytes, notes } = rawBodyOf(body)
  if (notes) setNotes(response, notes)
  response.setHeader('Content-Type', 'application/json; charset=utf-8')
  response.setHeader('Content-Length', bytes.length)
  response.end(bytes)
}

/** Contract 2.9. */
export function setNotes(response: Response, { promptModules }: AnswerNotes): void {
  response.setHeader('X-Applied-Prompt-Modules', promptModules.join(','))
}
