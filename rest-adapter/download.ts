import type { Response } from 'express'
import { drained } from '../platform/drained.ts'

/** Characters that are gathered before they are written: a packet for every small piece would be dear. */
const batchLength = 16 * 1024

/**
 * Answers with a file of JSON, written as its pieces come: none is asked for before the client has read the last ones, and
 * none after the client has left. What fails before the first batch is a plain error with its status; a later failure is
 * thrown too, so that the connection is cut and what was read can't be taken for the whole.
 */
export async function sendJsonDownload(
  response: Response,
  pieces: AsyncIterable<string>,
  filename: string,
): Promise<void> {
  const headers = {
    'Content-Type': 'application/json; charset=utf-8',
    'Content-Disposition': `attachment; filename="${filename}"`,
    'Cache-Control': 'no-store',
  }
  for await (const batch of batches(pieces)) {
    if (!response.headersSent) response.writeHead(200, headers)
    if (response.req.method === 'HEAD') break
    if (!response.write(batch)) await drained(response)
    if (response.closed) return
  }
  response.end()
}

async function* batches(pieces: AsyncIterable<string>): AsyncGenerator<string, void> {
  let gathered = ''
  for await (const piece of pieces) {
    gathered += piece
    if (gathered.length < batchLength) continue
    yield gathered
    gathered = ''
  }
  if (gathered !== '') yield gathered
}
