import { describe, expect, it } from '@jest/globals'
import { Ajv2020 } from 'ajv/dist/2020.js'
import addFormats from 'ajv-formats'
import { z } from 'zod'
import { openApiDocument } from './openapi.ts'
import { handlerRoute, type Route } from './route.ts'
import { routes } from './routes/index.ts'

type Json = Record<string, unknown>

interface Media {
  readonly schema: Json
  readonly example?: unknown
  readonly examples?: Record<string, { value: unknown }>
}

interface Answer {
  readonly $ref?: string
  readonly description?: string
  readonly headers?: Record<string, Json>
  readonly content?: Record<string, Media>
}

interface Operation {
  readonly operationId: string
  readonly summary: string
  readonly tags: readonly string[]
  readonly security?: readonly Json[]
  readonly parameters: readonly (Json & { $ref?: string; name?: string; in?: string })[]
  readonly requestBody?: { readonly content: Record<string, Media> }
  readonly responses: Record<string, Answer>
}

interface Document {
  readonly tags: readonly { name: string; description?: string }[]
  readonly paths: Record<string, Record<string, Operation>>
  readonly components: Record<'schemas' | 'responses' | 'headers' | 'parameters', Record<string, Json>>
}

const documentOf = (some: readonly Route[]) =>
  // As it is served: what JSON can't hold is gone.
  JSON.parse(JSON.stringify(openApiDocument(some, [{ url: '/', description: 'Here.' }]))) as Document

/** Every operation as `[name, operation]`. */
const operationsOf = ({ paths }: Document) =>
  Object.entries(paths).flatMap(([path, methods]) =>
    Object.entries(methods).map(([method, operation]) => [`${method} ${path}`, operation] as const),
  )

/** Every body that an operation takes or gives, with a name. */
function mediaOf(document: Document): [string, Media][] {
  return [
    ...operationsOf(document).flatMap(([name, { requestBody, responses }]) => [
      ...named(`${name} takes`, requestBody?.content),
      ...Object.entries(responses).flatMap(([status, { content }]) =>
        named(`${name} answers ${status}`, content),
      ),
    ]),
    ...Object.entries(document.components.responses).flatMap(([name, { content }]) =>
      named(name, content as Record<string, Media>),
    ),
  ]
}

const named = (name: string, content: Record<string, Media> = {}) =>
  Object.entries(content).map(([type, media]): [string, Media] => [`${name}: ${type}`, media])

const examplesOf = ({ example, examples = {} }: Media) => [
  ...(example === undefined ? [] : [example]),
  ...Object.values(examples).map(({ value }) => value),
]

/** What of the document's examples is not as their schemas say. @throws Error where a schema is none, or a reference leads nowhere */
function wrongExamples(document: Document): string[] {
  const ajv = new Ajv2020({ strict: true, strictTypes: false, allErrors: true })
  addFormats.default(ajv)
  ajv.addKeyword('example')
  ajv.addVocabulary(['openapi', 'info', 'servers', 'security', 'tags', 'paths', 'components'])
  ajv.addSchema({ $id: 'https://api.test/', ...document })
  return mediaOf(document).flatMap(([name, media]) => {
    const validate = ajv.compile(absolute(media.schema) as Json)
    return examplesOf(media).flatMap((example) =>
      validate(example) ? [] : [`${name}: ${ajv.errorsText(validate.errors)}`],
    )
  })
}

/** References as from outside of the document. */
function absolute(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(absolute)
  if (typeof value !== 'object' || value === null) return value
  return Object.fromEntries(
    Object.entries(value).map(([key, inner]) => [
      key,
      key === '$ref' && typeof inner === 'string'
        ? inner.replace('#', 'https://api.test/#')
        : absolute(inner),
    ]),
  )
}

/** Every `$ref` in it. */
function references(value: unknown): string[] {
  if (Array.isArray(value)) return value.flatMap(references)
  if (typeof value !== 'object' || value === null) return []
  return Object.entries(value).flatMap(([key, inner]) =>
    key === '$ref' && typeof inner === 'string' ? [inner] : references(inner),
  )
}

/** What a reference leads to. */
const resolved = (document: Document, reference: string) =>
  reference
    .replace('#/', '')
    .split('/')
    .reduce<unknown>((at, key) => (at as Json | undefined)?.[key], document)

describe('the OpenAPI document', () => {
  const document = documentOf(routes)
  const operations = operationsOf(document)

  it('has every route of the table', () => {
    expect(operations).toHaveLength(routes.length)
  })

  it('refers to nothing that is not there, and has nothing that nobody refers to', () => {
    const all = references(document)
    expect(all.filter((reference) => resolved(document, reference) === undefined)).toEqual([])
    const components = Object.entries(document.components).flatMap(([kind, members]) =>
      Object.keys(members).map((name) => `#/components/${kind}/${name}`),
    )
    const unused = components.filter((name) => !name.includes('/securitySchemes/') && !all.includes(name))
    expect(unused).toEqual([])
  })

  it('has an example for every body, and each is as its schema says', () => {
    const bare = mediaOf(document).filter(
      ([name, media]) =>
        !name.startsWith('Failure:') &&
        media.schema.format !== 'binary' &&
        // a file is no text
        !name.endsWith('multipart/form-data') &&
        examplesOf(media).length === 0,
    )
    expect(bare.map(([name]) => name)).toEqual([])
    expect(wrongExamples(document)).toEqual([])
  })

  it('would notice an example that is wrong', () => {
    const wrong = handlerRoute({
      method: 'get',
      path: '/wrong',
      summary: 'Wrong',
      tag: 'Chat',
      handle: async () => undefined,
      response: z.object({ count: z.int() }).meta({ id: 'Wrong', examples: [{ count: 'many' }] }),
    })
    expect(wrongExamples(documentOf([wrong]))).toEqual([expect.stringContaining('/count must be integer')])
  })

  it('names every operation once, and describes every tag', () => {
    const ids = operations.map(([, { operationId }]) => operationId)
    expect(ids.filter((id, at) => ids.indexOf(id) !== at || !/^[a-z][A-Za-z]+$/.test(id))).toEqual([])
    expect(document.tags.filter(({ description }) => !description)).toEqual([])
  })

  it('describes every parameter, and declares each that the path has', () => {
    for (const [name, { parameters }] of operations) {
      const own = parameters.filter(({ $ref }) => $ref === undefined)
      expect(own.filter(({ description }) => !description)).toEqual([])
      const inPath = own
        .filter((parameter) => parameter.in === 'path')
        .map((parameter) => `{${parameter.name}}`)
      expect(name.match(/\{\w+\}/g) ?? []).toEqual(inPath)
    }
  })

  it('tells of the idempotency key wherever something is posted', () => {
    const key = '#/components/parameters/IdempotencyKey'
    for (const [name, { parameters }] of operations)
      expect(parameters.some(({ $ref }) => $ref === key)).toBe(name.startsWith('post '))
  })

  it('asks for a credential exactly where the route does', () => {
    for (const route of routes) {
      const path = route.path.replace(/[:*](\w+)/g, '{$1}')
      expect(document.paths[path]?.[route.method]?.security).toEqual(
        route.access === 'public' ? [] : undefined,
      )
    }
  })

  it('tells of the general headers, and of the failures that can be met', () => {
    const chat = document.paths['/v1/chat/completions']?.post
    expect(Object.keys(chat?.responses['200']?.headers ?? {})).toEqual(
      expect.arrayContaining(['X-Request-Id', 'X-Auth-Method', 'X-RateLimit-Limit', 'Idempotent-Replayed']),
    )
    expect(Object.keys(chat?.responses ?? {})).toEqual(
      expect.arrayContaining([
        '400',
        '401',
        '404',
        '409',
        '413',
        '415',
        '429',
        '500',
        '502',
        '503',
        '504',
        'default',
      ]),
    )
    expect(document.components.responses.TooManyRequests?.headers).toHaveProperty('Retry-After')
  })

  it('describes a stream beside the whole answer', () => {
    const content = document.paths['/v1/chat/completions']?.post?.responses['200']?.content ?? {}
    expect(content['application/json']?.schema).toEqual({ $ref: '#/components/schemas/ChatCompletion' })
    expect(content['text/event-stream']?.schema).toEqual({ $ref: '#/components/schemas/ChatCompletionChunk' })
  })

  it('refuses two schemas of one name that differ', () => {
    const answering = (path: string, response: z.ZodType) =>
      handlerRoute({
        method: 'get',
        path,
        summary: 'Twin',
        tag: 'Chat',
        handle: async () => undefined,
        response,
      })
    const twins = [
      answering('/one', z.object({ one: z.string() }).meta({ id: 'Twin' })),
      answering('/two', z.object({ two: z.string() }).meta({ id: 'Twin' })),
    ]
    expect(() => documentOf(twins)).toThrow('Twin')
  })
})
