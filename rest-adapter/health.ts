import { type Response, Router } from 'express'
import { readOnly } from './other-methods.ts'

/** One dependency's proof of life; rejects when it is down. */
export interface HealthCheck {
  readonly name: string
  check(): Promise<void>
}

const checkTimeoutMs = 2_000

/** Contract 8.8: liveness says only that the process answers; readiness asks every dependency. */
export function healthRoutes(checks: readonly HealthCheck[]): Router {
  const router = Router()
  const plain = (path: string, body: unknown) =>
    router
      .route(path)
      .get((_, response) => void response.json(body))
      .all(readOnly)
  plain('/healthz', { status: 'ok' })
  for (const family of ['media', 'responses', 'response', 'mcp'])
    plain(`/${family}/healthz`, { status: 'healthy' })
  plain('/healthcheck', 'ok')
  for (const path of ['/readyz', '/mcp/readyz'])
    router
      .route(path)
      .get((_, response) => answerReadiness(checks, response))
      .all(readOnly)
  return router
}

/** 200 while every dependency answers; else 503 with the names of those that do not. */
export async function answerReadiness(
  checks: readonly HealthCheck[],
  response: Response,
  otherwise = 'unavailable',
): Promise<void> {
  const outcomes = await Promise.all(
    checks.map(async ({ name, check }) => ({ name, ok: await succeeds(check) })),
  )
  const failing = outcomes.filter(({ ok }) => !ok).map(({ name }) => name)
  if (failing.length === 0) response.json({ status: 'ready' })
  else response.status(503).json({ status: otherwise, failing })
}

async function succeeds(check: () => Promise<void>): Promise<boolean> {
  let timer: NodeJS.Timeout | undefined
  const late = new Promise<boolean>((resolve) => {
    timer = setTimeout(() => resolve(false), checkTimeoutMs)
  })
  const done = check().then(
    () => true,
    () => false,
  )
  return Promise.race([done, late]).finally(() => clearTimeout(timer))
}
