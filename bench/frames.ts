/** When the mock upstream makes its answers: one moment, so that frames are known in advance. */
export const created = 1_700_000_000

/** One frame of a stream, as the mock upstream writes it and as a client must receive it. */
export function frameOf(model: string, choices: readonly object[], figures?: object): string {
  const chunk = { id: 'chatcmpl-bench', object: 'chat.completion.chunk', created, model, choices }
  return `data: ${JSON.stringify(figures ? { ...chunk, usage: figures } : chunk)}\n\n`
}

/** The frame of one token. */
export function tokenFrame(model: string, content: string): string {
  return frameOf(model, [{ index: 0, delta: { content }, finish_reason: null }])
}

/** Milliseconds on a clock that the processes of this machine share. */
export function sharedClock(): number {
  return performance.timeOrigin + performance.now()
}
