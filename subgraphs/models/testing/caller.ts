import { setTimeout as sleep } from 'node:timers/promises'
import { parse } from 'graphql'
import type { Actor } from '../../../platform/actor.ts'
import type { RequestContext } from '../../../platform/context.ts'
import { AppError } from '../../../platform/errors.ts'
import { RawBody } from '../../../platform/openai/raw-body.ts'
import type { RawFrames } from '../../../platform/openai/raw-frames.ts'

/** What a caller needs of a graph in a test. */
export interface CallableGraph {
  contextFor(actor: Actor | null, signal?: AbortSignal): RequestContext
}

/** The events of a stream, as the REST adapter gets them. */
export type StreamEvents = AsyncIterableIterator<{ streamChat: RawFrames }>

/** Asks the models of a graph as the REST adapter does, for one actor. */
export interface Caller {
  /** The text of a whole answer. @throws AppError */
  complete(body: object | string, signal?: AbortSignal): Promise<string>
  /** @throws AppError */
  stream(body: object, signal?: AbortSignal): Promise<StreamEvents>
  /** The text of an embeddings answer. @throws AppError */
  embed(body: object): Promise<string>
}

const completeChat = parse('mutation ($request: RawBody!) { answer: completeChat(request: $request) }')
const embed = parse('mutation ($request: RawBody!) { answer: embed(request: $request) }')
const streamChat = parse('subscription ($request: RawBody!) { streamChat(request: $request) }')

export function callerOf(graph: CallableGraph, actor: Actor | null): Caller {
  const run = async (document: typeof embed, body: object | string, signal?: AbortSignal) => {
    const context = graph.contextFor(actor, signal)
    const result: unknown = await context.graph.execute(document, { request: rawBody(body) }, context)
    return (result as { answer: RawBody }).answer.bytes.toString()
  }
  return {
    complete: (body, signal) => run(completeChat, body, signal),
    embed: (body) => run(embed, body),
    async stream(body, signal) {
      const context = graph.contextFor(actor, signal)
      const request = rawBody({ ...body, stream: true })
      const events: unknown = await context.graph.subscribe(streamChat, { request }, context)
      return events as StreamEvents
    },
  }
}

function rawBody(body: object | string): RawBody {
  return new RawBody(Buffer.from(typeof body === 'string' ? body : JSON.stringify(body)))
}

/** Reads a stream until at least `count` of its frames are there, or its end. */
export async function readFrames(events: StreamEvents, count = Number.POSITIVE_INFINITY) {
  const frames: Record<string, unknown>[] = []
  while (frames.length < count) {
    const step = await events.next()
    if (step.done) break
    frames.push(...step.value.streamChat.frames.map((frame) => JSON.parse(frame.toString())))
  }
  return frames
}

/** The failure that a call is refused with; anything else fails the test. */
export async function failure(work: Promise<unknown>): Promise<AppError> {
  const error = await work.then(
    () => null,
    (thrown: unknown) => thrown,
  )
  if (error instanceof AppError) return error
  throw new Error(`not refused with an AppError: ${error}`)
}

/** Polls for up to five seconds until `holds`; gives what was read last. */
export async function eventually<T>(read: () => Promise<T>, holds: (value: T) => boolean): Promise<T> {
  for (let tries = 0; ; tries += 1) {
    const value = await read()
    if (holds(value) || tries > 100) return value
    await sleep(50)
  }
}
