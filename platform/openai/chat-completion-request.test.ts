import { describe, expect, it } from '@jest/globals'
import { AppError } from '../errors.ts'
import { validated } from '../validate.ts'
import { chatCompletionRequest } from './chat-completion-request.ts'

const user = { role: 'user', content: 'Hello' }
const valid = { model: 'm', messages: [user] }

/** The code and the field of the refusal of a body; null where it is accepted. */
function refusal(body: unknown): readonly [string, string | null] | null {
  try {
    validated(chatCompletionRequest, body)
    return null
  } catch (error) {
    if (error instanceof AppError) return [error.code, error.param]
    throw error
  }
}

const withFields = (fields: object) => refusal({ ...valid, ...fields })
const withMessages = (...messages: unknown[]) => refusal({ model: 'm', messages })
const invalid = (param: string) => ['invalid_parameter', param]
const missing = (param: string) => ['missing_parameter', param]

describe('the body of a chat completion', () => {
  it('needs a model and at least one message', () => {
    expect(refusal({ messages: [user] })).toEqual(missing('model'))
    expect(refusal({ model: '', messages: [user] })).toEqual(invalid('model'))
    expect(refusal({ model: 5, messages: [user] })).toEqual(invalid('model'))
    expect(refusal({ model: 'm' })).toEqual(missing('messages'))
    expect(refusal({ model: 'm', messages: [] })).toEqual(invalid('messages'))
    expect(refusal({ model: 'm', messages: 'Hello' })).toEqual(invalid('messages'))
    expect(refusal([])).toEqual(['invalid_parameter', null])
  })

  it('keeps to the documented ranges, their ends included', () => {
    const ranges: [string, number, number, number][] = [
      ['temperature', 0, 2, 0.01],
      ['top_p', 0, 1, 0.01],
      ['presence_penalty', -2, 2, 0.01],
      ['frequency_penalty', -2, 2, 0.01],
      ['n', 1, 128, 1],
      ['top_logprobs', 0, 20, 1],
    ]
    for (const [field, least, most, step] of ranges) {
      expect([field, withFields({ [field]: least })]).toEqual([field, null])
      expect([field, withFields({ [field]: most })]).toEqual([field, null])
      expect(withFields({ [field]: least - step })).toEqual(invalid(field))
      expect(withFields({ [field]: most + step })).toEqual(invalid(field))
      expect(withFields({ [field]: '1' })).toEqual(invalid(field))
    }
  })

  it('takes no fewer than one token as a limit', () => {
    for (const field of ['max_tokens', 'max_completion_tokens']) {
      expect(withFields({ [field]: 1 })).toBeNull()
      for (const wrong of [0, -1, 1.5, '10']) expect(withFields({ [field]: wrong })).toEqual(invalid(field))
    }
  })

  it('takes a text or texts to stop at, and weights of tokens from -100 to 100', () => {
    expect(withFields({ stop: 'END' })).toBeNull()
    expect(withFields({ stop: ['a', 'b'] })).toBeNull()
    expect(withFields({ stop: 5 })).toEqual(invalid('stop'))
    expect(withFields({ stop: ['a', 5] })).toEqual(invalid('stop[1]'))
    expect(withFields({ logit_bias: { 50256: -100 } })).toBeNull()
    expect(withFields({ logit_bias: { 50256: -101 } })).toEqual(invalid('logit_bias.50256'))
  })

  it('takes null for what is left out, and unknown fields as they are', () => {
    const fields = { temperature: null, max_tokens: null, stop: null, tools: null, conversation: null }
    expect(withFields({ ...fields, vendor_field: [1] })).toBeNull()
  })

  it('refuses other types of flags, tools and the conversation', () => {
    expect(withFields({ stream: 'yes' })).toEqual(invalid('stream'))
    expect(withFields({ tools: {} })).toEqual(invalid('tools'))
    expect(withFields({ tools: [{}] })).toEqual(missing('tools[0].type'))
    expect(withFields({ response_format: 'json' })).toEqual(invalid('response_format'))
    expect(withFields({ conversation: 5 })).toEqual(invalid('conversation'))
    expect(withFields({ conversation: { id: 5 } })).toEqual(invalid('conversation.id'))
    expect(withFields({ deep_research: 1 })).toEqual(invalid('deep_research'))
  })
})

describe('a message', () => {
  it('has one of the known roles', () => {
    expect(withMessages({ role: 'wizard', content: 'x' })).toEqual(invalid('messages[0].role'))
    expect(withMessages(user, { content: 'x' })).toEqual(invalid('messages[1].role'))
    expect(withMessages(user, 'Hello')).toEqual(invalid('messages[1]'))
    for (const role of ['system', 'developer', 'user', 'assistant'])
      expect(withMessages({ role, content: 'x' })).toBeNull()
  })

  it('says something, unless an assistant did something instead', () => {
    for (const role of ['system', 'developer', 'user']) {
      expect(withMessages({ role })).toEqual(missing('messages[0].content'))
      expect(withMessages({ role, content: null })).toEqual(invalid('messages[0].content'))
    }
    const calls = [{ id: 'call_1', type: 'function', function: { name: 'f', arguments: '{}' } }]
    expect(withMessages(user, { role: 'assistant', content: null, tool_calls: calls })).toBeNull()
    expect(withMessages(user, { role: 'assistant', tool_calls: calls })).toBeNull()
    expect(withMessages(user, { role: 'assistant', reasoning_content: 'Hm.' })).toBeNull()
    expect(withMessages(user, { role: 'assistant', content: null })).toEqual(invalid('messages[1].content'))
    expect(withMessages(user, { role: 'assistant' })).toEqual(invalid('messages[1].content'))
  })

  it("names the call that a tool's result answers", () => {
    expect(withMessages({ role: 'tool', tool_call_id: 'call_1', content: '42' })).toBeNull()
    expect(withMessages({ role: 'tool', content: '42' })).toEqual(missing('messages[0].tool_call_id'))
    expect(withMessages({ role: 'tool', tool_call_id: 'call_1' })).toEqual(missing('messages[0].content'))
  })

  it('has parts with a type and with what the type needs', () => {
    const parts = (...content: unknown[]) => withMessages(user, user, { role: 'user', content })
    const image = (image_url: unknown) => parts({ type: 'image_url', image_url })
    expect(parts({ text: 'x' })).toEqual(missing('messages[2].content[0].type'))
    expect(parts({ type: 'text', text: 'x' }, { type: 7 })).toEqual(invalid('messages[2].content[1].type'))
    expect(parts({ type: 'text' })).toEqual(missing('messages[2].content[0].text'))
    expect(parts({ type: 'text', text: 5 })).toEqual(invalid('messages[2].content[0].text'))
    expect(image(undefined)).toEqual(missing('messages[2].content[0].image_url'))
    expect(image({})).toEqual(missing('messages[2].content[0].image_url.url'))
    expect(image({ url: 'https://x.test/a.png', detail: 'sharp' })).toEqual(
      invalid('messages[2].content[0].image_url.detail'),
    )
    expect(image({ url: 'https://x.test/a.png', detail: 'low' })).toBeNull()
    expect(parts('Hello')).toEqual(invalid('messages[2].content[0]'))
    expect(withMessages({ role: 'user', content: 5 })).toEqual(invalid('messages[0].content'))
    const others = ['input_text', 'input_audio', 'file', 'image', 'tool_result', 'vendor_part']
    expect(parts(...others.map((type) => ({ type })))).toBeNull()
  })
})
