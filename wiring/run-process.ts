import { endWithOneSentence } from './start-failure.ts'
import { createStopStack, StartInterrupted, type StopStack } from './stop-stack.ts'

/** What a stop may take beyond the grace of running requests: lessons and titles that have begun end, connections close. */
const usualMarginMs = 15_000

/**
 * Runs a program until Ctrl-C or SIGTERM, which stop everything in order, also in the middle of the start. A second
 * signal does not wait. A start that fails stops what it had started and ends in one sentence. A stop that does not come to
 * its end in time ends the process with a sentence that names what it waited for.
 */
export async function runProcess(
  start: (stack: StopStack) => Promise<void>,
  marginMs = usualMarginMs,
): Promise<void> {
  const stack = createStopStack()
  const starting = start(stack)
  const ended = starting.catch(() => undefined)
  let stopping = false
  const onSignal = () => {
    if (stopping) process.exit(130)
    stopping = true
    stack.interrupt()
    endWhenLate(stack, marginMs)
    ended.then(() => stack.stop()).then(() => process.exit(0), reportFailedStop)
  }
  process.on('SIGINT', onSignal)
  process.on('SIGTERM', onSignal)
  try {
    await starting
  } catch (error) {
    if (error instanceof StartInterrupted || stopping) return
    endWhenLate(stack, marginMs)
    await stack.stop()
    endWithOneSentence(error)
  }
}

function endWhenLate(stack: StopStack, marginMs: number): void {
  const lateMs = (stack.terms?.graceMs ?? 0) + marginMs
  setTimeout(() => {
    const awaited = stack.waitingFor ?? 'the end of the start'
    process.stderr.write(`The shutdown took more than ${lateMs / 1000} s: still waiting for: ${awaited}.\n`)
    process.exit(1)
  }, lateMs)
}

function reportFailedStop(error: unknown): never {
  process.stderr.write(`The shutdown failed: ${error instanceof Error ? error.stack : String(error)}\n`)
  process.exit(1)
}
