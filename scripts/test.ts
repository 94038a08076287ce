import { spawn } from 'node:child_process'
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'

/**
 * `npm test`: the checks that need no test runner, then Jest, then one line `N passed, N failed` that counts both.
 * `--fast` (`npm run check`) leaves out the tests that need PostgreSQL or a server. Other arguments go to Jest.
 * Exits non-zero when anything failed. Nothing stops at the first failure: one run tells all there is to mend.
 */
const ROOT = dirname(import.meta.dirname)
const FOLDERS = [
  'platform',
  'subgraphs',
  'gateway',
  'rest-adapter',
  'wiring',
  'schema',
  'scripts',
  'tests',
  'bench',
]
const CHECKS_AT_ONCE = 2

type Check = { name: string; command: string[] }
type Outcome = { code: number; output: string; seconds: number }
type Count = { passed: number; failed: number }

const checks: Check[] = [
  { name: 'types', command: [bin('typescript/bin/tsc'), '--noEmit', '-p', '.'] },
  {
    name: 'lint and format',
    command: [
      bin('@biomejs/biome/bin/biome'),
      'ci',
      `--colors=${process.stdout.isTTY ? 'force' : 'off'}`,
      '.',
    ],
  },
  {
    name: 'import rules',
    command: [
      bin('dependency-cruiser/bin/dependency-cruiser.mjs'),
      ...['--config', '.dependency-cruiser.mjs'],
      ...FOLDERS.filter((folder) => existsSync(join(ROOT, folder))),
    ],
  },
  { name: 'schema drift', command: ['schema/generate.ts', '--check'] },
  { name: 'plan drift', command: ['scripts/generate-plans.ts', '--check'] },
  { name: 'OpenAPI drift', command: ['scripts/generate-openapi.ts', '--check'] },
]

function bin(path: string): string {
  return join('node_modules', path)
}

/** Runs under this very Node: the one on the PATH may be too old to read TypeScript. */
function node(command: string[], stdio: 'pipe' | 'inherit'): Promise<Outcome> {
  const started = performance.now()
  const child = spawn(process.execPath, command, { cwd: ROOT, stdio: ['inherit', stdio, stdio] })
  const output: Buffer[] = []
  child.stdout?.on('data', (bytes: Buffer) => output.push(bytes))
  child.stderr?.on('data', (bytes: Buffer) => output.push(bytes))
  return new Promise((resolve, reject) => {
    child.on('error', reject)
    child.on('close', (code, signal) => {
      if (signal) output.push(Buffer.from(`killed by ${signal}\n`))
      const seconds = (performance.now() - started) / 1000
      resolve({ code: code ?? 1, output: Buffer.concat(output).toString(), seconds })
    })
  })
}

/** Starts every check, `CHECKS_AT_ONCE` at a time; the promises come in the order of `checks`. */
function startChecks(): Promise<Outcome>[] {
  const started: Promise<Outcome>[] = []
  for (const [index, { command }] of checks.entries()) {
    const before = started[index - CHECKS_AT_ONCE]
    started.push(Promise.resolve(before).then(() => node(command, 'pipe')))
  }
  return started
}

async function runChecks(): Promise<Count> {
  const running = startChecks()
  let failed = 0
  for (const [index, { name }] of checks.entries()) {
    const outcome = await running[index]
    if (!outcome) continue
    const passed = outcome.code === 0
    console.log(`${passed ? 'ok  ' : 'FAIL'} ${name} (${outcome.seconds.toFixed(1)} s)`)
    if (passed) continue
    failed += 1
    console.log(outcome.output.trimEnd())
  }
  return { passed: checks.length - failed, failed }
}

async function runJest(args: string[], fast: boolean): Promise<Count> {
  const folder = mkdtempSync(join(tmpdir(), 'jest-result-'))
  const report = join(folder, 'report.json')
  try {
    const { code } = await node(
      [
        ...['--experimental-vm-modules', '--disable-warning=ExperimentalWarning'],
        bin('jest/bin/jest.js'),
        ...['--json', `--outputFile=${report}`],
        ...args,
        // last, as this flag takes whatever follows it
        ...(fast ? ['--selectProjects', 'unit'] : []),
      ],
      'inherit',
    )
    return countTests(report, code)
  } finally {
    rmSync(folder, { recursive: true })
  }
}

/** A file that could not be run counts as one failure, and so does a Jest that failed without naming a test. */
function countTests(report: string, code: number): Count {
  if (!existsSync(report)) return { passed: 0, failed: 1 }
  const { numPassedTests, numFailedTests, numRuntimeErrorTestSuites } = JSON.parse(
    readFileSync(report, 'utf8'),
  ) as Record<'numPassedTests' | 'numFailedTests' | 'numRuntimeErrorTestSuites', number>
  const failed = numFailedTests + numRuntimeErrorTestSuites
  return { passed: numPassedTests, failed: code !== 0 && failed === 0 ? 1 : failed }
}

const args = process.argv.slice(2)
const checked = await runChecks()
const tested = await runJest(
  args.filter((arg) => arg !== '--fast'),
  args.includes('--fast'),
)
const failed = checked.failed + tested.failed
console.log(`\n${checked.passed + tested.passed} passed, ${failed} failed`)
process.exitCode = failed === 0 ? 0 : 1
