import type { ChangeKind, ItemChange } from './conversation-change.ts'

/** One event out of two that follow each other. */
export function mergedKind(earlier: ChangeKind | undefined, later: ChangeKind): ChangeKind {
  if (earlier === 'DELETED' || earlier === 'RESYNC') return earlier
  return earlier === 'CREATED' && later === 'UPDATED' ? 'CREATED' : later
}

/** The last word on each of a number of things, in the order in which they first changed. */
export class CoalescedChanges {
  readonly #kinds = new Map<string, ChangeKind>()
  readonly #most: number
  #isLost = false

  /** @param most more than so many are told as one `RESYNC` */
  constructor(most: number) {
    this.#most = most
  }

  add({ kind, id }: ItemChange): void {
    // whoever reads everything anew later finds this too
    if (this.#isLost) return
    if (kind === 'RESYNC' || id === null || (this.#kinds.size >= this.#most && !this.#kinds.has(id))) {
      this.#isLost = true
      this.#kinds.clear()
      return
    }
    this.#kinds.set(id, mergedKind(this.#kinds.get(id), kind))
  }

  /** The next to be told; undefined when there is nothing. */
  take(): ItemChange | undefined {
    if (this.#isLost) {
      this.#isLost = false
      return { kind: 'RESYNC', id: null }
    }
    const [first] = this.#kinds
    if (!first) return undefined
    const [id, kind] = first
    this.#kinds.delete(id)
    return { kind, id }
  }

  takeAll(): ItemChange[] {
    const all: ItemChange[] = []
    for (let change = this.take(); change; change = this.take()) all.push(change)
    return all
  }
}
