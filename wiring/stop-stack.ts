import type { Logger } from '../platform/log.ts'

/** A start that was called off by a signal; nothing is to be said about it. */
export class StartInterrupted extends Error {
  override name = 'StartInterrupted'
}

/** What the settings say of a stop. */
export interface StopTerms {
  /** How long requests that run may take, in milliseconds. */
  readonly graceMs: number
  /** Is told what is late. */
  readonly log: Logger
}

/** What has been started, to be stopped in the opposite order, whether the start went through or not. */
export interface StopStack {
  /** Null until the settings are read. */
  terms: StopTerms | null
  /** The name of what is being stopped at this moment. */
  readonly waitingFor: string | null
  /**
   * Remembers how to stop what was just started.
   * @param name tells an operator what a stop waits for, as `database pool`
   * @throws StartInterrupted when the start was called off meanwhile
   */
  push(name: string, stop: () => Promise<void>): void
  /** Lets the next `push` call the start off. */
  interrupt(): void
  /**
   * Stops everything that was pushed and is not stopped yet, the last first; a failing stop does not spare the rest. What
   * takes more than a few seconds is named in the log.
   * @throws the failure when all is done, or an AggregateError of several
   */
  stop(): Promise<void>
}

/** Nobody needs to hear of a stop that is shorter. */
const patienceMs = 5_000

export function createStopStack(): StopStack {
  const started: { name: string; stop: () => Promise<void> }[] = []
  let interrupted = false
  let waitingFor: string | null = null
  const tell = () => stack.terms?.log.warn({ waitingFor }, `still waiting for: ${waitingFor}`)
  const stack: StopStack = {
    terms: null,
    get waitingFor() {
      return waitingFor
    },
    push(name, stop) {
      started.push({ name, stop })
      if (interrupted) throw new StartInterrupted()
    },
    interrupt() {
      interrupted = true
    },
    async stop() {
      const failures: unknown[] = []
      for (let last = started.pop(); last; last = started.pop()) {
        waitingFor = last.name
        const late = setTimeout(tell, patienceMs)
        try {
          await last.stop()
        } catch (error) {
          failures.push(error)
        }
        clearTimeout(late)
      }
      waitingFor = null
      if (failures.length === 1) throw failures[0]
      if (failures.length > 1) throw new AggregateError(failures, 'Several parts could not be stopped.')
    },
  }
  return stack
}
