import { once } from 'node:events'
import { createServer, type IncomingMessage, type RequestListener, type Server } from 'node:http'
import { createServer as createTlsServer } from 'node:https'
import type { AddressInfo } from 'node:net'
import { text } from 'node:stream/consumers'
import { getCACertificates, setDefaultCACertificates } from 'node:tls'
import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals'
import { AppError } from '../errors.ts'
import { tlsIdentity } from '../testing/tls-identity.ts'
import { parseAllowedHost } from './allowed-hosts.ts'
import { createGuardedFetch, type GuardedRequest } from './index.ts'
import type { Resolve } from './judged-target.ts'

const servers: Server[] = []
afterEach(async () => {
  for (const server of servers.splice(0)) {
    server.closeAllConnections()
    server.close()
    await once(server, 'close')
  }
})

async function serve(answer: RequestListener, host = '127.0.0.1') {
  return listen(createServer(answer), host)
}

async function listen(server: Server, host: string) {
  servers.push(server)
  let connections = 0
  server.on('connection', () => connections++)
  server.listen(0, host)
  await once(server, 'listening')
  return {
    port: (server.address() as AddressInfo).port,
    get connections() {
      return connections
    },
  }
}

/** `open.test` stands for a host of the internet, which a test does not have: the allow-list names it. */
const openHost = 'open.test'
const local: Resolve = async () => [{ address: '127.0.0.1', family: 4 }]

function guarded({ allowed = [openHost], resolve = local }: { allowed?: string[]; resolve?: Resolve } = {}) {
  const { fetch } = createGuardedFetch({ allowed: allowed.map((entry) => parseAllowedHost(entry)!), resolve })
  return (url: string, request: Partial<GuardedRequest> = {}) =>
    fetch(url, {
      param: 'source.url',
      timeoutMs: 20_000,
      maxBytes: 1024,
      signal: new AbortController().signal,
      ...request,
    })
}

async function failure(promise: Promise<unknown>): Promise<AppError> {
  const error = await promise.then(
    () => new Error('It was fetched.'),
    (reason: unknown) => reason,
  )
  expect(error).toBeInstanceOf(AppError)
  return error as AppError
}

const unreachable = {
  code: 'invalid_parameter',
  message: 'Nothing could be fetched from this URL.',
  param: 'source.url',
}
const refused = {
  ...unreachable,
  cause: expect.objectContaining({ message: expect.stringMatching(/not public/) }),
}
const hello: RequestListener = (_, response) => void response.end('hello')

describe('a URL', () => {
  it('of a host that may be reached is fetched', async () => {
    const { port } = await serve((request, response) => {
      response
        .writeHead(203, { 'x-path': request.url ?? '', 'x-host': request.headers.host ?? '' })
        .end('hello')
    })
    const url = `http://${openHost}:${port}/a%20b?c=d#e`
    const response = await guarded()(url)
    expect(response).toMatchObject({
      url,
      status: 203,
      headers: { 'x-path': '/a%20b?c=d', 'x-host': `${openHost}:${port}` },
    })
    expect(await text(response.body)).toBe('hello')
  })

  it.each([
    '',
    'minio',
    '/path',
    'ftp://open.test/',
    'file:///etc/passwd',
    'data:text/plain,a',
    'http://',
    'gopher://open.test/',
  ])('%j is none that is fetched', async (url) => {
    expect(await failure(guarded()(url))).toMatchObject({
      code: 'invalid_parameter',
      message: 'This should be an http or https URL.',
      param: 'source.url',
    })
  })

  it.each(['http://user@open.test/', 'http://user:password@open.test/', 'http://:password@open.test/'])(
    '%s carries credentials',
    async (url) => {
      const error = await failure(guarded()(url))
      expect(error).toMatchObject({ code: 'invalid_parameter', param: 'source.url' })
      expect(error.message).toMatch(/user name or a password/)
    },
  )
})

describe('a loopback address', () => {
  it.each([
    ...[
      '127.0.0.1',
      '127.0.0.1.',
      '127.1',
      '127.0.1',
      '2130706433',
      '0x7f000001',
      '0x7f.1',
      '0177.0.0.1',
      '017700000001',
    ],
    ...['0', '0.0.0.0', '127.8.8.8', '１２７.0.0.1', '127。0。0。1', '%31%32%37.0.0.1', '①②⑦.0.0.1'],
    ...['[::1]', '[0:0:0:0:0:0:0:1]', '[::]', '[::ffff:127.0.0.1]', '[::ffff:7f00:1]', '[::127.0.0.1]'],
    ...['[64:ff9b::127.0.0.1]', '[2002:7f00:1::]', '[::ffff:0:127.0.0.1]'],
  ])('spelt %s is refused, and nobody connects', async (host) => {
    const server = await serve(hello, '::')
    expect(await failure(guarded()(`http://${host}:${server.port}/`))).toMatchObject(refused)
    expect(server.connections).toBe(0)
  })

  it.each(['localhost', 'localhost.', 'LOCALHOST', 'ⓛocalhost', 'loca\u00adlhost'])(
    'named %s is refused by the system’s own resolver',
    async (host) => {
      const server = await serve(hello, '::')
      const { fetch } = createGuardedFetch({ allowed: [] })
      const request = { param: 'source.url', timeoutMs: 20_000, maxBytes: 9, signal: AbortSignal.any([]) }
      expect(await failure(fetch(`http://${host}:${server.port}/`, request))).toMatchObject(refused)
      expect(server.connections).toBe(0)
    },
  )
})

describe('a name', () => {
  it.each([
    ...[
      '10.0.0.1',
      '172.16.0.1',
      '192.168.0.1',
      '127.0.0.1',
      '169.254.169.254',
      '100.64.0.1',
      '0.0.0.0',
      '224.0.0.1',
    ],
    ...[
      '255.255.255.255',
      '240.0.0.1',
      '::1',
      '::',
      'fe80::1',
      'fd00::1',
      'ff02::1',
      '::ffff:10.0.0.1',
      '64:ff9b::a00:1',
    ],
    ...['2002:a00:1::', '2001:0:a00:1::', 'fe80::1%eth0', 'nonsense'],
  ])('is refused for %s among its addresses', async (address) => {
    for (const addresses of [['8.8.8.8', address], [address, '2606:4700::1111'], [address]]) {
      const resolve: Resolve = async () => addresses.map((address) => ({ address, family: 4 }))
      expect(await failure(guarded({ resolve })('http://name.test/'))).toMatchObject(refused)
    }
  })

  it('that is unknown, has no address, or is not served is told of in the same words as a refused one', async () => {
    const { port } = await serve(hello)
    const [gone] = servers.splice(0)
    gone!.close()
    const nowhere: Resolve = async () => {
      throw new Error('ENOTFOUND')
    }
    const told = [
      await failure(guarded({ resolve: nowhere })('http://name.test/')),
      await failure(guarded({ resolve: async () => [] })('http://name.test/')),
      await failure(guarded()(`http://${openHost}:${port}/`)),
      await failure(guarded()('http://10.0.0.1/')),
    ]
    for (const error of told) {
      expect(error).toMatchObject(unreachable)
      expect(JSON.stringify([error.message, error.extensions])).not.toMatch(/10\.|127|test|E[A-Z]{4}/)
    }
  })

  it('is resolved once: the connection goes to the address that was judged', async () => {
    const judged = await serve((_, response) => void response.end('judged'))
    const inner = await serve(hello, '127.0.0.2')
    let asked = 0
    const resolve: Resolve = async () => [{ address: asked++ === 0 ? '127.0.0.1' : '127.0.0.2', family: 4 }]
    const fetch = guarded({ allowed: ['127.0.0.1'], resolve })
    const response = await fetch(`http://rebound.test:${judged.port}/`)
    expect(await text(response.body)).toBe('judged')
    expect(asked).toBe(1)
    expect(await failure(fetch(`http://rebound.test:${inner.port}/`))).toMatchObject(refused)
    expect(inner.connections).toBe(0)
  })
})

describe('TLS', () => {
  const authorities = getCACertificates('default')
  beforeAll(() => setDefaultCACertificates([...authorities, tlsIdentity.cert]))
  afterAll(() => setDefaultCACertificates(authorities))

  it('verifies the name of the URL, not the address that it is pinned to', async () => {
    const { port } = await listen(createTlsServer(tlsIdentity, hello), '127.0.0.1')
    const fetch = guarded({ allowed: ['127.0.0.1'] })
    for (const host of [tlsIdentity.name, `${tlsIdentity.name}.`]) {
      expect(await text((await fetch(`https://${host}:${port}/`)).body)).toBe('hello')
    }
    for (const host of ['other.test', '127.0.0.1']) {
      const error = await failure(fetch(`https://${host}:${port}/`))
      expect(error).toMatchObject({ ...unreachable, cause: { code: 'ERR_TLS_CERT_ALTNAME_INVALID' } })
    }
  })
})

describe('a redirect', () => {
  const redirectTo = (location: string, status = 302): RequestListener => {
    return (_, response) => void response.writeHead(status, { location }).end('moved')
  }

  it.each([301, 302, 303, 307, 308])('of status %d is followed', async (status) => {
    const { port } = await serve((request, response) => {
      if (request.url === '/there') response.end('hello')
      else redirectTo('/there', status)(request, response as never)
    })
    const response = await guarded()(`http://${openHost}:${port}/`)
    expect(response).toMatchObject({ status: 200, url: `http://${openHost}:${port}/there` })
    expect(await text(response.body)).toBe('hello')
  })

  it.each(['http://10.0.0.1/', '//169.254.169.254/latest/meta-data/', 'http://[::1]/', 'http://2130706433/'])(
    'to %s is refused',
    async (location) => {
      const { port } = await serve(redirectTo(location))
      expect(await failure(guarded()(`http://${openHost}:${port}/`))).toMatchObject(refused)
    },
  )

  it('to a name within is judged by the addresses of that name', async () => {
    const inner = await serve(hello)
    const { port } = await serve(redirectTo(`http://inner.test:${inner.port}/`))
    expect(await failure(guarded()(`http://${openHost}:${port}/`))).toMatchObject(refused)
    expect(inner.connections).toBe(0)
  })

  it.each([
    'ftp://open.test/',
    'file:///etc/passwd',
    'javascript:1',
    'http://user:password@open.test/',
    'http://',
  ])('to %s is not followed', async (location) => {
    const { port } = await serve(redirectTo(location))
    expect(await failure(guarded()(`http://${openHost}:${port}/`))).toMatchObject({
      code: 'invalid_parameter',
      message: 'This URL redirects to one that is not fetched.',
      param: 'source.url',
    })
  })

  it('is followed five times, and no more', async () => {
    const seen: (string | undefined)[] = []
    const { port } = await serve((request, response) => {
      seen.push(request.url)
      const rest = Number(request.url?.slice(1))
      if (rest === 0) response.end('hello')
      else redirectTo(`/${rest - 1}`)(request, response as never)
    })
    expect(await text((await guarded()(`http://${openHost}:${port}/5`)).body)).toBe('hello')
    expect(seen).toEqual(['/5', '/4', '/3', '/2', '/1', '/0'])
    expect(await failure(guarded()(`http://${openHost}:${port}/6`))).toMatchObject({
      code: 'invalid_parameter',
      message: 'This URL redirects more than 5 times.',
    })
    expect(seen.at(-1)).toBe('/1')
  })

  it('in a circle ends', async () => {
    const server = await serve(redirectTo('/'))
    expect((await failure(guarded()(`http://${openHost}:${server.port}/`))).message).toMatch(
      /more than 5 times/,
    )
    expect(server.connections).toBe(6)
  })

  it('of a POST is an answer', async () => {
    const { port } = await serve(async (request, response) => {
      redirectTo(`/${await text(request)}`, 307)(request, response as never)
    })
    const response = await guarded()(`http://${openHost}:${port}/`, { method: 'POST', body: 'sent' })
    expect(response).toMatchObject({ status: 307, headers: { location: '/sent' } })
    expect(await text(response.body)).toBe('moved')
  })

  it('of a HEAD is followed by a HEAD; without a Location it is an answer', async () => {
    const { port } = await serve((request, response) => {
      if (request.url === '/there') response.writeHead(304, { 'x-method': request.method ?? '' }).end()
      else redirectTo('/there')(request, response as never)
    })
    const response = await guarded()(`http://${openHost}:${port}/`, { method: 'HEAD' })
    expect(response).toMatchObject({ status: 304, headers: { 'x-method': 'HEAD' } })
    expect(await text(response.body)).toBe('')
    const bare = await serve((_, response) => void response.writeHead(302).end('moved'))
    expect((await guarded()(`http://${openHost}:${bare.port}/`)).status).toBe(302)
  })

  it('to another origin takes no credentials along, not even on the way back', async () => {
    const seen: IncomingMessage['headers'][] = []
    const ports: number[] = []
    const answer: RequestListener = (request, response) => {
      seen.push(request.headers)
      if (request.url === '/end') response.end()
      else if (request.url === '/back')
        redirectTo(`http://${openHost}:${ports[0]}/end`)(request, response as never)
      else if (request.url === '/away')
        redirectTo(`http://${openHost}:${ports[1]}/back`)(request, response as never)
      else redirectTo('/away')(request, response as never)
    }
    for (let i = 0; i < 2; i++) ports.push((await serve(answer)).port)
    const headers = {
      authorization: 'Bearer a',
      cookie: 'a=b',
      'X-Api-Key': 'k',
      Accept: 'image/png',
      'user-agent': 'jan',
    }
    await guarded()(`http://${openHost}:${ports[0]}/`, { headers })
    const secrets = seen.map((headers) => [headers.authorization, headers.cookie, headers['x-api-key']])
    const none = [undefined, undefined, undefined]
    expect(secrets).toEqual([['Bearer a', 'a=b', 'k'], ['Bearer a', 'a=b', 'k'], none, none])
    expect(seen.map(({ accept }) => accept)).toEqual(Array(4).fill('image/png'))
    expect(seen.map((headers) => headers['user-agent'])).toEqual(Array(4).fill('jan'))
  })
})

describe('the allow-list', () => {
  it('opens an address, a network and a port, and nothing beside it', async () => {
    const { port } = await serve(hello)
    const url = `http://127.0.0.1:${port}/`
    for (const entry of ['127.0.0.1', `127.0.0.1:${port}`, '127.0.0.0/8', '0.0.0.0/0']) {
      expect((await guarded({ allowed: [entry] })(url)).status).toBe(200)
    }
    for (const entry of ['127.0.0.2', `127.0.0.1:${port - 1}`, '10.0.0.0/8', 'localhost', '::/0']) {
      expect(await failure(guarded({ allowed: [entry] })(url))).toMatchObject(refused)
    }
  })

  it('opens a name on one port, in every spelling', async () => {
    const { port } = await serve(hello)
    const fetch = guarded({ allowed: [`minio.test:${port}`] })
    for (const host of ['minio.test', 'MINIO.test.']) {
      expect((await fetch(`http://${host}:${port}/`)).status).toBe(200)
    }
    expect(await failure(fetch(`http://minio.test:${port + 1}/`))).toMatchObject(refused)
    expect(await failure(fetch('http://minio.test/'))).toMatchObject(refused)
  })

  it('does not open what an allowed host redirects to', async () => {
    const inner = await serve(hello)
    const { port } = await serve((_, response) => {
      response.writeHead(302, { location: `http://127.0.0.1:${inner.port}/` }).end()
    })
    expect(await failure(guarded()(`http://${openHost}:${port}/`))).toMatchObject(refused)
    expect(inner.connections).toBe(0)
  })
})

describe('a proxy of the environment', () => {
  it('is not used', async () => {
    const proxy = await serve(hello)
    const { port } = await serve((_, response) => void response.end('directly'))
    const names = ['HTTP_PROXY', 'http_proxy', 'ALL_PROXY']
    for (const name of names) process.env[name] = `http://127.0.0.1:${proxy.port}`
    try {
      expect(await text((await guarded()(`http://${openHost}:${port}/`)).body)).toBe('directly')
    } finally {
      for (const name of names) delete process.env[name]
    }
    expect(proxy.connections).toBe(0)
  })
})
