import { hash } from 'node:crypto'
import type { Request, RequestHandler } from 'express'
import { parse } from 'graphql'
import { z } from 'zod'
import { AppError } from '../../platform/errors.ts'

/** Operations that clients may ask for by id, as their build has registered them. */
export interface PersistedOperations {
  /** Operation texts by id. */
  readonly texts: ReadonlyMap<string, string>
  /** Whether nothing else is answered. */
  readonly only: boolean
}

/** Apollo's manifest, as `generate-persisted-query-manifest` writes it, or a map of ids to texts, as Relay's compiler does. */
const manifest = z.union([
  z.object({
    format: z.literal('apollo-persisted-query-manifest'),
    version: z.literal(1),
    operations: z.array(z.object({ id: z.string(), body: z.string() })),
  }),
  z.record(z.string(), z.string()),
])

/** @throws Error that says in a sentence what is wrong: no JSON, no manifest, or an operation that does not parse */
export function readManifest(text: string): ReadonlyMap<string, string> {
  const { data: read } = manifest.safeParse(JSON.parse(text))
  if (!read) throw new Error("it is neither Apollo's manifest nor a map of ids to the texts of operations")
  const texts = Array.isArray(read.operations)
    ? new Map(read.operations.map(({ id, body }) => [id, body]))
    : new Map(Object.entries(read as Record<string, string>))
  for (const [id, operation] of texts) assertParses(id, operation)
  return texts
}

function assertParses(id: string, operation: string): void {
  try {
    parse(operation, { noLocation: true })
  } catch (cause) {
    throw new Error(`the operation '${id}' does not parse: ${(cause as Error).message}`, { cause })
  }
}

/**
 * Puts the text in place of an id that is registered, in the body of a POST or the query of a GET; ids that are not go on
 * as they are, to Apollo's automatic persisted queries. Where only registered operations are answered, any other is refused.
 */
export function persistedOperations({ texts, only }: PersistedOperations): RequestHandler {
  const registered = new Set([...texts.values()].map(digest))
  const admit = (sent: Sent): Sent => {
    const text = sent.id === undefined ? undefined : texts.get(sent.id)
    if (text !== undefined) return { id: undefined, query: text }
    if (only && (sent.query === undefined || !registered.has(digest(sent.query)))) throw unregistered()
    return sent
  }
  return (request, _response, next) => {
    if (request.method === 'POST') admitBody(request, admit)
    else if (request.method === 'GET') admitQuery(request, admit)
    next()
  }
}

/** What a request says of its operation. */
interface Sent {
  readonly id: string | undefined
  readonly query: string | undefined
}

function admitBody(request: Request, admit: (sent: Sent) => Sent): void {
  const { body } = request as { body: unknown }
  if (typeof body !== 'object' || body === null || Array.isArray(body)) return
  const { query, extensions, ...rest } = body as Record<string, unknown>
  const id = idOf(extensions)
  const admitted = admit({ id, query: typeof query === 'string' ? query : undefined })
  if (id !== undefined && admitted.id === undefined) request.body = { ...rest, query: admitted.query }
}

function admitQuery(request: Request, admit: (sent: Sent) => Sent): void {
  const cut = request.url.includes('?') ? request.url.indexOf('?') : request.url.length
  const path = request.url.slice(0, cut)
  const search = request.url.slice(cut + 1)
  const parameters = new URLSearchParams(search)
  const query = parameters.get('query') ?? undefined
  const id = idOf(parsed(parameters.get('extensions')))
  // Whoever asks for a page asks for no operation.
  if (query === undefined && id === undefined) return
  const admitted = admit({ id, query })
  if (id === undefined || admitted.query === undefined || admitted.id !== undefined) return
  parameters.delete('extensions')
  parameters.set('query', admitted.query)
  request.url = `${path}?${parameters}`
}

function idOf(extensions: unknown): string | undefined {
  const { persistedQuery } = (extensions ?? {}) as { persistedQuery?: { sha256Hash?: unknown } | null }
  const id = persistedQuery?.sha256Hash
  return typeof id === 'string' ? id : undefined
}

function parsed(text: string | null): unknown {
  try {
    return text === null ? undefined : JSON.parse(text)
  } catch {
    return undefined
  }
}

function digest(text: string): string {
  return hash('sha256', text, 'base64')
}

function unregistered(): AppError {
  return new AppError('invalid_parameter', 'Only registered operations are answered here.', {
    param: 'query',
  })
}
