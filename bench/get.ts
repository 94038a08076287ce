import type { Dispatcher } from 'undici'
import type { Target } from './targets/target.ts'

/** Gets a path and reads the answer whole. @throws Error on any status but 200 */
export async function get(client: Dispatcher, { origin, headers }: Target, path: string): Promise<string> {
  const { statusCode, body } = await client.request({ origin, path, method: 'GET', headers })
  const text = await body.text()
  if (statusCode === 200) return text
  throw new Error(`${path} answered ${statusCode}: ${text.slice(0, 500)}`)
}
