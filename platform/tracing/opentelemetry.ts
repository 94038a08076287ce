import { setTimeout as sleep } from 'node:timers/promises'
import {
  type Context,
  ROOT_CONTEXT,
  SpanKind,
  SpanStatusCode,
  type TraceFlags,
  trace,
} from '@opentelemetry/api'
import { OTLPTraceExporter } from '@opentelemetry/exporter-trace-otlp-http'
import { Resource } from '@opentelemetry/resources'
import { BasicTracerProvider, BatchSpanProcessor, type SpanExporter } from '@opentelemetry/sdk-trace-base'
import type { Logger } from '../log.ts'
import type { Tracing } from './tracing.ts'

/** Where spans go, and as whose. */
export interface OpenTelemetryOptions {
  /** The collector's base URL, as `http://localhost:4318`; spans go to `/v1/traces` under it. */
  readonly endpoint: string
  readonly serviceName: string
  readonly log: Logger
}

/** Tracing that is collected. */
export interface CollectedTracing extends Tracing {
  /** Sends what has ended and not been sent. A collector that does not take it keeps nobody from stopping. */
  close(): Promise<void>
}

/** How long the last spans may take, in milliseconds: the library asks a collector that fails again and again, for ten seconds. */
const closeMs = 2_000

/** Nothing is global here, and nothing is instrumented by itself: spans are begun by name, and their context travels as `traceparent`. */
export function openTelemetry({ endpoint, serviceName, log }: OpenTelemetryOptions): CollectedTracing {
  const exporter = reported(new OTLPTraceExporter({ url: `${endpoint}/v1/traces` }), log)
  const provider = new BasicTracerProvider({
    resource: new Resource({ 'service.name': serviceName }),
    spanProcessors: [new BatchSpanProcessor(exporter)],
  })
  const tracer = provider.getTracer('jan')
  return {
    begin(name, { kind, parent, attributes }) {
      const options = {
        kind: kind === 'server' ? SpanKind.SERVER : SpanKind.CLIENT,
        ...(attributes ? { attributes } : {}),
      }
      const span = tracer.startSpan(name, options, contextOf(parent))
      const { traceId, spanId, traceFlags } = span.spanContext()
      return {
        traceparent: `00-${traceId}-${spanId}-${traceFlags.toString(16).padStart(2, '0')}`,
        end({ name: known, attributes: more, failure } = {}) {
          if (!span.isRecording()) return
          if (known !== undefined) span.updateName(known)
          if (more) span.setAttributes(more)
          if (failure !== undefined) span.setStatus({ code: SpanStatusCode.ERROR, message: failure })
          span.end()
        },
      }
    },
    async close() {
      await Promise.race([provider.shutdown(), sleep(closeMs, undefined, { ref: false })])
    },
  }
}

/** The library loses what it can't send without a word; it is logged when that begins, and when it is over. */
function reported(exporter: SpanExporter, log: Logger): SpanExporter {
  let isFailing = false
  return {
    export(spans, done) {
      exporter.export(spans, (result) => {
        if (result.error && !isFailing) log.warn({ err: result.error }, 'spans could not be sent')
        if (!result.error && isFailing) log.info('spans are sent again')
        isFailing = result.error !== undefined
        done(result)
      })
    },
    shutdown: () => exporter.shutdown(),
  }
}

function contextOf(traceparent: string | null): Context {
  if (traceparent === null) return ROOT_CONTEXT
  const [, traceId = '', spanId = '', flags = '00'] = traceparent.split('-')
  const traceFlags: TraceFlags = Number.parseInt(flags, 16) & 1
  return trace.setSpanContext(ROOT_CONTEXT, { traceId, spanId, traceFlags, isRemote: true })
}
