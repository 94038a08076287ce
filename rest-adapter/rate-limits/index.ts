export { countingScope } from './counting-scope.ts'
export { graphCharge } from './graph-fields.ts'
export { limitedGraph } from './limited-mount.ts'
export { callerOf, type RateLimitOptions, type RateLimits, rateLimits } from './rate-limits.ts'
