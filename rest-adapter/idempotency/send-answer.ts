import type { Response } from 'express'
import { drained } from '../../platform/drained.ts'
import { decodeHead } from './answer-head.ts'
import type { AnswerHead } from './detached-response.ts'

/** The beginning of a logged answer: its head, and as much of the body as came with it. */
export interface BegunAnswer {
  readonly head: AnswerHead
  readonly rest: Buffer
}

/** Waits for the head. @throws what reading the log throws */
export async function readHead(bytes: AsyncIterableIterator<Buffer>): Promise<BegunAnswer> {
  let read: Buffer = Buffer.alloc(0)
  for (;;) {
    const step = await bytes.next()
    if (step.done) throw new Error('A stored answer has no head.')
    read = Buffer.concat([read, step.value])
    const begun = decodeHead(read)
    if (begun) return begun
  }
}

/** Answers with what a log holds, and goes on with it until it ends. */
export async function sendAnswer(
  response: Response,
  { head, rest }: BegunAnswer,
  bytes: AsyncIterableIterator<Buffer>,
): Promise<void> {
  response.status(head.status)
  for (const [name, value] of head.headers) response.setHeader(name, value)
  if (rest.length === Number(response.getHeader('Content-Length'))) {
    response.end(rest)
    return
  }
  response.socket?.setNoDelay(true)
  response.flushHeaders()
  if (rest.length > 0 && !response.write(rest)) await drained(response)
  for await (const part of bytes) {
    if (response.closed) return
    if (!response.write(part)) await drained(response)
  }
  response.end()
}
