import { describe, expect, it } from '@jest/globals'
import { addressWindows, namelessWindows } from './gateway-limits.ts'

const namesOf = (path: string) =>
  addressWindows(path)
    .map(({ name }) => name)
    .filter((name) => !name.startsWith('everything'))

describe('a path under the prefix of a service', () => {
  it.each([
    ['/responses/v1/models', ['/responses', '/v1']],
    ['/response/v1/models', ['/responses', '/v1']],
    ['/media/v1/models', ['/media', '/v1']],
    ['/mcp/v1/models', ['/mcp', '/v1']],
    ['/mcp/v1/responses', ['/mcp', '/responses']],
    ['/responses/v1/media/upload', ['/responses', '/media']],
    ['/mcp/v1/mcpx', ['/mcp', '/v1']],
    ['/mcp/v1/share/x', ['/mcp', '/v1/public/shares', '/v1/public/shares hour']],
    ['/mcp/v1/shares/x', ['/mcp', '/v1']],
    ['/mcp/v1/public/shares/x', ['/mcp', '/v1/public/shares', '/v1/public/shares hour']],
  ])('that leads elsewhere draws from the windows of what it leads to as well: %s', (path, names) => {
    expect(namesOf(path)).toEqual(names)
  })

  it.each([
    ['/responses/v1/responses', '/responses'],
    ['/responses/v1/responses/resp_1/cancel', '/responses'],
    ['/response/v1/responses', '/responses'],
    ['/media/v1/media/jan_1', '/media'],
    ['/mcp/v1/mcp', '/mcp'],
    ['/mcp/v1', '/mcp'],
  ])('that leads to that service draws from its window alone: %s', (path, name) => {
    expect(namesOf(path)).toEqual([name])
  })

  it.each([
    ['/v1/media/jan_1', '/media'],
    ['/llm/v1/media/jan_1', '/media'],
    ['/v1/responses/resp_1', '/responses'],
    ['/llm/v1/responses', '/responses'],
    ['/v1/mcp', '/mcp'],
    ['/llm/v1/mcp/tools', '/mcp'],
    ['/llm/v1/realtime/sessions', '/v1/realtime'],
    ['/llm/v1/models', undefined],
    ['/llm/auth/me', undefined],
    ['/llm/v1/mediax', undefined],
  ])('counts parts with a limit of their own alike under every spelling: %s', (path, name) => {
    expect(namesOf(path)).toEqual(name === undefined ? [] : [name])
  })

  it.each(['/llm/v1/public/shares/x', '/llm/v1/share/x'])('has one limit of shares: %s', (path) => {
    expect(addressWindows(path)).toEqual(addressWindows('/v1/public/shares/x'))
  })

  it.each(['/healthz', '/llm/healthz', '/v1/readyz', '/llm/v1/healthz', '/media/healthz'])(
    'never counts liveness: %s',
    (path) => {
      expect(addressWindows(path)).toEqual([])
    },
  )

  it('draws from the very window of the canonical path', () => {
    const [window] = addressWindows('/v1/models').filter(({ name }) => name === '/v1')
    expect(window).toBeDefined()
    expect(addressWindows('/mcp/v1/models')).toContain(window)
  })
})

describe('a request through /llm in which nobody is named', () => {
  it.each(['/v1/models', '/auth/guest-login', '/llm/nothing'])('counts as under /v1: %s', (path) => {
    expect(namelessWindows(path).map(({ name }) => name)).toEqual(['/v1'])
  })

  it.each(['/v1/media/jan_1', '/v1/public/shares/x', '/v1/share/x'])(
    'has counted already where the part has a limit of its own: %s',
    (path) => {
      expect(namelessWindows(path)).toEqual([])
    },
  )
})
