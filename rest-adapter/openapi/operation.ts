import type { z } from 'zod'
import type { RouteDescription } from '../route.ts'
import { exampleOf } from './examples.ts'
import { failuresOf } from './failures.ts'
import { requestHeaders, successHeaders } from './headers.ts'
import { openApiPath, pathParameters, queryParameters } from './parameters.ts'
import type { JsonSchema, SchemaCollection } from './schemas.ts'

/** A route as an operation of the document. */
export function operationOf(route: RouteDescription, schemas: SchemaCollection): Record<string, unknown> {
  const description = descriptionOf(route)
  return {
    operationId: route.operationId ?? derivedId(route),
    summary: route.summary,
    ...(description ? { description } : {}),
    tags: [route.tag],
    ...(route.access === 'public' ? { security: [] } : {}),
    parameters: [...pathParameters(route.path), ...queryParameters(route, schemas), ...requestHeaders(route)],
    ...requestBody(route, schemas),
    responses: {
      [route.status]: success(route, schemas),
      ...(route.otherStatus === null
        ? {}
        : { [route.otherStatus]: success({ ...route, status: route.otherStatus }, schemas) }),
      ...failuresOf(route),
      default: { $ref: '#/components/responses/Failure' },
    },
  }
}

function descriptionOf({ description, aliases }: RouteDescription): string {
  const others = Object.entries(aliases).map(
    ([alias, name]) => `\`${alias}\` is another name of \`${name}\`.`,
  )
  return [description, ...others].filter(Boolean).join('\n\n')
}

/** JSON, bytes, or a form; some routes take a form or JSON. */
function requestBody(route: RouteDescription, schemas: SchemaCollection) {
  const { body, bodyType, bodyOptional, file } = route
  if (!body && bodyType === null && file === null) return {}
  const content = {
    ...(file === null ? {} : formOf(file)),
    ...(body ? { 'application/json': jsonBody(body, route, schemas) } : {}),
    ...(bodyType === null ? {} : bytesOf(bodyType)),
  }
  return { requestBody: { required: file !== null || !bodyOptional, content } }
}

function jsonBody(body: z.ZodType, { examples }: RouteDescription, schemas: SchemaCollection) {
  const schema = schemas.jsonSchema(body, 'input')
  const named = Object.entries(examples).map(([name, value]) => [name, { value }] as const)
  return named.length > 0 ? { schema, examples: Object.fromEntries(named) } : media(schema, schemas)
}

function success(route: RouteDescription, schemas: SchemaCollection): Record<string, unknown> {
  const { response, responseType, events } = route
  const content = {
    ...(response ? { 'application/json': media(schemas.jsonSchema(response, 'output'), schemas) } : {}),
    ...(responseType === null ? {} : bytesOf(responseType)),
    ...(events ? { 'text/event-stream': media(schemas.jsonSchema(events, 'output'), schemas) } : {}),
  }
  return {
    description: successText(route),
    headers: {
      ...successHeaders(route),
      ...(route.status === 302
        ? { Location: { description: 'Where to go.', schema: { type: 'string' } } }
        : {}),
    },
    ...(Object.keys(content).length > 0 ? { content } : {}),
  }
}

function successText({ status, events }: RouteDescription): string {
  if (status === 201) return 'Made.'
  if (status === 204) return 'Done; there is nothing to say.'
  if (status === 302) return 'A redirect.'
  if (!events) return 'Done.'
  return 'Done. With `stream: true`, server-sent events: each `data:` line holds one object as described, a line that begins with a colon is a sign of life, and `data: [DONE]` ends the stream. A failure in the middle comes as a last `data:` line with `error`, without `[DONE]`.'
}

/** A body that is bytes of a type. */
/** A form with a file. */
function formOf(name: string): Record<string, unknown> {
  const properties = { [name]: { type: 'string', format: 'binary' } }
  return { 'multipart/form-data': { schema: { type: 'object', required: [name], properties } } }
}

function bytesOf(type: string): Record<string, unknown> {
  return { [type]: { schema: { type: 'string', format: 'binary' } } }
}

/** A schema with its example beside it, where documentation looks for it. */
function media(schema: JsonSchema, { components }: SchemaCollection): Record<string, unknown> {
  const { examples: _, ...rest } = schema
  const example = exampleOf(schema, components)
  return { schema: rest, ...(example === undefined ? {} : { example }) }
}

/** `get /v1/things/{id}` becomes `getV1ThingsId`: for routes that have no name of their own. */
function derivedId({ method, path }: RouteDescription): string {
  const words = openApiPath(path).match(/[A-Za-z0-9]+/g) ?? []
  return method + words.map((word) => word.charAt(0).toUpperCase() + word.slice(1)).join('')
}
