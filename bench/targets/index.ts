import { startBareProxy } from './bare-proxy.ts'
import { startUpstream } from './direct.ts'
import { startFileServer } from './file-server.ts'
import { startFilledPlatform } from './filled-platform.ts'
import { startHive } from './hive.ts'
import { startGatewayInProcess, startGatewayOverHttp } from './own-gateway.ts'
import { startPlatform } from './platform.ts'
import { startPortkey } from './portkey.ts'
import type { StartTarget } from './target.ts'

/** What can be loaded. */
export const targets = {
  direct: startUpstream,
  'bare proxy': startBareProxy,
  portkey: startPortkey,
  platform: startPlatform,
  'filled platform': startFilledPlatform,
  'file server': startFileServer,
  hive: startHive,
  'gateway over http': startGatewayOverHttp,
  'gateway in process': startGatewayInProcess,
} satisfies Record<string, StartTarget>

export type TargetName = keyof typeof targets
