import type { Dispatcher } from 'undici'
import type { Target } from './targets/target.ts'

/** One answer, read whole. */
export interface Exchange {
  readonly text: string
  /** Milliseconds from the call to the first byte of the body. */
  readonly firstByteMs: number
  readonly totalMs: number
}

/** Posts a chat completion and reads the answer whole. @throws Error on any status but 200 */
export function exchange(client: Dispatcher, target: Target, body: string): Promise<Exchange> {
  return new Promise((resolve, reject) => {
    const started = performance.now()
    const parts: Buffer[] = []
    let status = 0
    let firstByteMs = Number.NaN
    client.dispatch(completionRequest(target, body), {
      onRequestStart() {},
      onResponseStart(_, statusCode) {
        status = statusCode
      },
      onResponseData(_, part) {
        if (parts.length === 0) firstByteMs = performance.now() - started
        parts.push(part)
      },
      onResponseEnd() {
        const text = Buffer.concat(parts).toString()
        if (status === 200) resolve({ text, firstByteMs, totalMs: performance.now() - started })
        else reject(new Error(`${target.name} answered ${status}: ${text.slice(0, 500)}`))
      },
      onResponseError: (_, error) => reject(error),
    })
  })
}

/** Posts a streamed chat completion and leaves at its first byte. */
export function leaveAtFirstByte(client: Dispatcher, target: Target, body: string): Promise<void> {
  return new Promise((resolve, reject) => {
    let began = false
    client.dispatch(completionRequest(target, body), {
      onRequestStart() {},
      onResponseStart() {},
      onResponseData(controller) {
        began = true
        controller.abort(new Error('left'))
      },
      onResponseEnd: () => reject(new Error(`${target.name} ended a stream before its client could leave.`)),
      onResponseError: (_, error) => (began ? resolve() : reject(error)),
    })
  })
}

function completionRequest({ url, headers }: Target, body: string): Dispatcher.DispatchOptions {
  const { origin, pathname } = new URL(url)
  return {
    origin,
    path: `${pathname}/chat/completions`,
    method: 'POST',
    headers: { 'content-type': 'application/json', ...headers },
    body,
  }
}
