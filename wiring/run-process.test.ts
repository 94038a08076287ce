import { execFile } from 'node:child_process'
import { describe, expect, it } from '@jest/globals'

const home = JSON.stringify(new URL('run-process.ts', import.meta.url))

/** Runs a start in a process of its own, which is told to stop as soon as it has begun. */
function runAndStop(start: string): Promise<{ code: unknown; errors: string }> {
  const program = `
    const { runProcess } = await import(${home})
    setInterval(() => undefined, 60_000)
    const never = () => new Promise(() => undefined)
    await runProcess(async (stack) => {
      stack.terms = { graceMs: 200, log: { warn: () => undefined } }
      setImmediate(() => process.kill(process.pid, 'SIGTERM'))
      ${start}
    }, 100)`
  return new Promise((resolve) => {
    execFile(process.execPath, ['--input-type=module', '--eval', program], (error, _output, errors) =>
      resolve({ code: error?.code ?? 0, errors }),
    )
  })
}

describe('a process that is told to stop', () => {
  it('ends well when all of it has stopped', async () => {
    expect(await runAndStop(`stack.push('a lamp', async () => undefined)`)).toEqual({ code: 0, errors: '' })
  })

  it('ends by itself when a part does not stop, and names it', async () => {
    expect(await runAndStop(`stack.push('a lamp', never)`)).toEqual({
      code: 1,
      errors: 'The shutdown took more than 0.3 s: still waiting for: a lamp.\n',
    })
  })

  it('ends by itself when its start does not come to an end', async () => {
    expect(await runAndStop('await never()')).toEqual({
      code: 1,
      errors: 'The shutdown took more than 0.3 s: still waiting for: the end of the start.\n',
    })
  })
})
