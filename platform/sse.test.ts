import { describe, expect, it } from '@jest/globals'
import { SseFrameTooLarge, SseSplitter } from './sse.ts'

type Frame = [data: string, event: string | null]

function split(
  text: string | Buffer,
  chunkSize = Number.POSITIVE_INFINITY,
): { frames: Frame[]; rest: string | null } {
  const bytes = Buffer.from(text as string)
  const frames: Frame[] = []
  const splitter = new SseSplitter((data, event) => frames.push([data.toString(), event]))
  for (let at = 0; at < bytes.length; at += chunkSize)
    splitter.push(bytes.subarray(at, Math.min(bytes.length, at + chunkSize)))
  return { frames, rest: splitter.end()?.toString() ?? null }
}

const mixed = [
  'data: {"a":"é😀"}\n\n',
  ': a comment\n\n',
  'data:{"no":"space"}\r\n\r\n',
  'event: error\ndata: {"b":1}\n\n',
  '\n\r\n',
  'id: 7\r\nretry: 10\r\ndata: one\r\ndata:\r\ndata: three\r\n\r\n',
  'data\n\ndata:\n\ndatabase: x\n\n',
  ': ping\ndata: after a comment\n\n',
  'data: [DONE]\n\n',
].join('')

const expected: Frame[] = [
  ['{"a":"é😀"}', null],
  ['{"no":"space"}', null],
  ['{"b":1}', 'error'],
  ['one\n\nthree', null],
  ['after a comment', null],
  ['[DONE]', null],
]

describe('SseSplitter', () => {
  it('gives the payload of every frame: LF and CRLF, comments, events, several data lines', () => {
    expect(split(mixed)).toEqual({ frames: expected, rest: null })
  })

  it('gives the same frames wherever the chunks are cut, inside characters and line ends too', () => {
    for (let size = 1; size <= 40; size++)
      expect(split(mixed, size)).toEqual({ frames: expected, rest: null })
  })

  it('gives the same frames for every cut into two chunks of CRLF framing', () => {
    const bytes = Buffer.from('data: 1\r\n\r\ndata: 2\r\n\r\n')
    for (let cut = 0; cut <= bytes.length; cut++) {
      const frames: string[] = []
      const splitter = new SseSplitter((data) => frames.push(data.toString()))
      splitter.push(bytes.subarray(0, cut))
      splitter.push(bytes.subarray(cut))
      expect(frames).toEqual(['1', '2'])
    }
  })

  it('ignores a byte order mark at the start', () => {
    expect(split('\ufeffevent: x\ndata: 1\n\n').frames).toEqual([['1', 'x']])
  })

  it('hands out slices of the chunk, not copies', () => {
    const chunk = Buffer.from('data: {"a":1}\n\n')
    let payload: Buffer | undefined
    new SseSplitter((data) => {
      payload = data
    }).push(chunk)
    expect(payload?.buffer).toBe(chunk.buffer)
    expect(payload?.byteOffset).toBe(chunk.byteOffset + 6)
  })

  it('gives an unterminated last frame at the end', () => {
    expect(split('data: 1\n\ndata: [DONE]')).toEqual({ frames: [['1', null]], rest: '[DONE]' })
    expect(split('data: 1\n\n: ping')).toEqual({ frames: [['1', null]], rest: null })
  })

  it('joins a frame of 10 MB that comes in small chunks without going over it again for each', () => {
    const line = `data: ${'x'.repeat(10_000_000)}\n\n`
    const started = performance.now()
    const { frames } = split(line, 1_000)
    expect(frames[0]?.[0].length).toBe(10_000_000)
    expect(performance.now() - started).toBeLessThan(6_000)
  })

  it('refuses a frame over the bound', () => {
    const splitter = new SseSplitter(() => undefined, { maxFrameBytes: 100 })
    splitter.push(Buffer.from(`data: ${'x'.repeat(80)}`))
    expect(() => splitter.push(Buffer.from('x'.repeat(30)))).toThrow(SseFrameTooLarge)
  })
})
