import { describe, expect, it } from '@jest/globals'
import { withoutSignedUrls } from './signed-urls.ts'

describe('a text that is shared', () => {
  it.each([
    ['https://s3.example/b/k.png?X-Amz-Credential=a&X-Amz-Signature=b', 'https://s3.example/b/k.png'],
    ['https://s3.example/k?a=1&amp;X-Amz-Signature=b', 'https://s3.example/k'],
    ['HTTPS://storage.example/k?x-goog-signature=b#part', 'HTTPS://storage.example/k'],
    ['https://blob.example/k?sv=2024&sig=abc%3D', 'https://blob.example/k'],
    ['https://api.example/files?token=abc', 'https://api.example/files'],
    ['https://cdn.example/a?Expires=1&Signature=x&Key-Pair-Id=y', 'https://cdn.example/a'],
  ])('loses what opens doors: %s', (url, left) => {
    expect(withoutSignedUrls(`![picture](${url}) and "${url}", ${url}\nend`)).toBe(
      `![picture](${left}) and "${left}", ${left}\nend`,
    )
  })

  it.each([
    'https://example.com/search?q=signature&page=2',
    'https://example.com/?design=1&tokens=5',
    'See https://example.com/a?b=c, then go on. Is a token=x in the text?',
    'no address at all',
  ])('keeps everything else: %s', (text) => {
    expect(withoutSignedUrls(text)).toBe(text)
  })

  it('is read in one pass, whatever stands in it', () => {
    const text = 'https://'.repeat(12_500)
    expect(withoutSignedUrls(text)).toBe(text)
  })
})
