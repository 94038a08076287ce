import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
import { parse } from 'yaml'
import { freePort } from '../platform/testing/free-port.ts'
import { type S3Server, startS3Server } from '../platform/testing/s3-server.ts'
import { createTestDatabase, type TestDatabase } from '../platform/testing/test-database.ts'
import { testImage } from '../platform/testing/test-image.ts'
import { type Program, projectRoot, startProgram } from './program.ts'

interface Service {
  readonly image?: string
  readonly build?: { readonly context: string; readonly dockerfile: string }
  readonly command?: readonly string[]
  readonly profiles?: readonly string[]
  readonly environment?: Readonly<Record<string, string>>
  readonly ports?: readonly string[]
  readonly depends_on?: Readonly<Record<string, { readonly condition: string }>>
  readonly healthcheck?: { readonly test: readonly string[] }
  readonly volumes?: readonly string[]
}
interface Compose {
  readonly services: Readonly<Record<string, Service>>
  readonly volumes: Readonly<Record<string, unknown>>
}

const file = readFileSync(join(projectRoot, 'docker-compose.yml'), 'utf8')
const compose = parse(file, { merge: true }) as Compose
const dockerfile = readFileSync(join(projectRoot, 'deploy/Dockerfile'), 'utf8')
const own = Object.entries(compose.services).filter(([, { build }]) => build !== undefined)

/** The keys of the compose specification that a file of this kind may have. */
const topLevelKeys = ['name', 'services', 'volumes', 'networks', 'configs', 'secrets', 'include']
const serviceKeys = [
  ...['image', 'build', 'command', 'entrypoint', 'environment', 'env_file', 'ports', 'expose', 'volumes'],
  ...['depends_on', 'healthcheck', 'profiles', 'restart', 'user', 'working_dir', 'networks', 'deploy'],
  ...['secrets', 'configs', 'labels', 'logging', 'init', 'read_only', 'tmpfs', 'cap_drop', 'security_opt'],
  ...['stop_grace_period', 'stop_signal', 'scale', 'container_name', 'extra_hosts', 'shm_size', 'ulimits'],
]

describe('docker-compose.yml', () => {
  it('has only keys of the compose specification', () => {
    const top = Object.keys(compose).filter((key) => !key.startsWith('x-') && !topLevelKeys.includes(key))
    const inServices = Object.entries(compose.services).flatMap(([name, service]) =>
      Object.keys(service)
        .filter((key) => !serviceKeys.includes(key))
        .map((key) => `${name}.${key}`),
    )
    expect([...top, ...inServices]).toEqual([])
  })

  it('waits for a database that tells its health', () => {
    expect(compose.services.postgres?.healthcheck?.test.join(' ')).toContain('pg_isready')
    for (const [, service] of own)
      expect(service.depends_on).toEqual({
        postgres: { condition: 'service_healthy' },
        objects: { condition: 'service_healthy' },
      })
  })

  it('keeps the database, and files of media, in volumes that it declares', () => {
    const mounts = Object.values(compose.services).flatMap(({ volumes = [] }) => volumes)
    const named = new Set(mounts.map((mount) => mount.split(':')[0] ?? ''))
    expect([...named].sort()).toEqual(Object.keys(compose.volumes).sort())
    const folders = own.map(([, { environment, volumes }]) => [
      volumes,
      environment?.MEDIA_LOCAL_STORAGE_PATH,
    ])
    for (const folder of folders) expect(folder).toEqual([['media:/media'], '/media'])
    expect(dockerfile).toContain('chown node:node /media')
  })

  it('starts a store with the key that the platform has, for this machine alone', () => {
    const { image, ports, environment = {} } = compose.services.objects ?? {}
    expect(image).toMatch(/^chrislusf\/seaweedfs:\d+\.\d+$/)
    expect(ports).toEqual(['127.0.0.1:8333:8333'])
    const told = interpolated(environment, {})
    for (const [, service] of own) {
      expect(interpolated(service.environment ?? {}, { JAN_SECRET: 'x' })).toMatchObject({
        MEDIA_S3_ENDPOINT: 'http://objects:8333',
        MEDIA_S3_PUBLIC_ENDPOINT: 'http://localhost:8333',
        MEDIA_S3_ACCESS_KEY_ID: told.AWS_ACCESS_KEY_ID,
        MEDIA_S3_SECRET_ACCESS_KEY: told.AWS_SECRET_ACCESS_KEY,
        MEDIA_S3_CREATE_BUCKET: 'true',
      })
    }
  })

  it.each([
    ['another store', 'https://s3.example'],
    ['Amazon’s own', ''],
  ])('makes links to %s where the platform is told to use it', (_, endpoint) => {
    const environment = compose.services.platform?.environment ?? {}
    const told = (more = {}) =>
      interpolated(environment, { JAN_SECRET: 'x', MEDIA_S3_ENDPOINT: endpoint, ...more })
    expect(told()).toMatchObject({ MEDIA_S3_ENDPOINT: endpoint, MEDIA_S3_PUBLIC_ENDPOINT: endpoint })
    const outside = { MEDIA_S3_PUBLIC_ENDPOINT: 'https://media.example' }
    expect(told(outside)).toMatchObject({ MEDIA_S3_ENDPOINT: endpoint, ...outside })
  })

  it('publishes one front door in each layout', () => {
    const published = (split: boolean) =>
      layout(split).flatMap(([name, { ports = [] }]) => ports.map((port) => `${name} ${port}`))
    expect(published(false)).toEqual(['platform 8000:8000'])
    expect(published(true)).toEqual(['edge 8000:8000'])
  })

  it('builds an image that exists, of a Node that runs the sources, and starts it as the image does alone', () => {
    for (const [, { build }] of own)
      expect(existsSync(join(projectRoot, build?.dockerfile ?? '-'))).toBe(true)
    expect(dockerfile).toMatch(/^FROM node:24/m)
    expect(dockerfile).toContain(
      `CMD ${JSON.stringify(compose.services.platform?.command).replaceAll(',', ', ')}`,
    )
  })

  it('will not start without a secret', () => {
    const environment = compose.services.platform?.environment ?? {}
    expect(() => interpolated(environment, {})).toThrow(/JAN_SECRET.*openssl rand/)
  })
})

describe.each([
  ['one process', false, 'platform'],
  ['split', true, 'edge'],
])('the %s layout of docker-compose.yml', (_, split, frontDoor) => {
  let database: TestDatabase
  let bucket: S3Server
  let ports: Map<string, number>
  const programs: Program[] = []

  beforeAll(async () => {
    database = await createTestDatabase()
    bucket = await startS3Server({ hasBucket: false })
    const names = layout(split).map(([name]) => name)
    ports = new Map(await Promise.all(names.map(async (name) => [name, await freePort()] as const)))
    for (const [name, { command = [], environment = {} }] of layout(split)) {
      const variables = {
        JAN_SECRET: 'a root secret for tests only',
        LOG_LEVEL: 'warn',
        MEDIA_S3_ENDPOINT: bucket.endpoint,
        MEDIA_S3_PUBLIC_ENDPOINT: bucket.endpoint,
        MEDIA_S3_ACCESS_KEY_ID: bucket.credentials.accessKeyId,
        MEDIA_S3_SECRET_ACCESS_KEY: bucket.credentials.secretAccessKey,
      }
      const env = {
        ...imageEnvironment(),
        ...onThisMachine(interpolated(environment, variables)),
        PORT: portOf(name),
      }
      programs.push(startProgram(command, { env }))
    }
    for (const name of names) await answers(`http://127.0.0.1:${portOf(name)}/readyz`, programs)
  }, 60_000)
  afterAll(async () => {
    for (const program of programs) program.signalGroup('SIGTERM')
    await Promise.all(programs.map(({ ended }) => ended))
    await database?.drop()
    await bucket?.stop()
  })

  const portOf = (name: string) => String(ports.get(name))

  /** The containers' host names and fixed ports, as they are here. */
  function onThisMachine(environment: Readonly<Record<string, string>>): Record<string, string> {
    const entries = Object.entries(environment).map(([name, value]) => {
      if (name === 'DATABASE_URL') return [name, database.url]
      return [
        name,
        value.replace(/http:\/\/(\w+):\d+/g, (url, host) =>
          ports.has(host) ? `http://127.0.0.1:${portOf(host)}` : url,
        ),
      ]
    })
    return Object.fromEntries(entries)
  }

  it('gives each subgraph the port at which the others look for it', () => {
    const urls = Object.values(compose.services).flatMap(
      ({ environment }) => environment?.SUBGRAPH_URLS ?? [],
    )
    const expected = layout(split)
      .filter(([, { ports: published }]) => published === undefined)
      .map(([name, { environment }]) => `${name}=http://${name}:${environment?.PORT}`)
    for (const url of split ? urls : []) expect(url.split(',')).toEqual(expected)
    expect(expected).toHaveLength(split ? 6 : 0)
  })

  it('is healthy', async () => {
    for (const name of ports.keys()) {
      const response = await fetch(`http://127.0.0.1:${portOf(name)}/healthz`)
      expect({ name, status: response.status }).toEqual({ name, status: 200 })
    }
  })

  it('keeps an image in the bucket, which it has made', async () => {
    const origin = `http://127.0.0.1:${portOf(frontDoor)}`
    const login = await fetch(`${origin}/llm/auth/guest-login`, { method: 'POST' })
    const { access_token } = (await login.json()) as { access_token: string }
    const form = new FormData()
    const image = await testImage()
    form.set('file', new Blob([new Uint8Array(image)]), 'a.png')
    const headers = { authorization: `Bearer ${access_token}` }
    const stored = await fetch(`${origin}/v1/media/upload`, { method: 'POST', headers, body: form })
    const { url } = (await stored.json()) as { url: string }
    expect(url.startsWith(bucket.endpoint)).toBe(true)
    expect(Buffer.from(await (await fetch(url)).arrayBuffer())).toEqual(image)
  })

  it('answers a chat completion', async () => {
    const origin = `http://127.0.0.1:${portOf(frontDoor)}`
    const login = await fetch(`${origin}/llm/auth/guest-login`, { method: 'POST' })
    const { access_token } = (await login.json()) as { access_token: string }
    const response = await fetch(`${origin}/v1/chat/completions`, {
      method: 'POST',
      headers: { authorization: `Bearer ${access_token}`, 'content-type': 'application/json' },
      body: JSON.stringify({ model: 'jan-v1-4b', messages: [{ role: 'user', content: 'Hello!' }] }),
    })
    expect(response.status).toBe(200)
    const { choices } = (await response.json()) as { choices: { message: { content: string } }[] }
    expect(choices[0]?.message.content).toMatch(/\w/)
  })
})

/** Our own services that a layout runs: `up`, or `--profile split up --scale platform=0`. */
function layout(split: boolean): [string, Service][] {
  return own.filter(([, { profiles }]) => (profiles?.includes('split') ?? false) === split)
}

/** What compose puts in place of `${NAME:-default}` and `${NAME:?message}`. */
function interpolated(
  environment: Readonly<Record<string, string>>,
  variables: Readonly<Record<string, string>>,
): Record<string, string> {
  const value = (text: string): string =>
    text.replace(
      /\$\{(\w+)(?:(:?)([-?])((?:[^{}]|\$\{[^{}]*\})*))?\}/g,
      (_, name: string, colon?: string, kind?: string, rest = '') => {
        const given = variables[name]
        // with a colon what is empty counts as unset
        if (given || (given === '' && colon === '')) return given
        if (kind === '?') throw new Error(`${name}: ${rest}`)
        return value(rest)
      },
    )
  return Object.fromEntries(Object.entries(environment).map(([name, text]) => [name, value(text)]))
}

/** The `ENV` lines of the image. */
function imageEnvironment(): Record<string, string> {
  const pairs = [...dockerfile.matchAll(/^ENV (.*)$/gm)].flatMap(([, line = '']) => line.split(' '))
  return Object.fromEntries(pairs.map((pair) => pair.split('=') as [string, string]))
}

async function answers(url: string, programs: readonly Program[]): Promise<void> {
  const deadline = Date.now() + 40_000
  while (Date.now() < deadline) {
    const response = await fetch(url).catch(() => null)
    if (response?.ok) return
    await sleep(50)
  }
  throw new Error(`${url} does not answer:\n${programs.map((program) => program.output()).join('\n')}`)
}
