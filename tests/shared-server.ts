import { serverMode, type TestServer } from './server.ts'
import type { SharedServerAnswer, SharedServerRequest } from './server-host.ts'

/** A running platform that other test files use at the same time. */
export type SharedServer = Pick<TestServer, 'url' | 'adminKey'>

/**
 * The platform for a file that knows it by its URL alone: whoever asks first starts it, and it ends with the run. Such a file
 * makes guests of its own, counts only what is theirs, and leaves what all see (models, prompt templates) as it is. A file
 * that stops a server, reads its output or its database, or changes what is everybody's takes `startTestServer`.
 * @param environment as for `startTestServer`; the fewer different ones there are, the fewer servers
 */
export async function sharedTestServer(environment: Record<string, string> = {}): Promise<SharedServer> {
  const host = process.env.JAN_TEST_SERVER_HOST
  if (!host) throw new Error('JAN_TEST_SERVER_HOST is not set: run this file with jest.')
  const body: SharedServerRequest = { mode: serverMode, environment }
  const answer = await fetch(host, { method: 'POST', body: JSON.stringify(body) })
  if (!answer.ok) throw new Error(await answer.text())
  return (await answer.json()) as SharedServerAnswer
}

/** The one environment of all shared servers on which every feature is on that is off by default. */
export const everyFeature = { CONVERSATION_SHARING_ENABLED: 'true', MEMORY_ENABLED: 'true' }
