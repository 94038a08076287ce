import type { RateWindow } from '../../platform/edge-stores/rate-limit-store.ts'
import { perHour, perMinute } from './windows.ts'

/** Contract 8.6, the gateway's layer: what one address may ask of each part in a minute. The first that matches counts. */
const families: readonly (readonly [path: RegExp, windows: readonly RateWindow[]])[] = [
  [
    /^\/v1\/(public\/shares|share)(\/|$)/,
    [perMinute('/v1/public/shares', 100), perHour('/v1/public/shares hour', 1_000)],
  ],
  [/^\/v1\/realtime(\/|$)/, [perMinute('/v1/realtime', 120)]],
  [/^\/v1\//, [perMinute('/v1', 120)]],
  [/^\/api\/media(\/|$)/, [perMinute('/api/media', 300)]],
  [/^\/media(\/|$)/, [perMinute('/media', 60)]],
  [/^\/responses?(\/|$)/, [perMinute('/responses', 100)]],
  [/^\/mcp(\/|$)/, [perMinute('/mcp', 200)]],
]

const everything: readonly RateWindow[] = [perMinute('everything', 600), perHour('everything hour', 10_000)]

/** Liveness is asked by machines, often, from one address. */
const uncounted = /^(\/(llm|v1|mcp|media|responses?))?\/(healthz|readyz|healthcheck)$/

/** A prefix of a service before a path of the API (`pathFamilies`). */
const prefixed = /^\/(responses?|media|mcp)(?=\/v1\/)/
/** Where a prefix leads to its own service. */
const ownService = /^\/(responses?\/v1\/responses|media\/v1\/media|mcp\/v1\/mcp)(\/|$)/

/**
 * The windows that a request draws from by its address. Under the prefix of a service to which it does not lead a path
 * draws from its own windows too: another spelling is no second allowance.
 */
export function addressWindows(path: string): readonly RateWindow[] {
  if (uncounted.test(path)) return []
  const other = prefixed.test(path) && !ownService.test(path)
  return [...everything, ...familyOf(path), ...(other ? familyOf(path.replace(prefixed, '')) : [])]
}

function familyOf(path: string): readonly RateWindow[] {
  return families.find(([pattern]) => pattern.test(path))?.[1] ?? []
}
