import { readFileSync } from 'node:fs'
import { z } from 'zod'
import { handlerRoute, type Route } from '../route.ts'

const packageFile = new URL('../../package.json', import.meta.url)
const { version } = z.object({ version: z.string() }).parse(JSON.parse(readFileSync(packageFile, 'utf8')))

/** The environment is read once: when the process starts. */
const environmentReadAt = new Date(performance.timeOrigin).toISOString()

/** Contract 8.8: which version serves, and since when its settings (RFC 3339). */
export const versionRoutes: readonly Route[] = [
  handlerRoute({
    method: 'get',
    path: '/v1/version',
    operationId: 'getVersion',
    summary: 'The version of the platform, and when it read its settings',
    tag: 'Discovery',
    access: 'public',
    handle: async (_input, response) => {
      response.json({ version, env_reloaded_at: environmentReadAt })
    },
    response: z
      .object({ version: z.string(), env_reloaded_at: z.iso.datetime() })
      .meta({ examples: [{ version, env_reloaded_at: '2026-01-01T00:00:00.000Z' }] }),
  }),
]
