import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
import express, { type Response } from 'express'
import { departureSignal } from '../../platform/departure.ts'
import { type AnswerRecorder, detachedResponse } from './detached-response.ts'

/** Runs `write` on a detached response of a real request and gives what was recorded. */
let record: (write: (response: Response) => void) => Promise<string[]>
let close: () => Promise<void>
beforeAll(async () => {
  let pending: (response: Response) => void = () => undefined
  let recorded: string[] = []
  const recorder: AnswerRecorder = {
    head: ({ status, headers }) => recorded.push(`head ${status} ${JSON.stringify(headers)}`),
    write: (bytes) => recorded.push(`write ${bytes}`),
    end: (bytes, status) => recorded.push(`end ${status} ${bytes}`),
    whole: ({ status, headers }, bytes) =>
      recorded.push(`whole ${status} ${JSON.stringify(headers)} ${bytes}`),
  }
  const app = express()
  app.disable('x-powered-by')
  app.set('etag', false)
  app.get('/', (request, response) => {
    response.setHeader('X-Request-Id', 'req_original')
    pending(detachedResponse(request, response, recorder))
    response.end()
  })
  const server = createServer(app).listen(0, '127.0.0.1')
  await new Promise((resolve) => server.once('listening', resolve))
  const { port } = server.address() as AddressInfo
  record = async (write) => {
    recorded = []
    pending = write
    await fetch(`http://127.0.0.1:${port}/`)
    await new Promise((resolve) => setImmediate(resolve))
    return recorded
  }
  close = () => new Promise((resolve) => server.close(() => resolve()))
})
afterAll(() => close())

describe('a detached response', () => {
  it('takes down an answer in one piece with its length, as a connection would get it', async () => {
    expect(await record((response) => response.status(201).setHeader('Location', '/x').end('é'))).toEqual([
      'whole 201 [["location","/x"],["content-length","2"]] é',
    ])
  })

  it('speaks Express', async () => {
    expect(await record((response) => response.status(404).json({ error: null }))).toEqual([
      'whole 404 [["content-type","application/json; charset=utf-8"],["content-length","14"]] {"error":null}',
    ])
  })

  it('gives an answer without a body no length', async () => {
    expect(await record((response) => response.status(204).end())).toEqual(['whole 204 [] '])
  })

  it('takes down a stream as it comes, without the headers that are a connection’s own', async () => {
    const recorded = await record((response) => {
      response.writeHead(200, { 'Content-Type': 'text/event-stream', Connection: 'keep-alive' })
      response.write('data: 1\n\n')
      response.end('data: [DONE]\n\n')
      response.write('too late')
    })
    expect(recorded).toEqual([
      'head 200 [["content-type","text/event-stream"]]',
      'write data: 1\n\n',
      'end 200 data: [DONE]\n\n',
    ])
  })

  it('has the id of its request, for errors to name', async () => {
    expect(await record((response) => response.end(response.getHeader('x-request-id')))).toEqual([
      'whole 200 [["content-length","12"]] req_original',
    ])
  })

  it('aborts whoever works for it when it is destroyed, and not when it has ended', async () => {
    const signals: AbortSignal[] = []
    const recorded = await record((response) => {
      signals.push(departureSignal(response))
      response.destroy()
      response.end('nobody is there')
    })
    await record((response) => {
      signals.push(departureSignal(response))
      response.end()
    })
    await new Promise((resolve) => setImmediate(resolve))
    expect(recorded).toEqual([])
    expect(signals.map(({ aborted }) => aborted)).toEqual([true, false])
  })
})
