import type { TypedDocumentNode } from '@graphql-typed-document-node/core'
import type { Request, Response } from 'express'
import type { DocumentNode } from 'graphql'
import type { z } from 'zod'
import type { RequestContext } from '../platform/context.ts'
import type { ErrorCode } from '../platform/errors.ts'
import { maxJsonValues } from '../platform/json-body.ts'
import type { StoredFiles } from './files/stored-files.ts'

/** Who may call a route: anybody, or only those who proved who they are. What they may do is the service's to say. */
export type RouteAccess = 'public' | 'authenticated'

export type RouteMethod = 'get' | 'post' | 'put' | 'patch' | 'delete'

/** What a form is received with. */
export type FormArrival = Pick<RouteInput, 'request' | 'context' | 'files'>

/** What a form has brought. */
export interface FormBody<Form> {
  readonly form: Form
  /** All that the answer depends on. Two forms that say the same have the same, though their bytes differ: boundaries are random. */
  readonly said: string
}

/** What a route has parsed out of a request. */
export interface RouteInput<Body = unknown, Query = unknown, Form = unknown> {
  readonly params: Readonly<Record<string, string>>
  readonly query: Query
  readonly body: Body
  /** What came in place of a JSON body, for routes that `receive` it; then `body` is undefined. Null where no form came. */
  readonly form: Form | null
  /** The body's bytes as they came, for routes that pass them on. */
  readonly rawBody: Buffer
  readonly request: Request
  readonly context: RequestContext
  readonly files: StoredFiles
}

/** A route's documented limit. */
export interface RouteRate {
  /** Requests a minute; 100 unless said otherwise. */
  readonly perMinute: number
  /** What a request draws from the caller's bucket; 1 unless said otherwise. `by size` is 1 to 10, by the size of its body. */
  readonly cost: number | 'by size'
  /** What routes have in common whose requests count together; each counts by itself unless given. */
  readonly name?: string
}

/** What every route says of itself; the OpenAPI document is made from it. */
export interface RouteDescription {
  readonly method: RouteMethod
  /** Express' path: `:name` is one segment, `*name` the rest with its slashes. */
  readonly path: string
  readonly summary: string
  readonly tag: string
  readonly access: RouteAccess
  /** The status of success; 200 unless said otherwise. */
  readonly status: number
  /** Another status of success with the same body; the operation's result tells which. */
  readonly otherStatus: number | null
  readonly body: z.ZodType | null
  /** The media type of a body that is no JSON: nobody reads it before the route does. Null where there is none. */
  readonly bodyType: string | null
  /** The field of a form that holds a file, for a route that takes one in place of its JSON body; null for all others. */
  readonly file: string | null
  /** A body may be left out entirely; the schema then sees `{}`. */
  readonly bodyOptional: boolean
  readonly query: z.ZodType | null
  /**
   * What the answer looks like; null for 204 and for streams. The OpenAPI document is made from it; the
   * end-to-end tests hold every answer that they get against it.
   */
  readonly response: z.ZodType | null
  /** The media type of an answer that is no JSON; null where there is none. */
  readonly responseType: string | null
  /** The most bytes that a body may have; the platform's small limit unless said otherwise. */
  readonly bodyLimit: 'small' | 'large'
  /** The most values that a JSON body may have; `maxJsonValues` unless said otherwise. */
  readonly bodyValues: number
  /** How often one caller may call it, where the documented limits are on (contract 8.6). */
  readonly rate: RouteRate
  /** Other names under which clients send a field: `{ title: 'name' }`. The right one wins when both are there. */
  readonly aliases: Readonly<Record<string, string>>
  /** The name that generated clients call it by; null leaves it to the path. A graph operation's own name unless given. */
  readonly operationId: string | null
  /** What the summary has no room for, as Markdown. */
  readonly description: string | null
  /** Request headers that it reads beside the general ones, with what they mean. */
  readonly headers: Readonly<Record<string, string>>
  /** Bodies to try, by name; those of the body's schema unless given. */
  readonly examples: Readonly<Record<string, unknown>>
  /** One event of the answer as a stream; null for routes that never stream. */
  readonly events: z.ZodType | null
  /** What it can fail with beyond what follows from its access, parameters and body. */
  readonly failures: readonly ErrorCode[]
}

/** A route as the app mounts it: `run` writes the answer, and throws `AppError` before the first byte. */
export interface Route extends RouteDescription {
  /** Reads a form as it comes, for a route that has a `file`. */
  readonly receive: ((arrival: FormArrival) => Promise<FormBody<unknown>>) | null
  run(input: RouteInput, response: Response): Promise<void>
}

type Described<Body, Query> = Pick<RouteDescription, 'method' | 'path' | 'summary' | 'tag'> &
  Partial<Omit<RouteDescription, 'method' | 'path' | 'summary' | 'tag' | 'body' | 'query' | 'rate'>> & {
    readonly rate?: Partial<RouteRate>
    readonly body?: z.ZodType<Body>
    readonly query?: z.ZodType<Query>
  }

/** A route that is one operation of the graph. */
export type OperationRoute<Body, Query, Result, Variables> = Described<Body, Query> & {
  readonly operation: TypedDocumentNode<Result, Variables>
  /** Whether the answer has `otherStatus`. */
  hasOtherStatus?(result: Result): boolean
  variables(input: RouteInput<Body, Query>): Variables
  /** The body of the answer. `undefined` sends none. @throws AppError where the graph's null means 404 */
  present(result: Result, input: RouteInput<Body, Query>, response: Response): unknown
}

/** A route that writes its own answer: streams, bytes. */
export type HandlerRoute<Body, Query, Form = unknown> = Described<Body, Query> & {
  receive?(arrival: FormArrival): Promise<FormBody<Form>>
  handle(input: RouteInput<Body, Query, Form>, response: Response): Promise<void>
}

/** Declares a route: variables, one graph operation, presentation. */
export function route<Result, Variables, Body = unknown, Query = unknown>(
  spec: OperationRoute<Body, Query, Result, Variables>,
): Route {
  const route = describe(spec, operationName(spec.operation))
  return {
    ...route,
    receive: null,
    async run(raw, response) {
      const input = raw as RouteInput<Body, Query>
      const result = await input.context.graph.execute(spec.operation, spec.variables(input), input.context)
      const { otherStatus, status } = route
      const isOther = otherStatus !== null && spec.hasOtherStatus?.(result) === true
      send(response, isOther ? otherStatus : status, spec.present(result, input, response))
    },
  }
}

/** Declares a route that writes its own answer. */
export function handlerRoute<Body = unknown, Query = unknown, Form = unknown>(
  spec: HandlerRoute<Body, Query, Form>,
): Route {
  return {
    ...describe(spec),
    receive: spec.receive?.bind(spec) ?? null,
    run: (raw, response) => spec.handle(raw as RouteInput<Body, Query, Form>, response),
  }
}

const usualRate: RouteRate = { perMinute: 100, cost: 1 }

function describe<Body, Query>(
  spec: Described<Body, Query>,
  operationId: string | null = null,
): RouteDescription {
  return {
    method: spec.method,
    path: spec.path,
    summary: spec.summary,
    tag: spec.tag,
    access: spec.access ?? 'authenticated',
    status: spec.status ?? 200,
    otherStatus: spec.otherStatus ?? null,
    body: spec.body ?? null,
    bodyType: spec.bodyType ?? null,
    file: spec.file ?? null,
    bodyOptional: spec.bodyOptional ?? false,
    query: spec.query ?? null,
    response: spec.response ?? null,
    responseType: spec.responseType ?? null,
    bodyLimit: spec.bodyLimit ?? 'small',
    bodyValues: spec.bodyValues ?? maxJsonValues,
    rate: { ...usualRate, ...spec.rate },
    aliases: spec.aliases ?? {},
    operationId: spec.operationId ?? operationId,
    description: spec.description ?? null,
    headers: spec.headers ?? {},
    examples: spec.examples ?? {},
    events: spec.events ?? null,
    failures: spec.failures ?? [],
  }
}

/** `CreateProject` becomes `createProject`, `Projects`, which only reads, `getProjects`. */
function operationName({ definitions }: DocumentNode): string | null {
  const [operation] = definitions
  if (operation?.kind !== 'OperationDefinition' || !operation.name) return null
  const name = operation.name.value
  return operation.operation === 'query' ? `get${name}` : name.charAt(0).toLowerCase() + name.slice(1)
}

function send(response: Response, status: number, body: unknown): void {
  response.status(status)
  if (body === undefined) {
    response.end()
    return
  }
  response.setHeader('Content-Type', 'application/json; charset=utf-8')
  response.end(JSON.stringify(body))
}
