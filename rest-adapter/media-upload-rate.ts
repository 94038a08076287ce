import type { RouteRate } from './route.ts'

/** Contract 8.6, "POST media upload": one limit for every way to upload. */
export function mediaUploadRate(cost: RouteRate['cost']): RouteRate {
  return { perMinute: 50, cost, name: 'media upload' }
}
