import { setTimeout as sleep } from 'node:timers/promises'
import { describe, expect, it } from '@jest/globals'
import { createLogger } from '../../../platform/log.ts'
import { chatChunk } from '../../../platform/testing/fake-provider.ts'
import { StoredStream } from './stored-stream.ts'
import type { StoredTurn } from './turn.ts'

const conversation = { id: 'conv_0123456789abcdef', title: null }
const log = createLogger({ level: 'silent', format: 'json' })
const outcome = { status: 'COMPLETED', finishReason: 'stop', usage: null } as const
const frame = (content: string) => Buffer.from(JSON.stringify(chatChunk({ content })))
const message = (content: string) => ({ role: 'assistant', content })

/** A turn that keeps a list of what it is told. */
function recordingTurn(checkpoint: () => Promise<void> = async () => undefined) {
  const checkpoints: unknown[] = []
  const finishes: unknown[] = []
  const turn: StoredTurn = {
    begin: async () => conversation,
    checkpoint(so) {
      checkpoints.push(structuredClone(so))
      return checkpoint()
    },
    async finish(how) {
      finishes.push(structuredClone(how))
      return conversation
    },
    append: () => Promise.reject(new Error('A stream is not stored at once.')),
  }
  return { turn, checkpoints, finishes }
}

describe('a stored stream', () => {
  it('is checkpointed with the first frame after the interval, not before', async () => {
    const { turn, checkpoints } = recordingTurn()
    const stream = new StoredStream(turn, conversation, log, { checkpointMs: 60, renewMs: 60_000 })
    stream.add([frame('one ')])
    stream.add([frame('two ')])
    expect(checkpoints).toEqual([])
    await sleep(70)
    stream.add([frame('three')])
    expect(checkpoints).toEqual([message('one two three')])
    await stream.finish(outcome)
  })

  it('is checkpointed at once after 16 KB', async () => {
    const { turn, checkpoints } = recordingTurn()
    const stream = new StoredStream(turn, conversation, log)
    stream.add([frame('x'.repeat(10_000))])
    expect(checkpoints).toHaveLength(0)
    stream.add([frame('x'.repeat(10_000))])
    expect(checkpoints).toHaveLength(1)
    await stream.finish(outcome)
  })

  it('keeps its lease while the provider is silent, and stores what waits with it', async () => {
    const { turn, checkpoints } = recordingTurn()
    const stream = new StoredStream(turn, conversation, log, { checkpointMs: 60_000, renewMs: 30 })
    stream.add([frame('half')])
    await sleep(200)
    expect(checkpoints.length).toBeGreaterThanOrEqual(3)
    expect(checkpoints[0]).toEqual(message('half'))
    expect(new Set(checkpoints.slice(1))).toEqual(new Set([null]))
    await stream.finish(outcome)
  })

  it('is written no more after its end', async () => {
    const { turn, checkpoints, finishes } = recordingTurn()
    const stream = new StoredStream(turn, conversation, log, { checkpointMs: 0, renewMs: 20 })
    await stream.finish(outcome)
    stream.add([frame('late')])
    await sleep(60)
    expect(checkpoints).toEqual([])
    expect(finishes).toHaveLength(1)
  })

  it('ends only after a checkpoint under way, and writes one at a time', async () => {
    const writing = Promise.withResolvers<void>()
    const { turn, checkpoints, finishes } = recordingTurn(() => writing.promise)
    const stream = new StoredStream(turn, conversation, log, { checkpointMs: 0, renewMs: 60_000 })
    stream.add([frame('one ')])
    stream.add([frame('two')])
    const finished = stream.finish(outcome)
    await sleep(20)
    expect([checkpoints, finishes]).toEqual([[message('one ')], []])
    writing.resolve()
    await finished
    expect(finishes).toEqual([{ ...outcome, message: message('one two') }])
  })

  it('stores what a failed checkpoint did not with the next one', async () => {
    let fails = true
    const { turn, checkpoints } = recordingTurn(async () => {
      if (fails) throw new Error('no connection')
    })
    const stream = new StoredStream(turn, conversation, log, { checkpointMs: 60_000, renewMs: 20 })
    stream.add([frame('kept')])
    await sleep(50)
    fails = false
    await sleep(50)
    expect(checkpoints.slice(0, 2)).toEqual([message('kept'), message('kept')])
    expect(checkpoints.at(-1)).toBeNull()
    await stream.finish(outcome)
  })
})
