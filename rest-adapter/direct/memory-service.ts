import { createHash, timingSafeEqual } from 'node:crypto'
import type { RequestHandler } from 'express'
import type { Actor } from '../../platform/actor.ts'
import { AppError } from '../../platform/errors.ts'
import { bearerOf } from '../middleware/credentials.ts'
import { UserActorDocument } from '../operations.generated.ts'
import type { Route, RouteInput } from '../route.ts'
import type { DirectService } from './direct-services.ts'

/** The service that remembers for other services (contract 8.14). They prove themselves by a key, and name the user. */
export const memoryService: DirectService = {
  name: 'memory-tools',
  portVariable: 'MEMORY_TOOLS_HTTP_PORT',
  liveness: 'healthy',
  paths: /^\/v1\/(memory\/[a-z]|embed\/)/,
}

/** Lets only services pass that know the key. */
export function serviceKeyOnly(key: string): RequestHandler {
  const expected = digest(key)
  return (request, _response, next) => {
    const given = bearerOf(request.headers)
    if (given === null || !timingSafeEqual(expected, digest(given))) {
      throw new AppError(
        'missing_credentials',
        'Only services of the platform may ask this: send MEMORY_TOOLS_API_KEY as a bearer token.',
      )
    }
    next()
  }
}

function digest(text: string): Buffer {
  return createHash('sha256').update(text).digest()
}

/**
 * The same routes for services: each acts as the user whom `user_id` names, in the body or in the query. Without a user there is
 * nobody whose memories are meant, so that all but a test of the model need it.
 */
export function forNamedUsers(routes: readonly Route[]): readonly Route[] {
  return routes.map((route) => ({
    ...route,
    access: 'public',
    async run(input, response) {
      const userId = userIdOf(route, input)
      const actor = userId === null ? serviceItself : await actorOf(userId, input)
      return route.run({ ...input, context: { ...input.context, actor } }, response)
    },
  }))
}

function userIdOf(route: Route, { body, query }: RouteInput): string | null {
  if (route.path.startsWith('/v1/embed/')) return null
  const { user_id: userId } = ((route.body ? body : query) ?? {}) as { readonly user_id?: string | null }
  if (userId) return userId
  throw new AppError('missing_parameter', "Parameter 'user_id' is required.", { param: 'user_id' })
}

async function actorOf(id: string, { context }: RouteInput): Promise<Actor> {
  const { userActor } = await context.graph.execute(UserActorDocument, { id }, context)
  if (!userActor) throw new AppError('user_not_found', 'There is no such user.', { param: 'user_id' })
  return { ...userActor, method: 'internal' }
}

/** Nobody in particular, without any right beyond being let in. */
const serviceItself: Actor = {
  id: '00000000-0000-4000-8000-000000000000',
  subject: 'memory-tools',
  method: 'internal',
  roles: [],
  scopes: [],
  username: null,
  email: null,
  featureFlags: [],
  isGuest: false,
  isAdmin: false,
}
