import type { Figure } from '../figure.ts'
import { addedLatency } from './added-latency.ts'
import { exactChunks } from './exact-chunks.ts'
import { federatedQuery } from './federated-query.ts'
import { firstToken } from './first-token.ts'
import { heldStreams } from './held-streams.ts'
import { lists } from './lists.ts'
import { mediaThroughput } from './media-throughput.ts'
import { memorySlope } from './memory-slope.ts'
import { requestsPerSecond } from './requests-per-second.ts'
import { search } from './search.ts'
import { secondStart } from './second-start.ts'
import { seenAborts } from './seen-aborts.ts'
import { storedTurns } from './stored-turns.ts'
import { streamedChunks } from './streamed-chunks.ts'
import { tokenSubscription } from './token-subscription.ts'

/** Everything that is measured, in the order of the report. */
export const figures: readonly Figure[] = [
  requestsPerSecond,
  addedLatency,
  ...streamedChunks,
  firstToken,
  exactChunks,
  seenAborts,
  federatedQuery,
  tokenSubscription,
  storedTurns,
  secondStart,
  heldStreams,
  memorySlope,
  mediaThroughput,
  lists,
  search,
]
