import { describe, expect, it } from '@jest/globals'
import { AppError } from '../../../platform/errors.ts'
import { HeldBytes } from './held-bytes.ts'

const one = { concurrency: 1, length: 1, waitMs: 60_000 }
const who = { caller: 'someone', signal: new AbortController().signal }
const failure = (work: Promise<unknown>) =>
  work.then(
    () => null,
    (error: AppError) => error.code,
  )

describe('bytes that are held', () => {
  it('wait until there is room for them, and are refused where too many wait', async () => {
    const held = new HeldBytes({ small: one, large: one })
    const [first, second] = [Promise.withResolvers<string>(), Promise.withResolvers<string>()]
    const begun: string[] = []
    const hold = (name: string, work: Promise<string>) =>
      held.during(9_000_000, who, () => {
        begun.push(name)
        return work
      })
    const [failing, waiting] = [hold('first', first.promise), hold('second', second.promise)]
    expect(await failure(hold('third', first.promise))).toBe('service_unavailable')
    expect(begun).toEqual(['first'])
    first.reject(new AppError('provider_error', 'It failed.'))
    expect(await failure(failing)).toBe('provider_error')
    second.resolve('done')
    expect(await waiting).toBe('done')
    expect(begun).toEqual(['first', 'second'])
  })

  it('do not wait for others of another size, nor where there are none', async () => {
    const held = new HeldBytes({ small: one, large: one })
    const never = new Promise<string>(() => undefined)
    void held.during(9_000_000, who, () => never)
    expect(await held.during(1_000, who, async () => 'small')).toBe('small')
    void held.during(1_000, who, () => never)
    expect(await held.during(0, who, async () => 'none')).toBe('none')
  })
})
