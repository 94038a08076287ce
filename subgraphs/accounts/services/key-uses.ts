import type { Logger } from '../../../platform/log.ts'
import type { ApiKey } from '../entities.ts'
import type { ApiKeySource } from '../sources/api-keys.ts'

const flushMs = 1_000
/** A key's last use is kept to this precision. */
const precisionMs = 60_000

/** Remembers when API keys were used and writes it in batches: no request waits for it. */
export interface KeyUses {
  note(key: ApiKey): void
  /** Writes what is noted. */
  flush(): Promise<void>
  stop(): Promise<void>
}

export function keyUses(source: ApiKeySource, log: Logger): KeyUses {
  let uses = new Map<string, Date>()
  let timer: NodeJS.Timeout | undefined
  let writing: Promise<void> = Promise.resolve()

  const write = async () => {
    clearTimeout(timer)
    timer = undefined
    if (uses.size === 0) return
    const noted = uses
    uses = new Map()
    try {
      await source.markUsed(noted)
    } catch (error) {
      log.warn({ err: error }, 'the last use of API keys could not be stored')
    }
  }
  const flush = () => {
    writing = writing.then(write)
    return writing
  }

  return {
    note({ id, lastUsedAt }) {
      const now = Date.now()
      if (lastUsedAt && now - lastUsedAt.getTime() < precisionMs) return
      uses.set(id, new Date(now))
      timer ??= setTimeout(flush, flushMs).unref()
    },
    flush,
    stop: flush,
  }
}
