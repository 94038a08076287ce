import { describe, expect, it } from '@jest/globals'
import { createModelRewriter, rewriteModel } from './rewrite-model.ts'
import { type FieldEdit, spliceFields } from './splice-fields.ts'

const splice = (json: string, edits: Record<string, FieldEdit>) =>
  spliceFields(Buffer.from(json), edits).toString()

describe('spliceFields', () => {
  it('replaces, adds and removes top-level fields and leaves every other byte', () => {
    const json =
      '{"model":"a", "big": 12345678901234567890, "x": 1.0, "conversation":{"id":"c"}, "stream":false}'
    expect(
      splice(json, {
        model: '"b"',
        stream: 'true',
        stream_options: '{"include_usage":true}',
        conversation: null,
      }),
    ).toBe(
      '{"stream_options":{"include_usage":true},"model":"b","big": 12345678901234567890,"x": 1.0,"stream":true}',
    )
  })

  it('does not touch fields of the same name that are nested or inside strings', () => {
    const json =
      '{"messages":[{"model":"x","content":"\\"model\\":\\"y\\" }]\\\\"}],"tools":{"model":{"model":1}},"model":"old"}'
    expect(splice(json, { model: '"new"' })).toBe(json.replace('"old"', '"new"'))
  })

  it('edits every occurrence of a repeated field, escaped spellings included', () => {
    expect(splice('{"model":"a","\\u006dodel":"b","model":"c"}', { model: '"z"' })).toBe(
      '{"model":"z","\\u006dodel":"z","model":"z"}',
    )
    expect(splice('{"store":1,"stor\\u0065":2}', { store: null })).toBe('{}')
  })

  it('gives the same buffer when nothing changes', () => {
    const json = Buffer.from('{ "model" : "a" }')
    expect(spliceFields(json, { model: '"a"', store: null })).toBe(json)
  })

  it('handles an empty object, white space and scalars of every kind', () => {
    expect(splice(' { } ', { a: '1' })).toBe('{"a":1}')
    expect(splice('\n{\t"a" : null ,"b":-1.5e+3,"c":true,"d":[ ],"e":"" }', { b: '2' })).toBe(
      '{"a" : null,"b":2,"c":true,"d":[ ],"e":""}',
    )
  })

  it('agrees with JSON.parse on random objects', () => {
    let seed = 7
    const random = (n: number) => {
      seed = (seed * 1103515245 + 12345) % 2147483648
      return seed % n
    }
    const value = (depth: number): unknown => {
      const kind = random(depth > 2 ? 4 : 6)
      if (kind === 0) return random(1000) / 7
      if (kind === 1) return ['"', '\\', '}{][,:', 'é😀', 'model', '\\"model\\":'][random(6)]
      if (kind === 2) return [true, false, null][random(3)]
      if (kind === 3) return ''
      if (kind === 4) return Array.from({ length: random(4) }, () => value(depth + 1))
      return Object.fromEntries(
        Array.from({ length: random(4) }, () => [['model', 'a"b', 'c\\'][random(3)], value(depth + 1)]),
      )
    }
    for (let i = 0; i < 300; i++) {
      const object = { first: value(0), model: value(0), last: value(0) }
      const text = Buffer.from(JSON.stringify(object, null, random(3)))
      const result = spliceFields(text, { model: '"m"', last: null, extra: '[1]' })
      expect(JSON.parse(result.toString())).toEqual({ first: object.first, model: 'm', extra: [1] })
    }
  })
})

describe('rewriteModel', () => {
  const chunk = (model: string, content: string) =>
    Buffer.from(
      `{"id":"c1","created":1,"model":"${model}","choices":[{"delta":{"content":${JSON.stringify(content)}}}]}`,
    )

  it('replaces only the top-level model', () => {
    const frame = chunk('gpt-4', '"model":"gpt-4"')
    expect(rewriteModel(frame, 'jan/x').toString()).toBe(chunk('jan/x', '"model":"gpt-4"').toString())
  })

  it('gives the same buffer where the model is equal or absent', () => {
    const frame = chunk('a', 'x')
    expect(rewriteModel(frame, 'a')).toBe(frame)
    const none = Buffer.from('{"usage":{}}')
    expect(rewriteModel(none, 'a')).toBe(none)
  })

  it('rewrites every frame of a stream, whatever changes between them', () => {
    const rewrite = createModelRewriter('public')
    for (const frame of [
      chunk('gpt-4', 'a'),
      chunk('gpt-4', 'b'),
      chunk('gpt-4o', 'c'),
      chunk('gpt-4', 'd'),
    ]) {
      expect(JSON.parse(rewrite(frame).toString())).toEqual({
        ...JSON.parse(frame.toString()),
        model: 'public',
      })
    }
  })

  it('passes the frames of a stream through uncopied where the model is equal', () => {
    const rewrite = createModelRewriter('same')
    for (const frame of [chunk('same', 'a'), chunk('same', 'b')]) expect(rewrite(frame)).toBe(frame)
  })
})
