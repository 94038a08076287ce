import { Writable } from 'node:stream'
import { describe, expect, it } from '@jest/globals'
import { createLogger, lazyChild } from './log.ts'

/** A logger, and what it has written as parsed lines. */
function recordingLogger() {
  const lines: Record<string, unknown>[] = []
  const sink = new Writable({
    write(chunk: Buffer, _encoding, done) {
      lines.push(JSON.parse(chunk.toString()))
      done()
    },
  })
  return { log: createLogger({ level: 'info', format: 'json' }, sink), lines }
}

describe('the log', () => {
  it('tells of a failure what it is and where, and nothing that hangs onto it', () => {
    const { log, lines } = recordingLogger()
    const inner = Object.assign(new Error('terminating connection'), {
      code: '57P01',
      client: { password: 'hunter2' },
    })
    log.warn({ err: new Error('a statement failed', { cause: inner }) }, 'trouble')
    expect(lines[0]).toMatchObject({
      err: { message: 'a statement failed', cause: { message: 'terminating connection', code: '57P01' } },
      msg: 'trouble',
    })
    expect(JSON.stringify(lines)).not.toContain('hunter2')
  })

  it('removes credentials and message text wherever they stand', () => {
    const { log, lines } = recordingLogger()
    log.info(
      {
        headers: { authorization: 'Bearer abc' },
        body: { messages: [{ content: 'private words' }] },
        apiKey: 'sk_live_x',
      },
      'odd',
    )
    expect(JSON.stringify(lines)).not.toMatch(/Bearer abc|private words|sk_live_x/)
  })

  it('writes under the bindings of a child that is made late, and of its children', () => {
    const { log, lines } = recordingLogger()
    const child = lazyChild(log, { requestId: 'req_1' })
    child.error('one')
    child.child({ subgraph: 'models' }).warn({ token: 'hunter2' }, 'two')
    child.debug('below the level')
    expect(lines).toMatchObject([
      { requestId: 'req_1', msg: 'one' },
      { requestId: 'req_1', subgraph: 'models', token: '[removed]', msg: 'two' },
    ])
  })
})
