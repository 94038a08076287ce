import type { RateWindow } from '../../platform/edge-stores/rate-limit-store.ts'

export const perMinute = (name: string, points: number): RateWindow => ({ name, points, seconds: 60 })

export const perHour = (name: string, points: number): RateWindow => ({ name, points, seconds: 3600 })

/** The window that requests of every kind draw from, each its cost. */
export const bucketName = 'bucket'
