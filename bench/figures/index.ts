import type { Figure } from '../figure.ts'
import { addedLatency } from './added-latency.ts'
import { firstToken } from './first-token.ts'
import { requestsPerSecond } from './requests-per-second.ts'
import { seenAborts } from './seen-aborts.ts'
import { storedTurns } from './stored-turns.ts'
import { streamedChunks } from './streamed-chunks.ts'

/** Everything that is measured, in the order of the report. */
export const figures: readonly Figure[] = [
  requestsPerSecond,
  addedLatency,
  ...streamedChunks,
  firstToken,
  seenAborts,
  storedTurns,
]
