import type { Dispatcher } from 'undici'
import type { Call } from './calls.ts'
import type { Target } from './targets/target.ts'

/** One answer, read whole. */
export interface Exchange {
  readonly text: string
  /** Milliseconds from the call to the first byte of the body. */
  readonly firstByteMs: number
  readonly totalMs: number
}

/** Posts a call and reads the answer whole. @throws Error on any status but 200 */
export function exchange(client: Dispatcher, target: Target, call: Call): Promise<Exchange> {
  return new Promise((resolve, reject) => {
    const started = performance.now()
    const parts: Buffer[] = []
    let status = 0
    let firstByteMs = Number.NaN
    client.dispatch(post(target, call), {
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
        else reject(new Error(`${call.path} answered ${status}: ${text.slice(0, 500)}`))
      },
      onResponseError: (_, error) => reject(error),
    })
  })
}

/** Posts a call whose answer is a stream and leaves at its first byte. */
export function leaveAtFirstByte(client: Dispatcher, target: Target, call: Call): Promise<void> {
  return new Promise((resolve, reject) => {
    let began = false
    client.dispatch(post(target, call), {
      onRequestStart() {},
      onResponseStart() {},
      onResponseData(controller) {
        began = true
        controller.abort(new Error('left'))
      },
      onResponseEnd: () => reject(new Error('the stream ended before its client could leave')),
      onResponseError: (_, error) => (began ? resolve() : reject(error)),
    })
  })
}

/** A call as undici sends it. */
export function post(target: Target, { path, headers, body }: Call): Dispatcher.DispatchOptions {
  return {
    origin: target.origin,
    path,
    method: 'POST',
    headers: { 'content-type': 'application/json', ...target.headers, ...headers },
    body,
  }
}
