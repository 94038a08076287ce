import type { Subgraph } from '../platform/subgraph.ts'
import { accounts } from './accounts/index.ts'
import { conversations } from './conversations/index.ts'
import { media } from './media/index.ts'
import { memory } from './memory/index.ts'
import { models } from './models/index.ts'
import { projects } from './projects/index.ts'

/** Every subgraph of the platform. The order is the one of design: each may ask those to its right, never to its left. */
export const subgraphs: readonly Subgraph[] = [models, media, conversations, memory, projects, accounts]
