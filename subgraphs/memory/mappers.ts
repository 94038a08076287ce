import type { MemoryPage } from './services/memories.ts'
import type { RankedMemories, RankedMemory } from './services/recall.ts'
import type { MemoryRow } from './sources/memory-row.ts'

/** What resolvers hand on as a `Memory`. */
export type MemoryModel = MemoryRow

/** What resolvers hand on as a page; its `totalCount` is counted only when asked for. */
export type MemoryConnectionModel = MemoryPage

/** What resolvers hand on as `RankedMemory`. */
export type RankedMemoryModel = RankedMemory

/** What resolvers hand on as `RankedMemories`. */
export type RankedMemoriesModel = RankedMemories
