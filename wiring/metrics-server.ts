import type { PlatformConfig } from '../platform/config.ts'
import type { Logger } from '../platform/log.ts'
import type { DeferredMetrics } from '../platform/metrics/deferred-metrics.ts'
import { noMetrics } from '../platform/metrics/metrics.ts'
import { createServer } from '../platform/node-http.ts'
import { once } from '../platform/once.ts'
import { closeServer, listen } from './http-server.ts'
import { StartFailure } from './start-failure.ts'
import type { StopStack } from './stop-stack.ts'

/** What the server of metrics is made with. */
export interface MetricsServerOptions {
  readonly metrics: DeferredMetrics
  readonly platform: Pick<PlatformConfig, 'METRICS_PORT' | 'METRICS_HOST'>
  readonly log: Logger
}

/** Contract 8.8. */
const usualPort = 9091
/** Milliseconds for the first requests before the library is loaded, which stops the thread for 0.1 s. Who reads sooner has it at once. */
const patienceMs = 500

/**
 * Serves what this process has counted at `/metrics`, on a port of its own that is not for the outside. Where nobody has chosen a port and
 * the usual one is taken, as by another platform on this machine, it is done without.
 * @throws StartFailure for a chosen port that can't be had
 */
export async function startMetricsServer(
  { metrics, platform, log }: MetricsServerOptions,
  stack: Pick<StopStack, 'push'>,
): Promise<void> {
  const { METRICS_PORT: chosen, METRICS_HOST: host } = platform
  if (chosen === 0) return metrics.attach(noMetrics)
  const prometheus = once(async () => {
    const { prometheusMetrics } = await import('../platform/metrics/prometheus.ts')
    const loaded = prometheusMetrics()
    metrics.attach(loaded)
    return loaded
  })
  const warn = (error: unknown) => log.error({ err: error }, 'metrics could not be told')
  const server = createServer({ maxHeaderSize: 8 * 1024 }, async (request, response) => {
    if (request.method !== 'GET' || request.url !== '/metrics') return void response.writeHead(404).end()
    try {
      const { text, contentType } = await prometheus()
      response.writeHead(200, { 'content-type': contentType }).end(await text())
    } catch (error) {
      warn(error)
      response.writeHead(500).end()
    }
  })
  try {
    await listen(server, chosen ?? usualPort, host, 'METRICS_PORT')
  } catch (error) {
    if (chosen !== undefined || !(error instanceof StartFailure)) throw error
    log.warn({ reason: error.message }, 'metrics are not served')
    return metrics.attach(noMetrics)
  }
  const loading = setTimeout(() => void prometheus().catch(warn), patienceMs).unref()
  stack.push('metrics', () => {
    clearTimeout(loading)
    return closeServer(server, 0)
  })
}
