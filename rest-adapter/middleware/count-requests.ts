import type { Request, RequestHandler, Response } from 'express'
import { fewValues, otherValue } from '../../platform/metrics/few-values.ts'
import { type Metrics, secondsBuckets } from '../../platform/metrics/metrics.ts'
import { endpointOf } from './endpoint.ts'

/** What an answer of a model is counted as. */
export interface CountedAnswer {
  readonly model: string
  readonly stream: boolean
}

/** Says of which model the answer is. To be called once it is certain that there is one of that name. */
export function countAnswerOf(response: Response, answer: CountedAnswer): void {
  response.locals.countedAnswer = answer
}

/** Whose requests they are, by the beginning of their path (contract 8.12). */
const services = [
  ['jan_media_api_', /^\/(v1\/media|api\/media|v1\/files)(\/|$)/],
  ['jan_memory_', /^\/v1\/(memory|embed)(\/|$)/],
  ['jan_llm_api_', /^/],
] as const

/** Counts every request when its answer is out or its client has left: by route, never by path, which may hold anything. */
export function countRequests(metrics: Metrics): RequestHandler {
  const counted = services.map(([prefix, paths]) => ({ paths, count: requestCounter(metrics, prefix) }))
  const countAgent = agentCounter(metrics)
  return (request, response, next) => {
    const started = performance.now()
    response.on('close', () => {
      const endpoint = endpointOf(request, response)
      const seconds = (performance.now() - started) / 1000
      counted.find(({ paths }) => paths.test(endpoint))?.count(request, response, endpoint, seconds)
      countAgent(request.headers['user-agent'])
    })
    next()
  }
}

function requestCounter(metrics: Metrics, prefix: string) {
  const requests = metrics.counter({
    name: `${prefix}requests_total`,
    help: 'Requests that were answered, or left by their client.',
    labels: ['method', 'endpoint', 'status', 'model', 'stream'],
  })
  const durations = metrics.histogram({
    name: `${prefix}request_duration_seconds`,
    help: 'From the head of a request to the end of its answer.',
    labels: ['method', 'endpoint'],
    buckets: secondsBuckets,
  })
  const modelLabel = fewValues()
  return ({ method }: Request, response: Response, endpoint: string, seconds: number) => {
    const { model, stream } = (response.locals.countedAnswer ?? {}) as Partial<CountedAnswer>
    requests.add({
      method,
      endpoint,
      status: String(response.statusCode),
      model: model === undefined ? '' : modelLabel(model),
      stream: String(stream ?? false),
    })
    durations.observe({ method, endpoint }, seconds)
  }
}

/** Programs whose versions are told apart; the first name that fits is taken. */
const families = [
  ['openai-python', /openai\/python/i],
  ['openai-js', /openai\/js/i],
  ['langchain', /langchain/i],
  ['ai-sdk', /\bai-sdk\b|\bai\/\d/i],
  ['curl', /^curl\//i],
  ['python', /python|httpx|aiohttp/i],
  ['node', /^(node|undici|axios|got)\b/i],
  ['go', /^go-http-client/i],
  ['browser', /^mozilla\//i],
] as const

function agentCounter(metrics: Metrics): (userAgent: string | undefined) => void {
  const agents = metrics.counter({
    name: 'jan_llm_api_user_agents_total',
    help: 'Requests by the program that sent them: the first word of its User-Agent.',
    labels: ['user_agent'],
  })
  const byFamily = metrics.counter({
    name: 'jan_llm_api_user_agent_family_total',
    help: 'Requests by the kind of program that sent them.',
    labels: ['family'],
  })
  const agentLabel = fewValues(50)
  return (userAgent = '') => {
    const [product = ''] = userAgent.split(' ', 1)
    agents.add({ user_agent: product === '' ? 'none' : agentLabel(product.slice(0, 40)) })
    const family = families.find(([, shape]) => shape.test(userAgent))?.[0]
    byFamily.add({ family: family ?? (userAgent === '' ? 'none' : otherValue) })
  }
}
