import { describe, expect, it } from '@jest/globals'
import type { Block } from '../content/blocks.ts'
import { sharedBlocks } from './shared-blocks.ts'

const pixel = 'data:image/png;base64,iVBORw0KGgo='

describe('what of an item’s content is shared', () => {
  it('is texts and code, without anything else that their blocks carry', () => {
    const content: Block[] = [
      { type: 'input_text', text: 'Question', owner_id: 'u1' },
      { type: 'output_text', text: 'Answer', annotations: [{ type: 'file_citation', file_id: 'file_1' }] },
      { type: 'tool_result', text: 'Result' },
      { type: 'refusal', text: 'No.' },
      { type: 'code', code: 'let a = 1', language: 'js', path: '/home/ada' },
    ]
    expect(sharedBlocks(content, true)).toEqual([
      { type: 'input_text', text: 'Question' },
      { type: 'output_text', text: 'Answer' },
      { type: 'tool_result', text: 'Result' },
      { type: 'refusal', text: 'No.' },
      { type: 'code', code: 'let a = 1', language: 'js' },
    ])
  })

  it('is nothing of reasoning, calls, files, audio and what nobody knows', () => {
    const types = ['reasoning_text', 'summary_text', 'thinking', 'mcp_call', 'tool_calls', 'function_call']
    const others = ['file', 'input_file', 'audio', 'finish_reason', 'tool_call_id', 'something_new']
    const content = [...types, ...others].map((type) => ({ type, text: 'private', [type]: 'private' }))
    expect(sharedBlocks(content, true)).toEqual([])
    expect(
      sharedBlocks([{ type: 'text', text: '' }, { type: 'code' }, { type: 'text', text: 5 }], true),
    ).toEqual([])
  })

  it('is images only where they are asked for, under one spelling', () => {
    const content: Block[] = [
      { type: 'image', image: { url: pixel, detail: 'high' } },
      { type: 'input_image', image_url: pixel },
      { type: 'image_url', image_url: { url: 'jan_0123456789' } },
      { type: 'image', image: { file_id: 'jan_abc' } },
      { type: 'input_image', file_id: 'jan_def' },
      { type: 'image', image: { url: 'data:image/jpeg;jan_placeholder' } },
    ]
    expect(sharedBlocks(content, false)).toEqual([])
    expect(sharedBlocks(content, true).map(({ image }) => (image as { url: string }).url)).toEqual([
      pixel,
      pixel,
      'jan_0123456789',
      'jan_abc',
      'jan_def',
      'jan_placeholder',
    ])
  })

  it.each([
    'https://bucket.example/x.png?X-Amz-Signature=secret',
    'https://example.com/jan_abc.png',
    'http://127.0.0.1/jan_abc',
    'javascript:alert(1)//jan_abc',
    'data:text/html;base64,PHNjcmlwdD4=',
    'data:image/svg+xml;base64,PHN2Zz4=',
    'data:image/png;base64,abc"onerror="alert(1)',
    'data:image/png;base64,',
    'file-123',
    '',
  ])('is no image that is neither a media id nor the picture itself: %s', (url) => {
    expect(sharedBlocks([{ type: 'image', image: { url } }], true)).toEqual([])
    expect(sharedBlocks([{ type: 'input_image', image_url: url, file_id: 'file-1' }], true)).toEqual([])
  })

  it('takes an image of 20 MB without ado', () => {
    const url = `data:image/png;base64,${'A'.repeat(27_000_000)}`
    expect(sharedBlocks([{ type: 'image', image: { url } }], true)).toHaveLength(1)
  })
})
