import type { Actor } from '../../../platform/actor.ts'
import type { Logger } from '../../../platform/log.ts'
import { memoryChannel } from '../../../platform/memory-changes.ts'
import type { Notifications } from '../../../platform/notifications.ts'
import type { BackgroundScope } from '../../../platform/subgraph.ts'
import {
  ClaimUnembeddedMemoriesDocument,
  type ClaimUnembeddedMemoriesMutation,
  StoreMemoryVectorsDocument,
} from '../operations.generated.ts'
import type { EmbedTexts } from './embedding.ts'

/** What the embedder works with. */
export interface EmbedderParts {
  readonly modelId: string
  readonly embed: EmbedTexts
  readonly background: BackgroundScope
  readonly notifications: Pick<Notifications, 'follow'>
  readonly log: Logger
}

type Waiting = ClaimUnembeddedMemoriesMutation['claimUnembeddedMemories'][number]

/** Those that a failing model left are free again after a minute; news may be lost. */
const intervalMs = 60_000
const batchSize = 64
const deadlineMs = 45_000

/**
 * Makes the vectors that memories lack: of new ones as soon as it is told of them, of all where another model is configured.
 * Processes share the work out by claiming.
 */
export class MemoryEmbedder {
  readonly #parts: EmbedderParts
  readonly #stopping = new AbortController()
  #unfollow: () => void = () => undefined
  #timer: NodeJS.Timeout | undefined
  #working: Promise<void> | null = null
  #again = false

  constructor(parts: EmbedderParts) {
    this.#parts = parts
  }

  start(): void {
    this.#unfollow = this.#parts.notifications.follow(memoryChannel, () => this.#wake())
    this.#timer = setInterval(() => this.#wake(), intervalMs).unref()
    this.#wake()
  }

  /** Leaves what is under way to others: its claims run out. */
  async stop(): Promise<void> {
    this.#unfollow()
    clearInterval(this.#timer)
    this.#stopping.abort()
    await this.#working
  }

  #wake(): void {
    if (this.#stopping.signal.aborted) return
    this.#again = true
    this.#working ??= this.#work().finally(() => {
      this.#working = null
    })
  }

  async #work(): Promise<void> {
    try {
      while (this.#again && !this.#stopping.signal.aborted) {
        this.#again = false
        while ((await this.#embedSome()) > 0 && !this.#stopping.signal.aborted);
      }
    } catch (error) {
      if (this.#stopping.signal.aborted) return
      this.#parts.log.warn(
        { err: error },
        'memories without vectors could not be read; trying again in a minute',
      )
    }
  }

  /** How many got a vector. What one person's memories fail with is no matter of the others. */
  async #embedSome(): Promise<number> {
    const { modelId, background } = this.#parts
    const context = { ...background.context(), signal: this.#deadline() }
    const variables = { model: modelId, limit: batchSize }
    const claimed = await context.graph.execute(ClaimUnembeddedMemoriesDocument, variables, context)
    const waiting = claimed.claimUnembeddedMemories
    let embedded = 0
    for (const [ownerId, own] of Map.groupBy(waiting, ({ ownerId }) => ownerId)) {
      try {
        await this.#embed(ownerId, own)
        embedded += own.length
      } catch (error) {
        if (this.#stopping.signal.aborted) throw error
        this.#parts.log.warn({ err: error }, 'memories got no vectors; trying again in a minute')
      }
    }
    return embedded
  }

  async #embed(ownerId: string, waiting: readonly Waiting[]): Promise<void> {
    const { modelId, embed, background } = this.#parts
    const context = { ...background.context(), signal: this.#deadline() }
    const made = await embed(
      waiting.map(({ text }) => text),
      { ...context, actor: actorOf(ownerId) },
    )
    const vectors = waiting.map(({ id, revision }, at) => ({ id, revision, vector: made[at] as string }))
    await context.graph.execute(StoreMemoryVectorsDocument, { model: modelId, vectors }, context)
  }

  #deadline(): AbortSignal {
    return AbortSignal.any([this.#stopping.signal, AbortSignal.timeout(deadlineMs)])
  }
}

/** Whose memory it is pays for its vector. */
function actorOf(id: string): Actor {
  return {
    id,
    subject: id,
    method: 'internal',
    roles: ['user'],
    scopes: [],
    username: null,
    email: null,
    featureFlags: [],
    isGuest: false,
    isAdmin: false,
  }
}
