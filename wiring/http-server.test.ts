import { Agent, createServer, get, type RequestListener } from 'node:http'
import { connect } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import { describe, expect, it } from '@jest/globals'
import { closeServer, listen } from './http-server.ts'

/** How long Node would hold an idle connection: whoever waited for that waited for nothing. */
const keepAliveMs = 5_000
const body = 'x'.repeat(2_000_000)

async function ask(port: number, agent: Agent): Promise<string> {
  return new Promise((resolve, reject) => {
    get({ port, host: '127.0.0.1', agent }, async (response) => {
      try {
        resolve((await response.setEncoding('utf8').toArray()).join(''))
      } catch (error) {
        reject(error)
      }
    }).once('error', reject)
  })
}

async function closeDuring(handler: RequestListener) {
  const server = createServer(handler)
  const port = await listen(server, 0, '127.0.0.1')
  const agent = new Agent({ keepAlive: true })
  const running = ask(port, agent)
  await sleep(100)
  const began = performance.now()
  await closeServer(server)
  const took = performance.now() - began
  const answer = await running
  agent.destroy()
  return { took, answer }
}

describe('closeServer', () => {
  it('ends with the last running request, whose answer arrives whole', async () => {
    const { took, answer } = await closeDuring(async (_request, response) => {
      await sleep(300)
      response.end(body)
    })
    expect(answer === body).toBe(true)
    expect(took).toBeGreaterThan(100)
    expect(took).toBeLessThan(keepAliveMs)
  })

  it('ends with the last running stream, whose headers promised to keep the connection', async () => {
    const { took, answer } = await closeDuring(async (_request, response) => {
      response.writeHead(200, { connection: 'keep-alive' }).write('first ')
      await sleep(300)
      response.end(body)
    })
    expect(answer === `first ${body}`).toBe(true)
    expect(took).toBeLessThan(keepAliveMs)
  })

  it('does not wait for a connection that never asked anything', async () => {
    const server = createServer()
    const socket = connect(await listen(server, 0, '127.0.0.1'), '127.0.0.1')
    socket.on('error', () => undefined)
    await sleep(100)
    const began = performance.now()
    await closeServer(server)
    expect(performance.now() - began).toBeLessThan(keepAliveMs)
    socket.destroy()
  })
})

describe('listen', () => {
  it('leaves no error listener behind', async () => {
    const server = createServer()
    await listen(server, 0, '127.0.0.1')
    expect(server.listenerCount('error')).toBe(0)
    await closeServer(server)
  })
})
