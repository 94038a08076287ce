import { describe, expect, it } from '@jest/globals'
import { renderingOf } from './image-rendering.ts'

describe('how images were made', () => {
  it('is told as the provider tells it', () => {
    const said = { background: 'opaque', output_format: 'webp', quality: 'high', size: '1024x1536' }
    expect(renderingOf({ created: 1, data: [], ...said })).toEqual(said)
  })

  it('is left out where a provider says no such thing', () => {
    expect(
      renderingOf({ background: null, output_format: 7, quality: { a: 1 }, size: 'x'.repeat(65) }),
    ).toEqual({})
  })
})
