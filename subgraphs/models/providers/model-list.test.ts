import { describe, expect, it } from '@jest/globals'
import { readModelList } from './model-list.ts'

const only = (entry: object) => readModelList({ object: 'list', data: [entry] })?.[0]

describe('a model list', () => {
  it('is read in OpenAI shape, as a bare array, and empty', () => {
    expect(readModelList({ data: [{ id: 'a', created: 1, owned_by: 'x' }, { nope: 1 }, null] })).toEqual([
      { id: 'a', created: 1, ownedBy: 'x', capabilities: {} },
    ])
    expect(readModelList([{ id: 'a' }])).toHaveLength(1)
    expect(readModelList({ object: 'list', data: null })).toEqual([])
    for (const other of [{}, { data: 'x' }, 'x', null, 7]) expect(readModelList(other)).toBeNull()
  })

  it('tells the context length by whatever name it has', () => {
    expect(only({ id: 'openrouter', context_length: 10 })?.contextLength).toBe(10)
    expect(only({ id: 'vllm', max_model_len: 20 })?.contextLength).toBe(20)
    expect(only({ id: 'groq', context_window: 30 })?.contextLength).toBe(30)
    expect(only({ id: 'llama.cpp', meta: { n_ctx_train: 40 } })?.contextLength).toBe(40)
    expect(only({ id: 'odd', context_length: '50' })?.contextLength).toBeUndefined()
  })

  it('tells what a model can do where the provider does, and nothing where it does not', () => {
    const openrouter = {
      architecture: { input_modalities: ['text', 'image'] },
      supported_parameters: ['tools', 'reasoning'],
    }
    expect(only({ id: 'a', ...openrouter })?.capabilities).toEqual({
      images: true,
      audio: false,
      video: false,
      tools: true,
      reasoning: true,
    })
    expect(only({ id: 'b', capabilities: { vision: false, function_calling: true } })?.capabilities).toEqual({
      tools: true,
    })
    expect(only({ id: 'c', type: 'vlm' })?.capabilities).toEqual({ images: true })
    expect(only({ id: 'd' })?.capabilities).toEqual({})
  })

  it('marks embedding models by their ids', () => {
    for (const id of [
      'text-embedding-3-small',
      'BAAI/bge-m3',
      'thenlper/gte-large',
      'intfloat/e5-base',
      'nomic-embed-text:latest',
    ]) {
      expect(only({ id })?.capabilities.embeddings).toBe(true)
    }
    for (const id of ['gpt-4o', 'targeted-model', 'llama-3.1-405b', 'phi3e5x'])
      expect(only({ id })?.capabilities.embeddings).toBeUndefined()
  })
})
