import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
import { createSignedLinks } from '../platform/object-store/index.ts'
import { startTestServer, type TestServer } from './server.ts'

let server: TestServer
beforeAll(async () => {
  server = await startTestServer({ MEDIA_MAX_BYTES: '1000' })
}, 60_000)
afterAll(() => server.stop())

describe('links to files', () => {
  const link = (method: 'GET' | 'PUT', rootSecret = 'a root secret for tests only') =>
    createSignedLinks({ rootSecret, baseUrl: `${server.url}/v1/files` }).sign({
      method,
      key: 'images/of-a-test.png',
      expires: Math.floor(Date.now() / 1000) + 60,
      contentType: 'image/png',
      size: null,
      filename: null,
    })
  const put = (url: string, body: string) =>
    fetch(url, { method: 'PUT', body, headers: { 'content-type': 'image/png' } })

  it('are served by the platform whose secret they were signed with, through every spelling of the path', async () => {
    expect((await put(link('PUT'), 'some bytes')).status).toBe(200)
    for (const url of [link('GET'), link('GET').replace('/v1/', '/media/v1/')]) {
      const answer = await fetch(url, {
        headers: { range: 'bytes=5-', authorization: 'Bearer of somebody else' },
      })
      expect([answer.status, await answer.text()]).toEqual([206, 'bytes'])
    }
    expect((await fetch(link('GET', 'the secret of another platform'))).status).toBe(403)
  })

  it('take no more than MEDIA_MAX_BYTES', async () => {
    const answer = await put(link('PUT'), 'x'.repeat(1001))
    expect(answer.status).toBe(413)
    expect(await answer.json()).toMatchObject({ error: { code: 'max_size_exceeded' } })
  })

  it('tell other methods which there are', async () => {
    const answer = await fetch(link('GET'), { method: 'DELETE' })
    expect([answer.status, answer.headers.get('allow')]).toEqual([405, 'GET, HEAD, PUT, OPTIONS'])
  })
})
