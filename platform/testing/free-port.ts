import { once } from 'node:events'
import { createServer } from 'node:net'

/** Below the ports that systems give to whoever asks for any, and above those that `fetch` refuses. */
const range = { from: 11_000, count: 20_000 }

/**
 * A port of 127.0.0.1 that nobody listens on at this moment: `wanted` if it is free, else any. Not one that the system would give to a
 * connection or to a server that takes any: some seconds may go by before it is used.
 */
export async function freePort(wanted?: number): Promise<number> {
  const port = wanted ?? range.from + Math.floor(Math.random() * range.count)
  const probe = createServer()
  const taken = new Promise<boolean>((resolve) => {
    probe.once('error', () => resolve(true))
    probe.listen(port, '127.0.0.1', () => resolve(false))
  })
  if (await taken) return freePort()
  const closed = once(probe, 'close')
  probe.close()
  await closed
  return port
}
