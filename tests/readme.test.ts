import { execFileSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { existsSync, readFileSync } from 'node:fs'
import { cp, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
import { freePort } from '../platform/testing/free-port.ts'
import { commandsOf, fencedBlocks } from './fenced-blocks.ts'
import { type Program, projectRoot, runProgram, startProgram } from './program.ts'
import { runShell, type ShellResult } from './shell.ts'

const readme = readFileSync(join(projectRoot, 'README.md'), 'utf8')
const blocks = fencedBlocks(readme)
const commands = blocks.filter(({ language }) => language === 'sh').flatMap(commandsOf)

/** What the answer to each pasted call must be. Every call of the README is in exactly one row. */
const outcomes: readonly [what: string, command: RegExp, check: (answer: string) => void][] = [
  ['a question', /chat\/completions(?!.*"stream")(?!.*"conversation")(?!.*"image_url")/s, expectAnswer],
  ['a streamed question', /chat\/completions.*"stream":true/s, expectStream],
  ['an answer about an image', /"image_url"/, expectImage],
  ['an image of a prompt', /images\/generations/, expectLink],
  ['a kept conversation', /"conversation":\{\}/, expectKeptAnswer],
  ['the list of conversations', /\/v1\/conversations$/, expectConversations],
  ['a joined query', /"query":"\{ conversations/, expectJoinedConversations],
  ['a subscription', /"query":"subscription/, expectSubscription],
]
const login = /^TOKEN=/
/** What a later command needs. */
const upload = /^IMAGE=/

describe('the README', () => {
  let copy: string
  let server: Program
  let port: number
  let token: string
  let image = ''

  // `npm start` in what a clone would be: the files that git knows or would add, and what is installed.
  beforeAll(async () => {
    assertInstalled()
    copy = await mkdtemp(join(tmpdir(), 'jan-readme-'))
    for (const file of projectFiles()) await cp(join(projectRoot, file), join(copy, file))
    await symlink(join(projectRoot, 'node_modules'), join(copy, 'node_modules'))
    port = await freePort(8000)
    const env = {
      PORT: String(port),
      HOME: copy,
      MODEL_DISCOVERY: 'false',
      npm_config_update_notifier: 'false',
    }
    server = startProgram(['npm', 'start'], { cwd: copy, env })
    await server.printed(/Say hello/)
  }, 60_000)
  afterAll(async () => {
    server?.signalGroup('SIGINT')
    await server?.ended
    await rm(copy, { recursive: true, force: true })
  })

  const paste = (command: string) => runShell(onPort(command, port), { TOKEN: token, IMAGE: image })

  it('starts with npm start', () => {
    expect(commands).toContain('npm start')
    expect(server.output()).toContain(`http://localhost:${port}/v1`)
    expect(existsSync(join(copy, 'data', 'postgres', 'PG_VERSION'))).toBe(true)
  })

  it('tests with npm test', () => {
    // It cannot run within itself: that it is this very run's script is all that can be shown here.
    expect(commands).toContain('npm test')
    const { scripts } = JSON.parse(readFileSync(join(projectRoot, 'package.json'), 'utf8'))
    expect(scripts).toMatchObject({ pretest: 'node scripts/prepare.js --dev', test: 'node scripts/test.ts' })
  })

  it('has no command that this test does not know', () => {
    const calls = commands.filter(
      (command) => !/^npm (start|test)$/.test(command) && !login.test(command) && !upload.test(command),
    )
    const known = calls.map((command) => outcomes.filter(([, pattern]) => pattern.test(command)).length)
    expect(known).toEqual(calls.map(() => 1))
    expect(calls).toHaveLength(outcomes.length)
  })

  it('gets a guest token', async () => {
    const command = commands.find((candidate) => login.test(candidate)) ?? ''
    const { stdout } = await runShell(`${onPort(command, port)}\necho "$TOKEN"`)
    token = stdout.trim()
    expect(token).toMatch(/^[\w-]+\.[\w-]+\.[\w-]+$/)
  })

  it('stores an image', async () => {
    const command = commands.find((candidate) => upload.test(candidate)) ?? ''
    const { stdout } = await runShell(`${onPort(command, port)}\necho "$IMAGE"`, { TOKEN: token })
    image = stdout.trim()
    expect(image).toMatch(/^jan_[0-9a-z]{26}$/)
  })

  it.each(outcomes)('gets %s', async (_, pattern, check) => {
    const result = await paste(commands.find((command) => pattern.test(command)) ?? '')
    expectSuccess(result)
    check(result.stdout)
  })

  it('runs its JavaScript with the official SDK', async () => {
    const [sample] = blocks.filter(({ language }) => language === 'js')
    const file = join(copy, 'sample.mjs')
    await writeFile(file, onPort(sample?.text ?? '', port))
    const { code, output } = await runProgram(['node', file], { cwd: copy, env: { TOKEN: token } })
    expect(code).toBe(0)
    expect(output).toMatch(/\w+ \w+/)
  })

  it.each(links())('leads to %s', (path) => {
    expect(existsSync(join(projectRoot, path))).toBe(true)
  })
})

/** What the README writes in code and names a file or folder of the project, and what it links to. */
function links(): string[] {
  const inCode = [...readme.matchAll(/`([a-z][\w-]*(?:\/[\w.-]*)+)`/g)].map(([, path = '']) => path)
  const linked = [...readme.matchAll(/\]\((?!https?:)([^)#]+)\)/g)].map(([, path = '']) => path)
  return [...new Set([...inCode, ...linked])]
}

function onPort(command: string, port: number): string {
  return command.replaceAll('localhost:8000', `localhost:${port}`)
}

/** `npm start` installs what is missing, and here into the folder that this very run uses. */
function assertInstalled(): void {
  const lock = createHash('sha256')
    .update(readFileSync(join(projectRoot, 'package-lock.json')))
    .digest('hex')
  const stamp = join(projectRoot, 'node_modules', '.prepared.json')
  if (existsSync(stamp) && JSON.parse(readFileSync(stamp, 'utf8')).lock === lock) return
  throw new Error('node_modules is not what package-lock.json says: run npm test, which installs it first.')
}

function projectFiles(): string[] {
  const listed = execFileSync('git', ['ls-files', '-z', '--cached', '--others', '--exclude-standard'], {
    cwd: projectRoot,
    encoding: 'utf8',
  })
  return listed.split('\0').filter((file) => file !== '' && existsSync(join(projectRoot, file)))
}

function expectSuccess({ code, statuses }: ShellResult): void {
  expect({ code, statuses }).toEqual({ code: 0, statuses: [200] })
}

function expectLink(answer: string): void {
  expect(answer).toMatch(/"url":"http:[^"]*\/v1\/files\//)
}

function expectImage(answer: string): void {
  expectAnswer(answer)
  // the development model tells what it was shown
  expect(answer).toContain('image/png, 4x4, 104 bytes')
}

function expectAnswer(answer: string): void {
  const { object, choices } = JSON.parse(answer)
  expect(object).toBe('chat.completion')
  expect(choices[0].message.content).toMatch(/\w/)
}

function expectStream(answer: string): void {
  const events = answer.trim().split('\n\n')
  expect(events.at(-1)).toBe('data: [DONE]')
  const chunks = events.slice(0, -1).map((event) => JSON.parse(event.replace(/^data: /, '')))
  expect(chunks.length).toBeGreaterThan(2)
  expect(chunks.map(({ choices }) => choices[0]?.delta?.content ?? '').join('')).toMatch(/\w+ \w+/)
}

function expectKeptAnswer(answer: string): void {
  expectAnswer(answer)
  expect(JSON.parse(answer).conversation.id).toMatch(/^conv_/)
}

function expectConversations(answer: string): void {
  const { object, data } = JSON.parse(answer)
  expect({ object, count: data.length }).toEqual({ object: 'list', count: 1 })
}

function expectJoinedConversations(answer: string): void {
  const { data, errors } = JSON.parse(answer)
  expect(errors).toBeUndefined()
  const [conversation] = data.conversations.nodes
  const [asked, answered] = conversation.items.nodes.toSorted((a: { role: string }) =>
    a.role === 'USER' ? -1 : 1,
  )
  expect(asked).toMatchObject({ role: 'USER', text: 'Remember me.' })
  expect(answered).toMatchObject({ role: 'ASSISTANT', model: { displayName: expect.any(String) } })
}

function expectSubscription(answer: string): void {
  const events = answer.split('\n\n').filter((event) => event.includes('event: next'))
  const payloads = events.map((event) => JSON.parse(/^data: ?(.*)$/m.exec(event)?.[1] ?? ''))
  expect(payloads.length).toBeGreaterThan(2)
  expect(payloads.map(({ data }) => data.chatCompletion.content ?? '').join('')).toMatch(/\w+ \w+/)
  expect(answer).toContain('event: complete')
}
