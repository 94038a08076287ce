import { endWithOneSentence } from './start-failure.ts'
import { createStopStack, StartInterrupted, type StopStack } from './stop-stack.ts'

/**
 * Runs a program until Ctrl-C or SIGTERM, which stop everything in order, also in the middle of the start. A second
 * signal does not wait. A start that fails stops what it had started and ends in one sentence.
 */
export async function runProcess(start: (stack: StopStack) => Promise<void>): Promise<void> {
  const stack = createStopStack()
  const starting = start(stack)
  const ended = starting.catch(() => undefined)
  let stopping = false
  const onSignal = () => {
    if (stopping) process.exit(130)
    stopping = true
    stack.interrupt()
    ended.then(() => stack.stop()).then(() => process.exit(0), reportFailedStop)
  }
  process.on('SIGINT', onSignal)
  process.on('SIGTERM', onSignal)
  try {
    await starting
  } catch (error) {
    if (error instanceof StartInterrupted || stopping) return
    await stack.stop()
    endWithOneSentence(error)
  }
}

function reportFailedStop(error: unknown): never {
  process.stderr.write(`The shutdown failed: ${error instanceof Error ? error.stack : String(error)}\n`)
  process.exit(1)
}
