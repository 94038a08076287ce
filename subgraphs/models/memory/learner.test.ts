import { setTimeout as sleep } from 'node:timers/promises'
import { describe, expect, it } from '@jest/globals'
import { createLogger } from '../../../platform/log.ts'
import { type LearnerParts, type Lesson, MemoryLearner } from './learner.ts'

/** A learner whose accounts answer when they are told to. */
function stage() {
  const gate = Promise.withResolvers<void>()
  const settings = { userSettings: { memoryConfig: { enabled: false, observeEnabled: false } } }
  const graph = { execute: () => gate.promise.then(() => settings) }
  const learner = new MemoryLearner({
    background: { context: () => ({ graph }) },
    log: createLogger({ level: 'silent', format: 'json' }),
  } as unknown as LearnerParts)
  return { learner, letGo: () => gate.resolve() }
}

const lessonOf = (id: string) =>
  ({
    transcript: {
      conversationId: 'c',
      projectId: null,
      messages: [{ role: 'user', content: 'I like tea.' }],
    },
    modelId: 'm',
    asker: { actor: { id }, requestId: 'r' },
  }) as unknown as Lesson

describe('learning', () => {
  it('takes so many lessons of one person at once, and then those of others', async () => {
    const { learner, letGo } = stage()
    const taken = Array.from({ length: 30 }, () => learner.add(lessonOf('busy')))
    expect(taken.filter(Boolean)).toHaveLength(20)
    expect(learner.add(lessonOf('other'))).toBe(true)
    letGo()
    while (!learner.add(lessonOf('busy'))) await sleep(1)
    await learner.stop()
  })
})
