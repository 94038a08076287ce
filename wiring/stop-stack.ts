/** A start that was called off by a signal; nothing is to be said about it. */
export class StartInterrupted extends Error {
  override name = 'StartInterrupted'
}

/** What has been started, to be stopped in the opposite order, whether the start went through or not. */
export interface StopStack {
  /**
   * Remembers how to stop what was just started.
   * @throws StartInterrupted when the start was called off meanwhile
   */
  push(stop: () => Promise<void>): void
  /** Lets the next `push` call the start off. */
  interrupt(): void
  /**
   * Stops everything that was pushed and is not stopped yet, the last first; a failing stop does not spare the rest.
   * @throws the failure when all is done, or an AggregateError of several
   */
  stop(): Promise<void>
}

export function createStopStack(): StopStack {
  const stops: (() => Promise<void>)[] = []
  let interrupted = false
  return {
    push(stop) {
      stops.push(stop)
      if (interrupted) throw new StartInterrupted()
    },
    interrupt() {
      interrupted = true
    },
    async stop() {
      const failures: unknown[] = []
      for (let stop = stops.pop(); stop; stop = stops.pop()) {
        try {
          await stop()
        } catch (error) {
          failures.push(error)
        }
      }
      if (failures.length === 1) throw failures[0]
      if (failures.length > 1) throw new AggregateError(failures, 'Several parts could not be stopped.')
    },
  }
}
