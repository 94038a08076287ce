import { describe, expect, it } from '@jest/globals'
import { chatChunk } from '../../../platform/testing/fake-provider.ts'
import { ChunkAccumulator } from './chunk-accumulator.ts'
import { estimateMessageTokens, TokenEstimate } from './token-estimate.ts'

const bytes = (chunk: object) => Buffer.from(JSON.stringify(chunk))
const accumulate = (...chunks: object[]) => {
  const accumulator = new ChunkAccumulator()
  for (const chunk of chunks) accumulator.add(bytes(chunk))
  return accumulator
}
const call = (fields: object) => chatChunk({ tool_calls: [fields] })

describe('ChunkAccumulator', () => {
  it('puts text, reasoning and the finish reason together', () => {
    const accumulator = accumulate(
      chatChunk({ role: 'assistant', content: '' }),
      chatChunk({ reasoning_content: 'I ' }),
      chatChunk({ reasoning: 'think.' }),
      chatChunk({ content: 'Hel' }),
      chatChunk({ content: 'lo' }, 'stop'),
      { ...chatChunk({}), choices: [] },
    )
    expect(accumulator.choice(0)).toEqual({
      index: 0,
      message: { role: 'assistant', content: 'Hello', reasoning_content: 'I think.' },
      finish_reason: 'stop',
    })
  })

  it('takes nothing from what is not of the documented form', () => {
    const odd = { ...chatChunk({}), choices: [null, 'text', 7] }
    const oddCalls = chatChunk({ tool_calls: [null, 'call'] })
    expect(accumulate(chatChunk({ content: 'still' }), odd, oddCalls).choice(0)?.message.content).toBe(
      'still',
    )
  })

  it('puts parallel tool calls together, in any order and interleaved', () => {
    const calls = accumulate(
      call({ index: 1, id: 'b', type: 'function', function: { name: 'second', arguments: '' } }),
      call({ index: 0, id: 'a', type: 'function', function: { name: 'first', arguments: '{"x"' } }),
      call({ index: 1, function: { arguments: '{}' } }),
      call({ index: 0, function: { arguments: ':1}' } }),
    ).choice(0)?.message.tool_calls
    expect(calls).toEqual([
      { id: 'b', type: 'function', function: { name: 'second', arguments: '{}' } },
      { id: 'a', type: 'function', function: { name: 'first', arguments: '{"x":1}' } },
    ])
  })

  it('tells calls without an index apart by their ids', () => {
    const calls = accumulate(
      call({ id: 'a', function: { name: 'f', arguments: '{' } }),
      call({ function: { arguments: '}' } }),
      call({ id: 'b', function: { name: 'g', arguments: '[]' } }),
    ).choice(0)?.message.tool_calls
    expect(calls?.map(({ id, function: { name, arguments: text } }) => [id, name, text])).toEqual([
      ['a', 'f', '{}'],
      ['b', 'g', '[]'],
    ])
  })

  it('keeps several choices apart', () => {
    const chunk = (index: number, content: string) => ({
      id: 'c',
      model: 'm',
      choices: [{ index, delta: { content } }],
    })
    const answers = accumulate(chunk(1, 'b'), chunk(0, 'a'), chunk(1, 'B'), chunk(0, 'A'))
    expect(
      [0, 1].map((index) => [answers.choice(index)?.index, answers.choice(index)?.message.content]),
    ).toEqual([
      [0, 'aA'],
      [1, 'bB'],
    ])
  })

  it('leaves a turn without text at null, unfinished', () => {
    expect(accumulate(chatChunk({ role: 'assistant' })).choice(0)).toEqual({
      index: 0,
      message: { role: 'assistant', content: null },
      finish_reason: null,
    })
    const accumulator = new ChunkAccumulator()
    accumulator.add(Buffer.from('not json'))
    expect(accumulator.choice(0)).toBeNull()
  })
})

describe('TokenEstimate', () => {
  const estimate = (...chunks: (object | string)[]) => {
    const tokens = new TokenEstimate()
    for (const chunk of chunks)
      tokens.add(Buffer.from(typeof chunk === 'string' ? chunk : JSON.stringify(chunk)))
    return tokens.tokens
  }

  it('counts a frame with text as at least one token, long text by its length, frames without text not', () => {
    expect(
      estimate(
        chatChunk({ role: 'assistant', content: '' }),
        chatChunk({ content: 'a' }),
        chatChunk({ content: 'b' }),
        chatChunk({}),
      ),
    ).toBe(2)
    expect(estimate(chatChunk({ content: 'x'.repeat(400) }))).toBe(100)
  })

  it('counts reasoning and tool arguments, quoted text and other spacing', () => {
    expect(estimate(chatChunk({ content: '', reasoning_content: 'hm' }))).toBe(1)
    expect(estimate(call({ function: { arguments: '{"city":"Paris"}' } }))).toBe(5)
    expect(estimate('{"choices": [{"delta": {"content": "say \\"content\\":\\"x\\" now"}}]}')).toBe(7)
  })

  it('says which frames produced something', () => {
    const tokens = new TokenEstimate()
    expect(tokens.add(bytes(chatChunk({ role: 'assistant', content: '' })))).toBe(false)
    expect(tokens.add(bytes(chatChunk({ content: 'x' })))).toBe(true)
  })

  it('estimates a prompt by its text and images', () => {
    const messages = [
      { role: 'system', content: 'x'.repeat(40) },
      {
        role: 'user',
        content: [
          { type: 'text', text: 'abcd' },
          { type: 'image_url', image_url: { url: 'data:,' } },
        ],
      },
      null,
    ]
    expect(estimateMessageTokens(messages)).toBe(10 + 1 + 85)
    expect(estimateMessageTokens('no list')).toBe(0)
  })
})
