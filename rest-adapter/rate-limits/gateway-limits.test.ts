import { describe, expect, it } from '@jest/globals'
import { addressWindows } from './gateway-limits.ts'

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
    ['/mcp/v1/responses', ['/mcp', '/v1']],
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

  it('draws from the very window of the canonical path', () => {
    const [window] = addressWindows('/v1/models').filter(({ name }) => name === '/v1')
    expect(window).toBeDefined()
    expect(addressWindows('/mcp/v1/models')).toContain(window)
  })
})
