import { describe, expect, it } from '@jest/globals'
import type { ChatMessage } from '../../../platform/openai/chat-message.ts'
import { translateDialects } from './message-dialects.ts'

const said = (content: unknown) => ({ role: 'user', content }) as ChatMessage
const translated = (content: unknown) => translateDialects([said(content)])[0]?.content

describe('translateDialects', () => {
  it("gives the very same list where all is in OpenAI's dialect", () => {
    const messages = [
      said('Hello'),
      said('[not parts]'),
      said([
        { type: 'text', text: 'x' },
        { type: 'input_audio', input_audio: {} },
      ]),
    ]
    expect(translateDialects(messages)).toBe(messages)
  })

  it('makes an image_url of an image, whatever its data is', () => {
    const url = (part: object) => translated([{ type: 'image', ...part }])
    expect(url({ data: 'AAAA', mimeType: 'image/webp' })).toEqual([
      { type: 'image_url', image_url: { url: 'data:image/webp;base64,AAAA' } },
    ])
    expect(url({ data: 'AAAA' })).toEqual([
      { type: 'image_url', image_url: { url: 'data:image/png;base64,AAAA' } },
    ])
    expect(url({ data: 'https://x.test/a.png' })).toEqual([
      { type: 'image_url', image_url: { url: 'https://x.test/a.png' } },
    ])
  })

  it('makes text of input_text and tool_result, objects as JSON', () => {
    expect(translated([{ type: 'input_text', text: 'a' }])).toEqual([{ type: 'text', text: 'a' }])
    expect(translated([{ type: 'input_text', input_text: 'b' }])).toEqual([{ type: 'text', text: 'b' }])
    expect(translated([{ type: 'tool_result', tool_result: 'c' }])).toEqual([{ type: 'text', text: 'c' }])
    expect(translated([{ type: 'tool_result', tool_result: { d: 1 } }])).toEqual([
      { type: 'text', text: '{"d":1}' },
    ])
  })

  it('drops empty parts, and leaves an empty text where nothing is left', () => {
    const kept = { type: 'text', text: 'kept' }
    expect(translated([{ type: 'text', text: '' }, kept, { type: 'tool_result' }])).toEqual([kept])
    expect(translated([{ type: 'text', text: '' }])).toBe('')
  })

  it('reads a text that is a JSON array of parts as those parts, and any other as a text', () => {
    const image = { type: 'image_url', image_url: { url: 'https://x.test/a.png' } }
    expect(translated(JSON.stringify([{ type: 'text', text: 'See' }, image]))).toEqual([
      { type: 'text', text: 'See' },
      image,
    ])
    for (const text of ['[{"a":1}]', '[{broken]', '[{"type":"text"}] and more', '[{"type":1}]'])
      expect(translated(text)).toBe(text)
  })

  it('leaves the other fields of a message alone', () => {
    const message = { ...said([{ type: 'input_text', text: 'a' }]), name: 'Ann', x: 1 } as ChatMessage
    expect(translateDialects([message])).toEqual([
      { role: 'user', name: 'Ann', x: 1, content: [{ type: 'text', text: 'a' }] },
    ])
  })
})
