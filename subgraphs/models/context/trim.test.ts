import { describe, expect, it, jest } from '@jest/globals'
import fc from 'fast-check'
import type { JsonObject } from '../providers/index.ts'
import { fixedTokensOf, textBytes } from './message-text.ts'
import { byteCounter, type TokenCounter } from './token-counter.ts'
import { type Prompt, surelyFits, trim } from './trim.ts'

const bytes = byteCounter(1)
const roomy = { tokens: 10_000_000 }
const user = (content: unknown): JsonObject => ({ role: 'user', content })
const assistant = (content: unknown, ...calls: string[]): JsonObject => ({
  role: 'assistant',
  content,
  ...(calls.length === 0 ? {} : { tool_calls: calls.map((id) => call(id, '{}')) }),
})
const call = (id: string, args: string) => ({
  id,
  type: 'function',
  function: { name: 'look', arguments: args },
})
const argumentsOf = ({ tool_calls: calls }: JsonObject = {}) =>
  ((calls ?? []) as ReturnType<typeof call>[]).map(({ function: called }) => called.arguments)
const result = (id: string, content: unknown): JsonObject => ({ role: 'tool', tool_call_id: id, content })
const image = (name: string) => ({ type: 'image_url', image_url: { url: `https://x/${name}` } })
const text = (text: string) => ({ type: 'text', text })
const promptOf = (messages: readonly JsonObject[], tools: readonly JsonObject[] | null = null): Prompt => ({
  messages,
  tools,
  toolBytes: tools ? Buffer.byteLength(JSON.stringify(tools)) : 0,
})
const trimmed = (messages: readonly JsonObject[], tokens = roomy.tokens, counter = bytes) =>
  trim(promptOf(messages), { tokens }, counter)
const textLengths = ({ content }: JsonObject = {}) =>
  (content as { text: string }[]).map(({ text }) => text.length)

describe('texts that are too long', () => {
  const long = 'word '.repeat(10_000)

  it('are shortened in what tools gave back, to 20,000 tokens, and say so', async () => {
    const { messages, trimmed: wasTrimmed } = await trimmed([
      user('q'),
      assistant(null, 'c'),
      result('c', long),
      user('and?'),
    ])
    const short = messages[2]?.content as string
    expect(short).toMatch(/^word [\s\S]*\n\[shortened\]$/)
    expect(Buffer.byteLength(short)).toBeLessThanOrEqual(20_000)
    expect(Buffer.byteLength(short)).toBeGreaterThan(19_990)
    expect(wasTrimmed).toBe(true)
  })

  it('are shortened in what the user said before, to 24,000, and in parts to 6,000; never in what was said last', async () => {
    const { messages } = await trimmed([
      user(long),
      user([text(long), text('short')]),
      assistant([text(long)]),
      user([text(long)]),
    ])
    const [first, second, answer, last] = messages
    expect(Buffer.byteLength(first?.content as string)).toBe(24_000)
    expect(textLengths(second)).toEqual([6_000, 5])
    expect(textLengths(answer)).toEqual([6_000])
    expect(last?.content).toEqual([text(long)])
  })

  it('are left alone in instructions and in what the assistant said', async () => {
    const messages = [
      { role: 'system', content: long },
      { role: 'developer', content: long },
      assistant(long),
      user('q'),
    ]
    expect(await trimmed(messages)).toMatchObject({ messages, trimmed: false })
  })

  it('are shortened in the arguments of calls, which stay JSON: strings are cut, the rest stays', async () => {
    const args = JSON.stringify({ path: '/a', body: long, lines: [1, 2], deep: { note: long } })
    const [, asked] = (await trimmed([user('q'), { role: 'assistant', tool_calls: [call('c', args)] }]))
      .messages
    const short = argumentsOf(asked)[0] ?? ''
    expect(Buffer.byteLength(short)).toBeLessThanOrEqual(2_000)
    expect(JSON.parse(short)).toEqual({
      path: '/a',
      body: expect.stringMatching(/^word .*\[shortened\]$/),
      lines: [1, 2],
      deep: { note: expect.stringMatching(/\[shortened\]$/) },
    })
  })

  it.each([
    ['numbers without end', JSON.stringify(Array.from({ length: 5_000 }, (_, at) => at))],
    ['no JSON', `{"a":"${'x'.repeat(5_000)}`],
    ['nesting without end', '['.repeat(5_000) + ']'.repeat(5_000)],
    ['quotes alone', JSON.stringify({ a: '"'.repeat(5_000) })],
  ])('are shortened in arguments that are %s: their beginning is told as a string', async (_, args) => {
    const [, asked] = (await trimmed([user('q'), { role: 'assistant', tool_calls: [call('c', args)] }]))
      .messages
    const short = argumentsOf(asked)[0] ?? ''
    expect(Buffer.byteLength(short)).toBeLessThanOrEqual(2_000)
    expect(typeof JSON.parse(short)).toBe('object')
  })

  it.each([
    ['elements', JSON.stringify(Array.from({ length: 100_000 }, (_, at) => at))],
    ['keys', JSON.stringify(Object.fromEntries(Array.from({ length: 50_000 }, (_, at) => [`k${at}`, 'v'])))],
    ['texts', JSON.stringify(Array.from({ length: 50_000 }, () => 'a few words'))],
  ])('take no more work for more %s than could stay of them', async (_, args) => {
    const stringify = jest.spyOn(JSON, 'stringify')
    try {
      await trimmed([user('q'), { role: 'assistant', tool_calls: [call('c', args)] }])
      const written = stringify.mock.results.map(({ value }) => String(value).length)
      expect(written.reduce((sum, length) => sum + length, 0)).toBeLessThan(100_000)
    } finally {
      stringify.mockRestore()
    }
  })

  it('are counted only where they have more bytes than tokens', async () => {
    const asked: string[] = []
    const spy: TokenCounter = {
      count: bytes.count,
      fit(wanted) {
        asked.push(...wanted.map(({ text }) => text))
        return bytes.fit(wanted)
      },
    }
    await trimmed([user(long), user('short'), user('q')], roomy.tokens, spy)
    expect(new Set(asked)).toEqual(new Set([long]))
  })

  it('are left alone where they have more bytes, but not more tokens', async () => {
    const messages = [user(long), user('q')]
    const answer = await trimmed(messages, roomy.tokens, byteCounter(1 / 4))
    expect(answer).toMatchObject({ trimmed: false })
    expect(answer.messages).toBe(messages)
  })
})

describe('images', () => {
  const names = (messages: readonly JsonObject[]) =>
    [...JSON.stringify(messages).matchAll(/https:\/\/x\/(\w+)/g)].map(([, name]) => name)

  it('are kept up to 15 of the user and 6 of tools; the oldest go first', async () => {
    const ofUser = Array.from({ length: 17 }, (_, at) => user([text('see'), image(`u${at}`)]))
    const ofTools = [
      assistant(null, 'c'),
      result(
        'c',
        Array.from({ length: 8 }, (_, at) => image(`t${at}`)),
      ),
    ]
    const { messages, trimmed: wasTrimmed } = await trimmed([...ofUser, ...ofTools])
    expect(names(messages)).toEqual([
      ...Array.from({ length: 15 }, (_, at) => `u${at + 2}`),
      ...Array.from({ length: 6 }, (_, at) => `t${at + 2}`),
    ])
    expect(wasTrimmed).toBe(true)
    expect(messages[0]?.content).toEqual([text('see'), text('[an older image was left out]')])
  })

  it('stay where there are no more', async () => {
    const messages = [user(Array.from({ length: 15 }, (_, at) => image(`u${at}`)))]
    expect((await trimmed(messages)).messages).toBe(messages)
  })
})

describe('schemas of tools', () => {
  const tool = (parameters: JsonObject) => ({ type: 'function', function: { name: 'f', parameters } })
  const schemaOf = async (parameters: JsonObject) => {
    const answer = await trim(promptOf([user('q')], [tool(parameters)]), roomy, bytes)
    const [short] = answer.tools as ReturnType<typeof tool>[]
    return { ...answer, schema: short?.function.parameters }
  }
  const described = (count: number) =>
    Object.fromEntries(
      Array.from({ length: count }, (_, at) => [
        at === 0 ? 'description' : `p${at}`,
        { type: 'string', description: 'x'.repeat(100), enum: ['description'] },
      ]),
    )

  it('up to 16 KB stay', async () => {
    expect(await schemaOf({ type: 'object', properties: described(10) })).toMatchObject({ trimmed: false })
  })

  it('lose what explains them, though not properties of that name', async () => {
    const { schema, trimmed: wasTrimmed } = await schemaOf({
      type: 'object',
      properties: described(150),
      required: ['description'],
    })
    const { properties } = schema as { properties: JsonObject }
    expect(wasTrimmed).toBe(true)
    expect(Object.keys(properties)).toHaveLength(150)
    expect(properties.description).toEqual({ type: 'string', enum: ['description'] })
    expect(schema?.required).toEqual(['description'])
  })

  it('lose what is below their first level where that is not enough, and everything where that is not', async () => {
    const deep = {
      type: 'object',
      properties: { a: { enum: ['y'.repeat(20_000)], type: 'string' } },
      required: ['a'],
    }
    expect((await schemaOf(deep)).schema).toEqual({
      type: 'object',
      properties: { a: { type: 'string' } },
      required: ['a'],
    })
    const wide = Object.fromEntries(Array.from({ length: 2_000 }, (_, at) => [`property${at}`, {}]))
    expect((await schemaOf({ properties: wide })).schema).toEqual({ type: 'object' })
  })
})

describe('the oldest messages', () => {
  it('go first; instructions and what the user said last stay wherever they are', async () => {
    const { messages } = await trimmed(
      [
        { role: 'system', content: 's'.repeat(50) },
        user('1'.repeat(100)),
        assistant('2'.repeat(100)),
        { role: 'developer', content: 'd' },
        user('3'.repeat(100)),
        assistant('4'.repeat(100)),
        user('5'.repeat(100)),
      ],
      420,
    )
    expect(messages.map(({ content }) => String(content)[0])).toEqual(['s', 'd', '3', '4', '5'])
  })

  it('do not leave an answer at the beginning: models want a question first', async () => {
    const { messages } = await trimmed(
      [user('1'.repeat(100)), assistant('2'.repeat(10)), user('3'.repeat(10))],
      60,
    )
    expect(messages.map(({ content }) => String(content)[0])).toEqual(['3'])
  })

  it('take the results of tools with the calls', async () => {
    const { messages } = await trimmed(
      [
        user('q'),
        assistant(null, 'a', 'b'),
        result('a', 'x'.repeat(100)),
        result('b', 'y'),
        assistant('done'),
        user('next'),
      ],
      90,
    )
    expect(messages).toEqual([user('next')])
  })

  it('take the calls of the present exchange only when nothing else is left', async () => {
    const exchange = [user('go'), assistant(null, 'a'), result('a', 'seen')]
    const { messages } = await trimmed([user('1'.repeat(100)), assistant('2'), ...exchange], 80)
    expect(messages).toEqual(exchange)
  })

  it('stay where the tokens fit, though the bytes do not', async () => {
    const messages = [user('x'.repeat(1_000)), user('q')]
    const answer = await trimmed(messages, 400, byteCounter(1 / 4))
    expect(answer.messages).toBe(messages)
    expect(answer.trimmed).toBe(false)
  })

  it('make room for the tools too', async () => {
    const tools = [{ type: 'function', function: { name: 'f', description: 'd'.repeat(200) } }]
    const messages = [user('1'.repeat(100)), user('q')]
    expect((await trim(promptOf(messages), { tokens: 200 }, bytes)).trimmed).toBe(false)
    expect((await trim(promptOf(messages, tools), { tokens: 200 }, bytes)).messages).toEqual([user('q')])
  })
})

describe('any conversation', () => {
  const said = fc.oneof(
    fc.string({ unit: 'grapheme', maxLength: 300 }),
    fc.string({ unit: 'grapheme', maxLength: 20 }).map((piece) => `😀${piece}é`.repeat(800)),
  )
  const parts = fc.array(
    fc.oneof(
      said.map(text),
      fc.nat(99).map((at) => image(`i${at}`)),
    ),
    { minLength: 1, maxLength: 5 },
  )
  const content = fc.oneof(said, parts)
  const exchange = fc
    .record({
      args: fc.array(
        fc.oneof(
          fc.json(),
          said.map((a) => JSON.stringify({ a })),
        ),
        { minLength: 1, maxLength: 3 },
      ),
      results: fc.array(content, { minLength: 3, maxLength: 3 }),
    })
    .map(({ args, results }): JsonObject[] => [
      { role: 'assistant', content: null, tool_calls: args.map((arg, at) => call(`call_${at}`, arg)) },
      ...args.map((_, at) => result(`call_${at}`, results[at])),
    ])
  const turn = fc.oneof(
    content.map((one) => [user(one)]),
    content.map((one) => [assistant(one)]),
    said.map((one) => [{ role: 'system', content: one }]),
    exchange,
  )
  const conversation = fc.array(turn, { maxLength: 12 }).map((turns) => turns.flat())
  const limit = fc.integer({ min: 10, max: 60_000 })
  const rate = fc.constantFrom(1, 1 / 2, 1 / 4)

  it('ends within the limit, or with nothing but what is always kept', async () => {
    await fc.assert(
      fc.asyncProperty(conversation, limit, rate, async (messages, tokens, tokensPerByte) => {
        const answer = await trimmed(messages, tokens, byteCounter(tokensPerByte))
        const counted = answer.messages.reduce(
          (sum, message) => sum + Math.ceil(textBytes([message]) * tokensPerByte) + fixedTokensOf(message),
          0,
        )
        const latest = answer.messages.findLast(({ role }) => role === 'user')
        const others = answer.messages.filter((one) => one.role !== 'system' && one !== latest)
        if (others.length > 0) expect(counted).toBeLessThanOrEqual(tokens)
        expect(answer.messages.filter(({ role }) => role === 'system')).toEqual(
          messages.filter(({ role }) => role === 'system'),
        )
        const asked = messages.findLast(({ role }) => role === 'user')
        if (asked) expect(latest?.role).toBe('user')
        if (typeof asked?.content === 'string') expect(latest).toBe(asked)
      }),
    )
  })

  it('never has a result without its call, nor a call without its result', async () => {
    await fc.assert(
      fc.asyncProperty(conversation, limit, async (messages, tokens) => {
        const open = new Set<unknown>()
        for (const message of (await trimmed(messages, tokens)).messages) {
          if (message.role === 'tool') expect(open.delete(message.tool_call_id)).toBe(true)
          else expect(open.size).toBe(0)
          for (const { id } of (message.tool_calls ?? []) as { id: string }[]) open.add(id)
        }
        expect(open.size).toBe(0)
      }),
    )
  })

  it('stays well-formed text, and arguments stay JSON', async () => {
    await fc.assert(
      fc.asyncProperty(conversation, limit, rate, async (messages, tokens, tokensPerByte) => {
        const answer = await trimmed(messages, tokens, byteCounter(tokensPerByte))
        expect(JSON.stringify(answer.messages)).not.toMatch(/\\ud[89a-f]/)
        for (const message of answer.messages) for (const args of argumentsOf(message)) JSON.parse(args)
      }),
    )
  })

  it('is the very same where all of it fits', async () => {
    await fc.assert(
      fc.asyncProperty(conversation, async (messages) => {
        const prompt = promptOf(messages)
        fc.pre(surelyFits(prompt, roomy))
        expect((await trim(prompt, roomy, bytes)).messages).toBe(messages)
      }),
    )
  })
})
