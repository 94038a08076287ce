import { once } from 'node:events'
import { createServer } from 'node:net'

/** A port of 127.0.0.1 that nobody listens on at this moment: `wanted` if it is free, else any. */
export async function freePort(wanted = 0): Promise<number> {
  const probe = createServer()
  const taken = new Promise<boolean>((resolve) => {
    probe.once('error', () => resolve(true))
    probe.listen(wanted, '127.0.0.1', () => resolve(false))
  })
  if (await taken) return freePort()
  const address = probe.address()
  const closed = once(probe, 'close')
  probe.close()
  await closed
  if (typeof address === 'object' && address) return address.port
  throw new Error('no free port')
}
