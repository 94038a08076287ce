import { existsSync, readFileSync } from 'node:fs'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseEnv } from 'node:util'
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
import { type ConfigSlice, platformConfig } from '../platform/config.ts'
import { readNames } from '../platform/jan-server-settings.ts'
import { subgraphs } from '../subgraphs/index.ts'
import { loadSettings } from '../wiring/settings.ts'
import { splitConfig } from '../wiring/split-settings.ts'
import { describeFailure } from '../wiring/start-failure.ts'
import { projectRoot, runProgram } from './program.ts'

const example = readFileSync(join(projectRoot, '.env.example'), 'utf8')
const lines = example.split('\n')
/** Lines such as `# PORT=8000`. */
const setting = /^# ([A-Z][A-Z0-9_]*)=(.*)$/

const optionalSlices: Record<string, ConfigSlice> = {
  platform: platformConfig as ConfigSlice,
  ...Object.fromEntries(subgraphs.map(({ name, config }) => [name, config as ConfigSlice])),
}
const known = [...Object.values(optionalSlices), splitConfig as ConfigSlice].flatMap(({ shape }) =>
  Object.keys(shape),
)

describe('.env.example', () => {
  const documented = lines.flatMap((line) => setting.exec(line)?.[1] ?? [])

  it('documents every variable that is read, and no other', () => {
    expect([...documented].sort()).toEqual([...new Set(known)].sort())
  })

  it('documents each once, with an explanation above it', () => {
    expect(new Set(documented).size).toBe(documented.length)
    const bare = lines.filter((line, at) => {
      const above = lines[at - 1] ?? ''
      return setting.test(line) && (!/^# \S/.test(above) || setting.test(above))
    })
    expect(bare).toEqual([])
  })

  it('sets nothing as it stands', () => {
    expect(parseEnv(example)).toEqual({})
  })

  it.each(Object.entries(optionalSlices))('gives the true defaults of %s', (_, slice) => {
    const given = Object.entries(
      parseEnv(lines.map((line) => line.replace(/^# (?=[A-Z0-9_]+=)/, '')).join('\n')),
    )
    const values = Object.fromEntries(
      given.filter(([name, value]) => value !== '' && Object.hasOwn(slice.shape, name)),
    )
    expect(slice.parse(values)).toEqual(slice.parse({}))
  })
})

describe('links to files', () => {
  it.each([
    ['this server', {}, 'http://localhost:8000/v1/files'],
    ['its address from outside', { PUBLIC_URL: 'https://ai.example.com' }, 'https://ai.example.com/v1/files'],
    [
      'an address for media',
      { PUBLIC_URL: 'https://ai.example.com', MEDIA_PUBLIC_URL: 'https://media.example.com/' },
      'https://media.example.com/v1/files',
    ],
    [
      'an address for files',
      { MEDIA_PUBLIC_URL: 'https://a.example', MEDIA_LOCAL_STORAGE_BASE_URL: 'https://b.example/files' },
      'https://b.example/files',
    ],
  ])('lead to %s', (_, environment, filesUrl) => {
    expect(loadSettings(environment, subgraphs).filesUrl).toBe(filesUrl)
  })
})

describe('the README', () => {
  it('names only variables that are read', () => {
    const table = readFileSync(join(projectRoot, 'README.md'), 'utf8')
      .split('## Configuration')[1]
      ?.split('\n## ')[0]
    const named = [...(table ?? '').matchAll(/`([A-Z][A-Z0-9]*_[A-Z0-9_]+|PORT|HOST|ISSUER|ACCOUNT)`/g)].map(
      ([, name]) => name,
    )
    expect(named.length).toBeGreaterThan(15)
    expect(named.filter((name = '') => !known.includes(name) && !readNames.includes(name))).toEqual([])
  })
})

describe('a broken setting', () => {
  let folder: string
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'jan-configuration-'))
    await writeFile(
      join(folder, 'providers.yaml'),
      'providers: { default: [{ name: A, base_url: "ftp://a" }] }',
    )
  })
  afterAll(() => rm(folder, { recursive: true, force: true }))

  const broken: readonly [kind: string, variable: string, value: string, says: RegExp][] = [
    ['a number', 'PORT', 'abc', /whole number from 1 to 65535/],
    ['more connections than the embedded database has', 'DATABASE_POOL_SIZE', '51', /at most 50/],
    ['a number out of range', 'DATABASE_POOL_SIZE', '1', /from 2 to 200/],
    ['a choice', 'ENVIRONMENT', 'staging', /development, production or test/],
    ['a choice of log levels', 'LOG_LEVEL', 'loud', /trace, debug, info/],
    ['a flag', 'ENABLE_SWAGGER', 'maybe', /true or false/],
    ['a strict flag', 'DEVELOPMENT_MODEL', 'maybe', /true or false/],
    ['a span of time', 'ACCESS_TOKEN_TTL', 'soon', /30s, 5m or 2h/],
    ['a span that may be unset', 'HTTP_TIMEOUT', 'soon', /30s, 5m or 2h/],
    ['a flag that may be unset', 'MEDIA_S3_USE_PATH_STYLE', 'maybe', /true or false/],
    ['a store', 'MEDIA_STORAGE_BACKEND', 'tape', /local or s3/],
    ['a size', 'MEDIA_MAX_UPLOAD_BYTES', '20MB', /whole number of bytes/],
    ['a URL', 'VLLM_PROVIDER_URL', 'gpu-box:8000', /http:\/\/ or https:\/\//],
    ['a database URL', 'DATABASE_URL', 'mysql://localhost/jan', /postgres:\/\//],
    [
      'a host that is opened',
      'OUTBOUND_ALLOW_HOSTS',
      'minio:9000,http://minio',
      /'http:\/\/minio' should be a host/,
    ],
    ['a short secret', 'JAN_SECRET', 'short', /at least 16 characters/],
    ['a key', 'JAN_ADMIN_API_KEY', 'admin', /begin with sk_/],
    ['pairs', 'MODEL_ALIASES', 'just-a-name', /pair such as/],
    ['pairs of fallbacks', 'MODEL_FALLBACKS', 'big=medium=small', /pair such as/],
    ['a variable that needs another', 'JWKS_URL', 'https://id.example.com/keys', /ISSUER: must be set/],
  ]

  it.each(broken)('of %s is told in a sentence that names %s', (_, variable, value, says) => {
    const output = failureOf({ [variable]: value })
    expect(output).toContain(variable)
    expect(output).toMatch(says)
    expectNoStack(output)
  })

  // A process for each way to the end of a start: the platform's slice is read first, those of the subgraphs later.
  const ends: readonly [of: string, environment: Record<string, string>, says: RegExp[]][] = [
    [
      'the platform',
      { PORT: 'abc', LOG_LEVEL: 'loud' },
      [/PORT: 'abc'/, /LOG_LEVEL: should be one of trace/],
    ],
    [
      'every subgraph, all told of together',
      {
        MODEL_DISCOVERY: 'perhaps',
        MEDIA_RETENTION_DAYS: 'forever',
        CONVERSATION_MAX_BRANCHES: 'many',
        MEMORY_ENABLED: 'somewhat',
        API_KEY_MAX_PER_USER: '-1',
      },
      [
        /MODEL_DISCOVERY: 'perhaps'/,
        /MEDIA_RETENTION_DAYS: /,
        /CONVERSATION_MAX_BRANCHES: /,
        /MEMORY_ENABLED: 'somewhat'/,
        /API_KEY_MAX_PER_USER: /,
      ],
    ],
    [
      'a file that is not there',
      { JAN_PROVIDER_CONFIGS_FILE: '/nowhere/providers.yaml' },
      [/JAN_PROVIDER_CONFIGS_FILE: .*could not be read/],
    ],
  ]

  it.each(ends)('of %s ends the start in that sentence', async (_, environment, says) => {
    const { code, output } = await start(['wiring/main.js'], environment)
    expect(code).toBe(1)
    for (const pattern of says) expect(output).toMatch(pattern)
    expectNoStack(output)
  })

  it('is shown to end a start for every owner of settings', () => {
    const named = new Set(ends.flatMap(([, environment]) => Object.keys(environment)))
    const missing = Object.entries(optionalSlices).filter(([, { shape }]) => {
      const own = Object.keys(shape)
      return own.length > 0 && !own.some((variable) => named.has(variable))
    })
    expect(missing.map(([owner]) => owner)).toEqual([])
  })

  it('in the file of providers is named with its place', async () => {
    const file = join(folder, 'providers.yaml')
    const { code, output } = await start(['wiring/main.js'], { JAN_PROVIDER_CONFIGS_FILE: file })
    expect(code).toBe(1)
    expect(output).toMatch(/JAN_PROVIDER_CONFIGS_FILE: .*providers\.yaml: default\[0\] base_url/)
    expectNoStack(output)
  })

  it('in the file of persisted operations is told in a sentence', async () => {
    const PERSISTED_OPERATIONS_FILE = join(folder, 'operations.json')
    await writeFile(PERSISTED_OPERATIONS_FILE, '{"mine":"{ me {"}')
    const { code, output } = await start(['wiring/main.js'], { PERSISTED_OPERATIONS_FILE })
    expect(code).toBe(1)
    expect(output).toMatch(/PERSISTED_OPERATIONS_FILE: .*the operation 'mine' does not parse: Syntax Error/)
    expectNoStack(output)
  })

  it('in .env is found like one of the process', async () => {
    await writeFile(join(folder, '.env'), 'PORT=abc\n')
    const { code, output } = await start([join(projectRoot, 'wiring/main.js')], {}, folder)
    expect(code).toBe(1)
    expect(output).toContain("PORT: 'abc'")
  })

  it('DATABASE_URL without JAN_SECRET says how to make one', async () => {
    const { code, output } = await start(['wiring/main.js'], { DATABASE_URL: 'postgres://jan@127.0.0.1/jan' })
    expect(code).toBe(1)
    expect(output).toMatch(/JAN_SECRET: .*openssl rand -hex 32/)
    expectNoStack(output)
  })

  it('that would open production to everybody ends its start', async () => {
    const environment = { ADMIN_BYPASS: 'true', ENVIRONMENT: 'production' }
    const { code, output } = await start(['wiring/main.js'], environment)
    expect(code).toBe(1)
    expect(output).toMatch(/ADMIN_BYPASS: .*production/)
    expectNoStack(output)
  })

  it.each([
    ['program', ['edges'], 'start, edge, subgraph, migrate'],
    ['subgraph', ['subgraph', 'model'], 'models, media, conversations, memory, projects, accounts'],
  ])('in the name of the %s to run tells those that there are', async (_, named, known) => {
    const { code, output } = await start(['wiring/main.js', ...named], {})
    expect(code).toBe(1)
    expect(output).toContain(`one of: ${known}.`)
    expectNoStack(output)
  })

  it("is told by Jan Server's name where it was given by that, and what counts for nothing is told beside it", async () => {
    const { code, output } = await start(['wiring/main.js'], {
      KEYCLOAK_BASE_URL: 'keycloak:8085',
      BACKEND_CLIENT_SECRET: 'hush-hush',
    })
    expect(code).toBe(1)
    expect(output).toMatch(/OIDC_DISCOVERY_URL \(KEYCLOAK_BASE_URL\): .*http:\/\//)
    expect(output).toContain('BACKEND_CLIENT_SECRET is not read: guests are users of the built-in issuer')
    expect(output).not.toContain('hush-hush')
    expectNoStack(output)
  })

  it('of a split process ends its start too', async () => {
    const needed = { DATABASE_URL: 'postgres://jan@127.0.0.1/jan', JAN_SECRET: 'a secret for tests only' }
    const { code, output } = await start(['wiring/main.js', 'edge'], { ...needed, PORT: 'abc' })
    expect(code).toBe(1)
    expect(output).toContain("PORT: 'abc'")
    expectNoStack(output)
  })

  it('leaves no database running', () => {
    expect(existsSync(join(folder, 'data', 'postgres', 'PG_VERSION'))).toBe(true)
    expect(existsSync(join(folder, 'data', 'postgres', 'postmaster.pid'))).toBe(false)
  })

  /** What a start prints of this environment, read and told by the functions that a start uses. */
  function failureOf(environment: Readonly<Record<string, string>>): string {
    try {
      loadSettings(environment, subgraphs)
    } catch (error) {
      return describeFailure(error)
    }
    throw new Error('Nothing is wrong with these settings.')
  }

  function start(
    command: readonly string[],
    environment: Readonly<Record<string, string>>,
    cwd = projectRoot,
  ) {
    const env = { JAN_DATA_DIR: join(folder, 'data'), MODEL_DISCOVERY: 'false', ...environment }
    return runProgram(['node', ...command], { env, cwd })
  }
})

function expectNoStack(output: string): void {
  expect(output).not.toMatch(/^\s+at .*(:\d+|<anonymous>)\)?$/m)
}
