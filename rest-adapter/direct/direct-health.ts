import { Router } from 'express'
import { answerReadiness, type HealthCheck } from '../health.ts'
import { readOnly } from '../other-methods.ts'
import type { DirectService } from './direct-services.ts'

/** What a service says of itself on its own port (contract 8.8). */
export function directHealth({ name, liveness }: DirectService, checks: readonly HealthCheck[]): Router {
  const router = Router()
  router.get('/', (_request, response) => void response.json({ service: name, status: 'ok' }))
  router.get('/healthz', (_request, response) => void response.json({ status: liveness }))
  router.get('/healthcheck', (_request, response) => void response.json('ok'))
  router.get('/readyz', (_request, response) => answerReadiness(checks, response))
  router.all(['/', '/healthz', '/healthcheck', '/readyz'], readOnly)
  if (name === 'llm-api')
    router
      .route('/health/auth')
      .get((_request, response) => answerReadiness(checks, response, 'initializing'))
      .all(readOnly)
  return router
}
