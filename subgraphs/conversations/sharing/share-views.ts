import type { Logger } from '../../../platform/log.ts'
import type { PublicShareSource, Views } from './sources/public-shares.ts'

const flushMs = 1_000

/** Counts views of shares and writes them in batches: no reader waits for it. */
export interface ShareViews {
  note(key: string): void
  /** Writes what is noted. */
  flush(): Promise<void>
}

export function shareViews(source: Pick<PublicShareSource, 'addViews'>, log: Logger): ShareViews {
  let noted = new Map<string, Views>()
  let timer: NodeJS.Timeout | undefined
  let writing: Promise<void> = Promise.resolve()

  const add = (key: string, { count, lastAt }: Views) => {
    const before = noted.get(key)
    const latest = before && before.lastAt > lastAt ? before.lastAt : lastAt
    noted.set(key, { count: count + (before?.count ?? 0), lastAt: latest })
    timer ??= setTimeout(flush, flushMs).unref()
  }
  const write = async () => {
    clearTimeout(timer)
    timer = undefined
    if (noted.size === 0) return
    const views = noted
    noted = new Map()
    try {
      await source.addViews(views)
    } catch (error) {
      log.warn({ err: error }, 'views of shares could not be stored; trying again')
      for (const [key, view] of views) add(key, view)
    }
  }
  const flush = () => {
    writing = writing.then(write)
    return writing
  }

  return { note: (key) => add(key, { count: 1, lastAt: new Date() }), flush }
}
