import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, describe, expect, it } from '@jest/globals'
import fc from 'fast-check'
import * as cl100k from 'gpt-tokenizer/encoding/cl100k_base'
import * as o200k from 'gpt-tokenizer/encoding/o200k_base'
import { createLogger } from '../../../platform/log.ts'
import { countTokens, fitTexts } from './byte-pairs.ts'
import { encodingOf } from './encodings.ts'
import { byteCounter } from './token-counter.ts'
import { Tokenizer } from './tokenizer.ts'

const log = createLogger({ level: 'silent', format: 'json' })
const never = byteCounter(Number.NaN)
const plain = { disallowedSpecial: new Set<string>() }

describe('the encoding of a model', () => {
  it.each([
    ['gpt-4o-mini', null, 'o200k_base'],
    ['openai/gpt-4.1', 'GPT', 'o200k_base'],
    ['o3-mini', undefined, 'o200k_base'],
    ['gpt-5.2', '', 'o200k_base'],
    ['openai/gpt-oss-20b', undefined, 'o200k_base'],
    ['gpt-4-turbo', undefined, 'cl100k_base'],
    ['gpt-3.5-turbo', 'GPT', 'cl100k_base'],
    ['llama-3', 'Llama3', null],
    ['gpt-4o', 'Qwen', null],
    ['some-finetune', 'o200k_base', 'o200k_base'],
    ['olmo-2', undefined, null],
  ])('of %s with tokenizer %s is %s', (id, tokenizer, encoding) => {
    expect(encodingOf(id, tokenizer)).toBe(encoding)
  })
})

describe('counting in an encoding', () => {
  const texts = fc.array(fc.string({ unit: 'grapheme', maxLength: 200 }), { maxLength: 5 })

  it('counts as the encoding does, until there are enough', () => {
    fc.assert(
      fc.property(texts, (texts) => {
        expect(countTokens(o200k, texts, 1e9)).toEqual(texts.map((text) => o200k.countTokens(text, plain)))
      }),
    )
    expect(countTokens(cl100k, ['one two', 'three', 'four'], 2)).toEqual([2, Infinity, Infinity])
  })

  it('fits what has so many tokens, and no character in half', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'grapheme', maxLength: 200 }), fc.nat(50), (text, tokens) => {
        const [length = 0] = fitTexts(o200k, [{ text, tokens }])
        const fitting = text.slice(0, length)
        expect(fitting.isWellFormed()).toBe(true)
        if (o200k.countTokens(text, plain) <= tokens) expect(fitting).toBe(text)
        else expect(fitting.length).toBeLessThan(text.length)
      }),
    )
    expect(fitTexts(o200k, [{ text: 'one two three', tokens: 2 }])).toEqual(['one two'.length])
  })

  it('takes special tokens for text', () => {
    expect(countTokens(o200k, ['<|endoftext|>'], 100)[0]).toBeGreaterThan(1)
  })

  it('ends where nobody waits any more, in the middle of a text', () => {
    const text = '的一是不了人我在有他'.repeat(10_000)
    for (const count of [
      countTokens.bind(null, o200k, [text], 1e9),
      fitTexts.bind(null, o200k, [{ text, tokens: 1e9 }]),
    ]) {
      let pieces = 0
      const whileAwaited = () => {
        pieces += 1
        if (pieces > 3) throw new Error('too late')
      }
      expect(() => count(whileAwaited)).toThrow('too late')
      expect(pieces).toBe(4)
    }
  })

  it('comes to an end with texts of one letter, a megabyte long', () => {
    const text = 'a'.repeat(1_000_000)
    expect(countTokens(o200k, [text], 1e9)[0]).toBeLessThan(text.length)
    expect(fitTexts(o200k, [{ text, tokens: 100 }])[0]).toBeLessThan(20_000)
  })
})

describe('the tokenizer', () => {
  const tokenizer = new Tokenizer(log)
  afterAll(() => tokenizer.close())

  it('counts in a thread of its own, which is there only while it is needed', async () => {
    const short = new Tokenizer(log, { patienceMs: 60_000, idleMs: 50 })
    expect(short.isLoaded).toBe(false)
    const counter = short.counter('o200k_base', never)
    expect(await counter.count(['one two', 'x'], 100)).toEqual([2, 1])
    expect(await counter.fit([{ text: 'one two three', tokens: 2 }])).toEqual([7])
    expect(short.isLoaded).toBe(true)
    while (short.isLoaded) await sleep(20)
    expect(await counter.count(['one two'], 100)).toEqual([2])
    await short.close()
  })

  it('leaves it to the estimate what it does not answer in time', async () => {
    const hurried = new Tokenizer(log, { patienceMs: 0, idleMs: 1_000 })
    expect(await hurried.counter('cl100k_base', byteCounter(1)).count(['one two'], 100)).toEqual([7])
    await hurried.close()
  })

  it('leaves it to the estimate what waits while it closes, and what is too long', async () => {
    const closing = new Tokenizer(log)
    const counted = closing.counter('o200k_base', byteCounter(1)).count(['one two'], 100)
    await closing.close()
    expect(await counted).toEqual([7])
    const long = 'x'.repeat(9_000_000)
    expect(await closing.counter('o200k_base', byteCounter(1)).count([long], 1e9)).toEqual([long.length])
    expect(closing.isLoaded).toBe(false)
  })
})
