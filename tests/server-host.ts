import { once } from 'node:events'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { json } from 'node:stream/consumers'
import { type ServerMode, startTestServer, type TestServer } from './server.ts'

/** A server that test files share, as the host is asked for it. */
export interface SharedServerRequest {
  readonly mode: ServerMode
  /** As for `startTestServer`. Files that name the same variables and values get the same server. */
  readonly environment: Readonly<Record<string, string>>
}

/** What a test file is told of it. */
export interface SharedServerAnswer {
  readonly url: string
  readonly adminKey: string
}

/** Starts the servers that test files share, each for the first that asks, and ends them with the run. */
export interface ServerHost {
  /** Where test files, which run in processes of their own, ask for a server. */
  readonly url: string
  /** Stops all. @throws Error, with what it printed, where one has ended before, or does not stop by itself and well */
  close(): Promise<void>
}

/** Opens the host of this run: by its global set-up, as it outlives every test file. */
export async function openServerHost(): Promise<ServerHost> {
  const servers = new Map<string, Promise<TestServer>>()

  async function answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const { mode, environment } = (await json(request)) as SharedServerRequest
    const key = JSON.stringify([mode, Object.entries(environment).sort()])
    const starting = servers.get(key) ?? startTestServer(environment, mode)
    servers.set(key, starting)
    const { url, adminKey } = await starting
    response.end(JSON.stringify({ url, adminKey } satisfies SharedServerAnswer))
  }

  const http = createServer((request, response) => {
    // A connection kept alive is closed when idle, just as the next file may be about to ask on it.
    response.setHeader('connection', 'close')
    answer(request, response).catch((error: unknown) => response.writeHead(500).end(String(error)))
  })
  http.listen(0, '127.0.0.1')
  await once(http, 'listening')
  return {
    url: `http://127.0.0.1:${(http.address() as AddressInfo).port}`,
    async close() {
      http.close()
      http.closeAllConnections()
      await stopAll([...servers.values()])
    },
  }
}

async function stopAll(starting: readonly Promise<TestServer>[]): Promise<void> {
  const started = (await Promise.allSettled(starting)).flatMap((outcome) =>
    // One that did not start has failed the files that asked for it.
    outcome.status === 'fulfilled' ? [outcome.value] : [],
  )
  const stopped = await Promise.allSettled(started.map(stop))
  const failures = stopped.flatMap((outcome) =>
    outcome.status === 'rejected' ? [String(outcome.reason)] : [],
  )
  if (failures.length > 0) throw new Error(`A server that test files shared:\n${failures.join('\n')}`)
}

async function stop(server: TestServer): Promise<void> {
  const early = server.pids().length - server.running()
  await server.stop()
  if (early > 0) throw new Error(`${early} of its processes ended before the run did:\n${server.output()}`)
}
