import { erasureChannel } from '../platform/erasures.ts'
import type { Logger } from '../platform/log.ts'
import type { Notifications } from '../platform/notifications.ts'
import type { BackgroundScope } from '../platform/subgraph.ts'
import { ConfirmErasuresDocument, PendingErasuresDocument } from './operations.generated.ts'
import type { HostedSubgraph } from './subgraph-host.ts'

/** Hints may get lost, and a subgraph may have been away: so often it asks unasked. */
const intervalMs = 60_000

/** Erases, in each subgraph of this process, what is left of accounts that were deleted. */
export interface Erasures {
  /** Looks at once, on every hint, and at intervals. */
  start(): void
  stop(): Promise<void>
}

/** What the erasing needs. */
export interface ErasureOptions {
  readonly hosted: readonly HostedSubgraph[]
  readonly background: BackgroundScope
  readonly notifications: Notifications
  readonly log: Logger
}

export function erasures({ hosted, background, notifications, log }: ErasureOptions): Erasures {
  const owners = hosted.filter(({ instance }) => instance.erase)
  let stopped = false
  let again = false
  let timer: NodeJS.Timeout | undefined
  let running: Promise<void> | undefined
  let unfollow: (() => void) | undefined

  const eraseAll = async () => {
    for (const owner of owners) {
      if (stopped) return
      await eraseIn(owner, background, () => stopped).catch((error: unknown) => {
        if (!stopped) log.warn({ err: error, subgraph: owner.name }, 'erasing failed; trying again')
      })
    }
  }
  const run = async () => {
    do {
      again = false
      await eraseAll()
    } while (again && !stopped)
    running = undefined
  }
  const look = () => {
    again = true
    running ??= run()
  }

  return {
    start() {
      if (owners.length === 0) return
      unfollow = notifications.follow(erasureChannel, look)
      timer = setInterval(look, intervalMs).unref()
      look()
    },
    async stop() {
      stopped = true
      clearInterval(timer)
      unfollow?.()
      await running
    },
  }
}

/** Confirms user by user: what a process has erased before it dies need not be erased again. */
async function eraseIn(
  { name, instance }: HostedSubgraph,
  { graph, context }: BackgroundScope,
  stopped: () => boolean,
): Promise<void> {
  for (;;) {
    const { pendingErasures } = await graph.execute(PendingErasuresDocument, { subgraph: name }, context())
    for (const userId of pendingErasures) {
      if (stopped()) return
      await instance.erase?.(userId)
      await graph.execute(
        ConfirmErasuresDocument,
        { input: { subgraph: name, userIds: [userId] } },
        context(),
      )
    }
    if (pendingErasures.length === 0) return
  }
}
