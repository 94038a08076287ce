import { setTimeout as sleep } from 'node:timers/promises'
import type { Contestant, Figure } from '../figure.ts'
import { residentMegabytes } from '../process-usage.ts'
import { startBareProxy } from '../targets/bare-proxy.ts'
import { platformStartedBefore } from '../targets/platform.ts'
import { startPortkey } from '../targets/portkey.ts'
import type { StartTarget, Target } from '../targets/target.ts'

const idleMs = 3000

async function sampleOf(target: Target): Promise<readonly number[]> {
  await sleep(idleMs)
  const resident = residentMegabytes(target.pid)
  await target.stop()
  return [target.readyMs, resident]
}

const samples =
  (start: StartTarget): Contestant['sample'] =>
  async (upstream) =>
    sampleOf(await start(upstream))

/** Every round is the second start of a data folder of its own. */
const samplePlatform: Contestant['sample'] = async (upstream) => {
  const platform = await platformStartedBefore(upstream)
  try {
    return await sampleOf(await platform.start())
  } finally {
    await platform.remove()
  }
}

export const secondStart: Figure = {
  name: 'start',
  title: `From the second start to the first answer, and memory after ${idleMs / 1000} idle seconds`,
  columns: [
    { label: 'ready ms', digits: 0, against: 'nothing', reach: { atMost: 2000 } },
    { label: 'resident MB', digits: 0, against: 'nothing', reach: { atMost: 220 } },
  ],
  baseline: 'bare proxy',
  contestants: [
    { name: 'bare proxy', target: 'direct', sample: samples(startBareProxy) },
    { name: 'portkey', target: 'direct', sample: samples(startPortkey) },
    { name: 'platform', target: 'direct', ours: true, sample: samplePlatform },
  ],
}
