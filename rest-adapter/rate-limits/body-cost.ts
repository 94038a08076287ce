import type { IncomingHttpHeaders } from 'node:http'

const step = 2 * 1024 * 1024
const most = 10

/** How many bytes a request says that it sends; infinitely many where it does not say. */
export function declaredBytes(headers: IncomingHttpHeaders): number {
  if (headers['transfer-encoding'] !== undefined) return Number.POSITIVE_INFINITY
  return Number(headers['content-length'] ?? 0)
}

/** Contract 8.6, "1–10 by size": one for every 2 MiB that are begun. */
export function costOfBytes(bytes: number): number {
  return Math.min(most, Math.max(1, Math.ceil(bytes / step)))
}
