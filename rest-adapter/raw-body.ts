import type { Response } from 'express'
import { rawBodyOf } from '../platform/openai/raw-body.ts'

/** Answers with a JSON body that the graph has handed through as bytes. */
export function sendRawBody(response: Response, body: unknown): void {
  const { bytes } = rawBodyOf(body)
  response.setHeader('Content-Type', 'application/json; charset=utf-8')
  response.setHeader('Content-Length', bytes.length)
  response.end(bytes)
}
