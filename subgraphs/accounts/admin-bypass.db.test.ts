import { describe, expect, it } from '@jest/globals'
import { parse } from 'graphql'
import { startTestGraph } from '../../wiring/test.ts'

interface VerifiedActor {
  isAdmin: boolean
  roles: string[]
}

/** What a fresh guest's token is taken for on a platform with this environment. */
async function guestActor(environment: Record<string, string>): Promise<VerifiedActor> {
  const test = await startTestGraph(environment)
  const run = <Result>(text: string, variables: Record<string, unknown> = {}) =>
    test.graph.trusted.execute<Result, Record<string, unknown>>(parse(text), variables, test.contextFor(null))
  try {
    const { guestLogin } = await run<{ guestLogin: { accessToken: string } }>(
      'mutation { guestLogin { accessToken } }',
    )
    const { verifyCredentials } = await run<{ verifyCredentials: { actor: VerifiedActor } }>(
      'query ($bearer: String!) { verifyCredentials(input: { bearer: $bearer }) { actor { isAdmin roles } } }',
      { bearer: guestLogin.accessToken },
    )
    return verifyCredentials.actor
  } finally {
    await test.stop()
  }
}

describe('the administrators’ gate', () => {
  it('is closed to guests', async () => {
    expect(await guestActor({})).toMatchObject({ isAdmin: false, roles: ['guest'] })
  })

  it('can be opened for development', async () => {
    expect(await guestActor({ ADMIN_BYPASS: 'true' })).toMatchObject({ isAdmin: true, roles: ['guest'] })
  })

  it('can’t be opened in production', async () => {
    await expect(guestActor({ ADMIN_BYPASS: 'true', ENVIRONMENT: 'production' })).rejects.toThrow(
      'ADMIN_BYPASS',
    )
  })
})
