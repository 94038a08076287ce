const question = { role: 'user', content: 'How do I make lasagna?' }
const model = 'jan-v1-4b'

/** Requests for chat completions to try, for the API's description. */
export const chatExamples = {
  question: { model, messages: [question] },
  stream: { model, messages: [question], stream: true, stream_options: { include_usage: true } },
  conversation: { model, conversation: {}, messages: [question] },
  tools: {
    model: 'jan-v2-30b',
    messages: [{ role: 'user', content: 'Call get_weather for Hanoi.' }],
    tools: [
      {
        type: 'function',
        function: {
          name: 'get_weather',
          description: 'The weather of a city',
          parameters: { type: 'object', properties: { city: { type: 'string' } }, required: ['city'] },
        },
      },
    ],
  },
  image: {
    model: 'jan-v2-30b',
    messages: [
      {
        role: 'user',
        content: [
          { type: 'text', text: 'What is in this picture?' },
          { type: 'image_url', image_url: { url: 'https://example.com/lasagna.png', detail: 'low' } },
        ],
      },
    ],
  },
  structure: {
    model,
    messages: [question],
    response_format: {
      type: 'json_schema',
      json_schema: {
        name: 'recipe',
        schema: {
          type: 'object',
          properties: { name: { type: 'string' }, steps: { type: 'array', items: { type: 'string' } } },
          required: ['name', 'steps'],
        },
      },
    },
  },
} as const
