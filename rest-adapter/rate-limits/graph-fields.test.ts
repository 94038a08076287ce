import { describe, expect, it } from '@jest/globals'
import type { RequestContext } from '../../platform/context.ts'
import { routes } from '../routes/index.ts'
import type { LimitedRoute } from './caller-draws.ts'
import { graphCharge } from './graph-fields.ts'
import type { RateLimits } from './rate-limits.ts'

/** What a root field is counted as. */
async function countedAs(field: string): Promise<LimitedRoute | undefined> {
  const counted: LimitedRoute[] = []
  const limits = {
    admitFields: async (asked: readonly LimitedRoute[]) => {
      counted.push(...asked)
    },
  } as unknown as RateLimits
  const nobody = { actor: null, client: { ip: '127.0.0.1', userAgent: null } } as RequestContext
  await graphCharge(limits, routes)([field], nobody)
  return counted[0]
}

describe('a root field of the graph', () => {
  it.each([
    ['createMedia', 'post', '/v1/media', 50],
    ['prepareMediaUpload', 'post', '/v1/media/prepare-upload', 50],
    ['deleteMedia', 'post', '/v1/media/bulk-delete', 100],
    ['generateImages', 'post', '/v1/images/generations', 100],
    ['editImages', 'post', '/v1/images/edits', 100],
  ])('%s is counted as its route', async (field, method, path, perMinute) => {
    expect(await countedAs(field)).toMatchObject({ method, path, rate: { perMinute } })
  })

  it('that no route does is counted by itself', async () => {
    expect(await countedAs('completeMediaUpload')).toMatchObject({ path: 'completeMediaUpload' })
  })
})
