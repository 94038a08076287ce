import { setTimeout as sleep } from 'node:timers/promises'
import { completionCall } from '../calls.ts'
import { completionBody } from '../completion-body.ts'
import { proxies } from '../contestants.ts'
import type { Figure } from '../figure.ts'
import { heldStreams as hold } from '../held-streams.ts'
import { residentMegabytes } from '../process-usage.ts'

const call = completionCall(completionBody({ model: 'mock-held', chunks: 1000 }))
const settleMs = 2000

/** Streams that have had their first token and wait for the next. Memory is what the process grew by. */
export const heldStreams: Figure = {
  name: 'held-streams',
  title: 'Streams held open in one process',
  columns: [
    { label: 'streams', digits: 0, against: 'nothing', reach: { atLeast: 5000 } },
    { label: 'KB each', digits: 0, against: 'nothing', reach: { atMost: 100 } },
  ],
  baseline: 'bare proxy',
  once: true,
  contestants: proxies(async (target, { quick }) => {
    const before = residentMegabytes(target.pid)
    const held = await hold(target, call, quick ? 1000 : 5000)
    await sleep(settleMs)
    const grown = residentMegabytes(target.pid) - before
    await held.leave()
    return [held.open, (grown * 1024) / held.open]
  }),
}
