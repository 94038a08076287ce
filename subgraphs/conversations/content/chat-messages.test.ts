import { describe, expect, it } from '@jest/globals'
import { chatMessages, type HistoryItem } from './chat-messages.ts'

const item = (changes: Partial<HistoryItem>): HistoryItem => ({
  type: 'message',
  role: null,
  content: [],
  callId: null,
  details: {},
  ...changes,
})
const said = (role: string, text: string) => item({ role, content: [{ type: 'input_text', text }] })
const call = (id: string) => ({ id, type: 'function', function: { name: 'f', arguments: '{}' } })
const calling = (...ids: string[]) =>
  item({ role: 'assistant', content: [{ type: 'tool_calls', tool_calls: ids.map(call) }] })
const result = (callId: string, text: string) =>
  item({ role: 'tool', callId, content: [{ type: 'tool_result', text }] })
const mcpCall = (callId: string, details = {}) =>
  item({ type: 'mcp_call', callId, details: { name: 'f', arguments: '{}', ...details } })

describe('the history that a model is told', () => {
  it('takes a result that was reported on the call’s own item', () => {
    const history = [calling('a'), mcpCall('a', { output: { found: 1 } }), said('user', 'next')]
    expect(chatMessages(history, null)).toEqual([
      { role: 'assistant', content: null, tool_calls: [call('a')] },
      { role: 'tool', tool_call_id: 'a', content: '{"found":1}' },
      { role: 'user', content: 'next' },
    ])
  })

  it('leaves out calls that were never answered and results without a call', () => {
    const history = [
      said('user', 'q'),
      calling('a', 'b'),
      mcpCall('a'),
      mcpCall('b'),
      result('b', 'two'),
      result('z', 'lost'),
      said('user', 'next'),
    ]
    expect(chatMessages(history, null)).toEqual([
      { role: 'user', content: 'q' },
      { role: 'assistant', content: null, tool_calls: [call('b')] },
      { role: 'tool', tool_call_id: 'b', content: 'two' },
      { role: 'user', content: 'next' },
    ])
    expect(chatMessages([said('user', 'q'), calling('a'), said('user', 'next')], null)).toEqual([
      { role: 'user', content: 'q' },
      { role: 'user', content: 'next' },
    ])
  })

  it('moves results behind their calls, also where each turn has the same call ids', () => {
    const history = [
      calling('call_0'),
      said('user', 'meanwhile'),
      result('call_0', 'first'),
      calling('call_0'),
      result('call_0', 'second'),
    ]
    expect(chatMessages(history, null).map(({ role, content }) => [role, content])).toEqual([
      ['assistant', null],
      ['tool', 'first'],
      ['user', 'meanwhile'],
      ['assistant', null],
      ['tool', 'second'],
    ])
  })

  it('reads function calls and their outputs as OpenAI’s items have them', () => {
    const history = [
      said('user', 'q'),
      item({ type: 'reasoning', content: [{ type: 'reasoning_text', text: 'hm' }] }),
      item({ type: 'function_call', callId: 'a', details: { name: 'f', arguments: '{}' } }),
      item({ type: 'function_call_output', callId: 'a', details: { output: 'done' } }),
    ]
    expect(chatMessages(history, null)).toEqual([
      { role: 'user', content: 'q' },
      { role: 'assistant', content: null, tool_calls: [call('a')] },
      { role: 'tool', tool_call_id: 'a', content: 'done' },
    ])
  })

  it('says nothing of an answer that never said anything', () => {
    expect(chatMessages([said('user', 'q'), item({ role: 'assistant' })], null)).toEqual([
      { role: 'user', content: 'q' },
    ])
  })
})
