import { freePort } from '../../platform/testing/free-port.ts'
import { startChild } from '../child-process.ts'
import { installedPeer } from '../peers/install.ts'
import type { StartTarget } from './target.ts'

/** Portkey's AI gateway, told by each request's headers which provider stands where. */
export const startPortkey: StartTarget = async (upstream) => {
  const folder = await installedPeer('portkey')
  const port = await freePort()
  const origin = `http://127.0.0.1:${port}`
  const child = await startChild({
    script: `${folder}/node_modules/@portkey-ai/gateway/build/start-server.js`,
    args: [`--port=${port}`, '--headless'],
    env: { TRUSTED_CUSTOM_HOSTS: '127.0.0.1,localhost', NODE_ENV: 'production' },
    readyUrl: origin,
  })
  return {
    ...child,
    origin,
    headers: { 'x-portkey-provider': 'openai', 'x-portkey-custom-host': `${upstream.origin}/v1` },
  }
}
