import { once } from 'node:events'
import type { AddressInfo } from 'node:net'
import { afterEach, expect, it } from '@jest/globals'
import { createLogger } from '../platform/log.ts'
import { deferredMetrics } from '../platform/metrics/deferred-metrics.ts'
import { createServer } from '../platform/node-http.ts'
import { freePort } from '../platform/testing/free-port.ts'
import { startMetricsServer } from './metrics-server.ts'
import { createStopStack } from './stop-stack.ts'

const log = createLogger({ level: 'silent', format: 'json' })
const stack = createStopStack()
afterEach(() => stack.stop())

const serve = (port: number | undefined) => {
  const metrics = deferredMetrics()
  metrics.counter({ name: 'things_total', help: 'Things.', labels: [] }).add({})
  const platform = { METRICS_PORT: port, METRICS_HOST: '127.0.0.1' }
  return startMetricsServer({ metrics, platform, log }, stack)
}

it('tells what was counted, and of the process, and nothing else', async () => {
  const port = await freePort()
  await serve(port)
  const answer = await fetch(`http://127.0.0.1:${port}/metrics`)
  expect(answer.headers.get('content-type')).toMatch(/^text\/plain; version=0\.0\.4/)
  const text = await answer.text()
  expect(text).toContain('\nthings_total 1\n')
  expect(text).toContain('process_resident_memory_bytes')
  expect((await fetch(`http://127.0.0.1:${port}/`)).status).toBe(404)
  expect((await fetch(`http://127.0.0.1:${port}/metrics`, { method: 'POST' })).status).toBe(404)
})

it('ends a start whose own choice of a port is taken, and does without the usual one', async () => {
  const other = createServer().listen(0, '127.0.0.1')
  await once(other, 'listening')
  const usual = createServer()
  // where that fails, somebody else has it: all the same here
  await once(usual.listen(9091, '127.0.0.1'), 'listening').catch(() => undefined)
  try {
    await expect(serve((other.address() as AddressInfo).port)).rejects.toThrow('METRICS_PORT=')
    await expect(serve(undefined)).resolves.toBeUndefined()
  } finally {
    other.close()
    usual.close()
  }
})
