import type { RateWindow } from '../../platform/edge-stores/rate-limit-store.ts'
import { perHour, perMinute } from './windows.ts'

const apiWindows: readonly RateWindow[] = [perMinute('/v1', 120)]
const mediaWindows: readonly RateWindow[] = [perMinute('/media', 60)]
const responsesWindows: readonly RateWindow[] = [perMinute('/responses', 100)]
const mcpWindows: readonly RateWindow[] = [perMinute('/mcp', 200)]

/** Contract 8.6, the gateway's layer: what one address may ask of each part in a minute. The first that matches counts. */
const families: readonly (readonly [path: RegExp, windows: readonly RateWindow[]])[] = [
  [
    /^\/v1\/(public\/shares|share)(\/|$)/,
    [perMinute('/v1/public/shares', 100), perHour('/v1/public/shares hour', 1_000)],
  ],
  [/^\/v1\/realtime(\/|$)/, [perMinute('/v1/realtime', 120)]],
  [/^(\/v1)?\/media(\/|$)/, mediaWindows],
  [/^(\/v1)?\/responses(\/|$)/, responsesWindows],
  [/^\/response(\/|$)/, responsesWindows],
  [/^(\/v1)?\/mcp(\/|$)/, mcpWindows],
  [/^\/v1\//, apiWindows],
  [/^\/api\/media(\/|$)/, [perMinute('/api/media', 300)]],
]

const everything: readonly RateWindow[] = [perMinute('everything', 600), perHour('everything hour', 10_000)]

/** Liveness is asked by machines, often, from one address. */
const uncounted = /^(\/((llm\/)?v1|llm|mcp|media|responses?))?\/(healthz|readyz|healthcheck)$/

/** A prefix before a path of the API (`pathFamilies`). */
const prefixed = /^\/(llm|responses?|media|mcp)(?=\/v1\/)/
const throughLlm = /^\/llm\//

/**
 * The windows that a request draws from by its address. Before a path of the API a prefix draws from its own windows and
 * from those of the path: another spelling is no second allowance. Through `/llm` only the parts that have a limit of their own
 * count so; for the others see `namelessWindows`.
 */
export function addressWindows(path: string): readonly RateWindow[] {
  if (uncounted.test(path)) return []
  const target = familyOf(path.replace(prefixed, ''))
  const counted = throughLlm.test(path) && target === apiWindows ? [] : target
  return [...new Set([...familyOf(path), ...counted]), ...everything]
}

/**
 * What a request through `/llm` draws from by its address where nobody is named that it could be counted by: as much as under
 * `/v1`, as far as `addressWindows` has not counted it.
 * @param path without the prefix
 */
export function namelessWindows(path: string): readonly RateWindow[] {
  const windows = familyOf(path)
  return windows.length === 0 ? apiWindows : windows.filter((window) => apiWindows.includes(window))
}

const none: readonly RateWindow[] = []

function familyOf(path: string): readonly RateWindow[] {
  return families.find(([pattern]) => pattern.test(path))?.[1] ?? none
}
