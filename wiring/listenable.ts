import { createServer } from '../platform/node-http.ts'
import { listen } from './http-server.ts'

/**
 * Takes a port and lets it go again, so that a start which can't serve ends before it has changed anything.
 * @throws StartFailure with a sentence for a busy port or a missing right
 */
export async function assertListenable(port: number, host: string): Promise<void> {
  const probe = createServer()
  await listen(probe, port, host)
  await new Promise((resolve) => probe.close(resolve))
}
