import { execFileSync } from 'node:child_process'
import { once } from 'node:events'
import { existsSync } from 'node:fs'
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
import { freePort } from '../platform/testing/free-port.ts'
import { type Program, runProgram, startProgram } from './program.ts'
import { runShell } from './shell.ts'

// What somebody does at a terminal, in that order, with one data folder and its embedded PostgreSQL.
describe('the platform at a terminal', () => {
  let folder: string
  let dataDir: string
  let port: number
  let program: Program
  let token: string
  let projectId: string

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'jan-start-'))
    dataDir = join(folder, 'data')
    port = await freePort()
  })
  afterAll(async () => {
    await kill(processesOf(folder))
    await rm(folder, { recursive: true, force: true })
  })

  const environment = (changes: Record<string, string> = {}) => ({
    JAN_DATA_DIR: dataDir,
    PORT: String(port),
    MODEL_DISCOVERY: 'false',
    ...changes,
  })

  /** @returns milliseconds until it said that it is ready */
  async function start(): Promise<number> {
    const started = performance.now()
    program = startProgram(['node', 'wiring/main.js'], { env: environment() })
    await program.printed(/Jan Graph is ready[\s\S]*Say hello:[\s\S]*Hello!/)
    return performance.now() - started
  }

  it('tells at its first start where everything is, which models there are, and how to call', async () => {
    await start()
    const banner = program.output()
    expect(banner).toContain('Creating the database (once)')
    expect(banner).toMatch(new RegExp(`REST +http://localhost:${port}/v1`))
    expect(banner).toMatch(new RegExp(`GraphQL +http://localhost:${port}/graphql`))
    expect(banner).toMatch(new RegExp(`Swagger +http://localhost:${port}/api/swagger/index.html`))
    expect(banner).toMatch(/sk_live_\w+/)
    const beforeTheCall = banner.slice(0, banner.indexOf('Say hello:'))
    expect(beforeTheCall).toMatch(/model/i)
    expect(beforeTheCall).toMatch(/development/i)
  })

  it('prints commands that work when pasted', async () => {
    const commands = program.output().split('Say hello:')[1] ?? ''
    const { code, statuses, stdout } = await runShell(commands)
    expect({ code, statuses }).toEqual({ code: 0, statuses: [expect.any(Number), 200] })
    const { choices } = JSON.parse(stdout) as { choices: { message: { content: string } }[] }
    expect(choices[0]?.message.content).toMatch(/\w/)
  })

  it('keeps its secrets to the user who started it', async () => {
    const listing = execFileSync('find', [dataDir, '-maxdepth', '1', '-type', 'f', '-perm', '/077'])
    expect(listing.toString().trim()).toBe('')
    expect(program.output()).not.toContain((await readFile(join(dataDir, 'secret'), 'utf8')).trim())
  })

  it('refuses a second process on its data folder, naming the first', async () => {
    const second = await runProgram(['node', 'wiring/main.js'], {
      env: environment({ PORT: String(await freePort()) }),
    })
    expect(second.code).toBe(1)
    expect(second.output).toContain(`pid ${program.pid}, port ${port}`)
    expectOneSentence(second.output)
    expect((await fetch(`http://127.0.0.1:${port}/readyz`)).status).toBe(200)
  })

  it('stops whole on Ctrl-C, the database included', async () => {
    expect(processesOf(dataDir)).not.toEqual([])
    program.signalGroup('SIGINT')
    expect(await program.ended).toBe(0)
    expect(processesOf(dataDir)).toEqual([])
  })

  it('starts again', async () => {
    const readyMs = await start()
    process.stdout.write(`a second start: ready after ${readyMs.toFixed(0)} ms\n`)
    expect(program.output()).not.toContain('Creating the database')
    expect(program.output()).not.toMatch(/sk_live_/)
  })

  it('keeps what it acknowledged when it is killed', async () => {
    token = await guestToken(port)
    projectId = await createProject(port, token, 'Before the crash')
    program.signalGroup('SIGKILL')
    expect(await program.ended).toBe('SIGKILL')
    expect(processesOf(dataDir)).not.toEqual([])

    await start()
    expect(await readProject(port, token, projectId)).toEqual({ status: 200, name: 'Before the crash' })
  })

  it('keeps it also when the database is killed with it, and nothing dead is in the way', async () => {
    const later = await createProject(port, token, 'Before the power cut')
    await kill([program.pid, ...processesOf(dataDir)])

    await start()
    expect(await readProject(port, token, later)).toEqual({ status: 200, name: 'Before the power cut' })
    expect(await readProject(port, token, projectId)).toEqual({ status: 200, name: 'Before the crash' })
  })

  it('stops on SIGTERM alike', async () => {
    process.kill(program.pid, 'SIGTERM')
    expect(await program.ended).toBe(0)
    expect(processesOf(dataDir)).toEqual([])
  })

  it.each([
    ['makes the database', () => program.printed(/Creating the database/)],
    ['has started the database', () => appears(join(folder, 'interrupted', 'postgres', 'postmaster.pid'))],
  ])('stops whole on Ctrl-C while it %s', async (_, moment) => {
    const interrupted = join(folder, 'interrupted')
    program = startProgram(['node', 'wiring/main.js'], { env: environment({ JAN_DATA_DIR: interrupted }) })
    await moment()
    program.signalGroup('SIGINT')
    await program.ended
    expect(processesOf(interrupted)).toEqual([])
    expect(program.output()).not.toMatch(/^ +at /m)
  })

  it('says in a sentence that its port is taken, and leaves no database behind', async () => {
    const other = createServer().listen(0, '127.0.0.1')
    await once(other, 'listening')
    const taken = (other.address() as AddressInfo).port
    const refused = await runProgram(['node', 'wiring/main.js'], {
      env: environment({ PORT: String(taken) }),
    })
    other.close()
    expect(refused.code).toBe(1)
    expect(refused.output).toContain(`Port ${taken} is in use`)
    expectOneSentence(refused.output)
    expect(processesOf(dataDir)).toEqual([])
  })

  it('says in a sentence that its data folder cannot be one', async () => {
    // A file in the folder's place: even root, who may write anywhere, cannot make a folder of it.
    const file = join(folder, 'file')
    await writeFile(file, '')
    const refused = await runProgram(['node', 'wiring/main.js'], { env: environment({ JAN_DATA_DIR: file }) })
    expect(refused.code).toBe(1)
    expect(refused.output).toContain(file)
    expect(refused.output).toContain('JAN_DATA_DIR')
    expectOneSentence(refused.output)
  })

  it('says in a sentence that its host is no address of this machine', async () => {
    const refused = await runProgram(['node', 'wiring/main.js'], { env: environment({ HOST: '192.0.2.1' }) })
    expect(refused.code).toBe(1)
    expect(refused.output).toContain('HOST=192.0.2.1')
    expectOneSentence(refused.output)
  })
})

function expectOneSentence(output: string): void {
  const paragraphs = output.split('\n').filter((line) => line.trim() !== '')
  expect(paragraphs).toHaveLength(1)
  expect(paragraphs[0]).toMatch(/\.$/)
}

/** The processes that run on a data folder: PostgreSQL names it on its command line. */
function processesOf(dataDir: string): number[] {
  return execFileSync('ps', ['-A', '-ww', '-o', 'pid=,args='], { encoding: 'utf8' })
    .split('\n')
    .filter((line) => line.includes(dataDir))
    .map((line) => Number.parseInt(line, 10))
}

async function appears(file: string): Promise<void> {
  while (!existsSync(file)) await sleep(5)
}

async function kill(pids: readonly number[]): Promise<void> {
  for (const pid of pids) process.kill(pid, 'SIGKILL')
}

async function guestToken(port: number): Promise<string> {
  const response = await fetch(`http://127.0.0.1:${port}/llm/auth/guest-login`, { method: 'POST' })
  return ((await response.json()) as { access_token: string }).access_token
}

async function createProject(port: number, token: string, name: string): Promise<string> {
  const response = await fetch(`http://127.0.0.1:${port}/v1/projects`, {
    method: 'POST',
    headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
    body: JSON.stringify({ name }),
  })
  expect(response.status).toBe(201)
  return ((await response.json()) as { id: string }).id
}

async function readProject(port: number, token: string, id: string) {
  const response = await fetch(`http://127.0.0.1:${port}/v1/projects/${id}`, {
    headers: { authorization: `Bearer ${token}` },
  })
  return { status: response.status, name: ((await response.json()) as { name?: string }).name }
}
