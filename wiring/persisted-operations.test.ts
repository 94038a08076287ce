import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
import { ConfigError, platformConfig } from '../platform/config.ts'
import { loadPersistedOperations } from './persisted-operations.ts'

let folder: string
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'jan-persisted-'))
})
afterAll(() => rm(folder, { recursive: true, force: true }))

async function load(text: string) {
  const PERSISTED_OPERATIONS_FILE = join(folder, 'manifest.json')
  await writeFile(PERSISTED_OPERATIONS_FILE, text)
  return loadPersistedOperations(platformConfig.parse({ PERSISTED_OPERATIONS_FILE }))
}

const apollo = (operations: unknown) =>
  JSON.stringify({ format: 'apollo-persisted-query-manifest', version: 1, operations })

describe('the file of persisted operations', () => {
  it.each([
    ["Apollo's manifest", apollo([{ id: 'me', name: 'Me', type: 'query', body: '{ me { id } }' }])],
    ['a map of ids to texts', JSON.stringify({ me: '{ me { id } }' })],
  ])('may be %s', async (_, text) => {
    expect((await load(text))?.texts).toEqual(new Map([['me', '{ me { id } }']]))
  })

  it.each([
    ['no JSON', 'operations:', /is no manifest of operations: .*JSON/],
    ['a list', '[]', /neither Apollo's manifest nor a map/],
    ['a map of other things', '{"me":7}', /neither Apollo's manifest nor a map/],
    [
      'a manifest of another version',
      '{"format":"x","version":2,"operations":[]}',
      /neither Apollo's manifest/,
    ],
    [
      'a broken operation',
      '{"me":"{ me { id } }","mine":"{ me {"}',
      /the operation 'mine' does not parse: Syntax Error/,
    ],
    [
      'a broken operation of a manifest',
      apollo([{ id: 'a1', body: '' }]),
      /the operation 'a1' does not parse/,
    ],
  ])('that holds %s is refused in one sentence', async (_, text, says) => {
    const refusal = await load(text).catch((error: unknown) => error)
    expect(refusal).toBeInstanceOf(ConfigError)
    const { message } = refusal as ConfigError
    expect(message).toMatch(says)
    expect(message.split('\n')).toHaveLength(1)
  })
})
