import { z } from 'zod'
import { flag } from '../../platform/config.ts'

/** Contract 8.11: whether anything is remembered. What is there already can be read, changed and deleted all the same. */
export const memoryConfig = z.object({ MEMORY_ENABLED: flag(false) })

/** The subgraph's settings, parsed. */
export type MemoryConfig = z.output<typeof memoryConfig>
