import { residentMegabytes } from './process-usage.ts'
import { type TargetName, targets } from './targets/index.ts'
import type { Target } from './targets/target.ts'

/** The programs of this run: each is started when a figure first needs it, and stays. */
export interface Lineup {
  /** @throws Error when it can't be installed or started; said once, it is not tried again */
  target(name: TargetName): Promise<Target>
  stop(): Promise<void>
}

/** @param tell prints what was started */
export function createLineup(tell: (line: string) => void): Lineup {
  const started = new Map<TargetName, Promise<Target>>()

  const start = async (name: TargetName): Promise<Target> => {
    const target = await targets[name](name === 'direct' ? none : await lineup.target('direct'))
    tell(
      `  ${name}: ready in ${target.readyMs.toFixed(0)} ms, ${residentMegabytes(target.pid).toFixed(0)} MB`,
    )
    return target
  }

  const lineup: Lineup = {
    target(name) {
      const known = started.get(name) ?? start(name)
      started.set(name, known)
      return known
    },
    async stop() {
      for (const target of [...started.values()].reverse())
        await target.then(
          ({ stop }) => stop(),
          () => undefined,
        )
    },
  }
  return lineup
}

/** The upstream has no upstream. */
const none: Target = { origin: '', headers: {}, pid: 0, readyMs: 0, stop: async () => undefined }
