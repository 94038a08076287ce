import { spawn } from 'node:child_process'
import { statfsSync } from 'node:fs'
import { basename } from 'node:path'
import { isOnDisk } from './installed-packages.js'
import { PrepareError } from './prepare-error.js'

/**
 * Installs exactly what the lock file says, showing how far it is.
 * No install script runs: what our dependencies' scripts do is printing, or is done by the code that needs it
 * (platform/embedded links PostgreSQL's libraries), and a package must not run code merely by being installed.
 * @throws PrepareError when npm fails
 */
export async function npmCi({ root, mode, packages }) {
  checkDisk(root, mode)
  const size = mode === 'dev' ? 'with development tools, about 550 MB' : 'about 350 MB'
  console.log(`Installing ${packages.length} packages (once, ${size}) ...`)
  const progress = showProgress(root, packages)
  try {
    const { code, interrupted, output } = await run(root, mode)
    if (interrupted) throw new PrepareError('The installation was interrupted: run the command again.')
    if (code !== 0) throw new PrepareError(explain(output, root))
  } finally {
    progress.stop()
  }
  console.log(`Installed in ${progress.seconds()} s.`)
}

function run(root, mode) {
  const scope = mode === 'dev' ? ['--include=dev'] : ['--omit=dev']
  const flags = [
    '--include=optional',
    '--ignore-scripts',
    '--no-audit',
    '--no-fund',
    '--no-progress',
    '--loglevel=error',
  ]
  const [command, ...before] = npmCommand()
  return new Promise((resolve, reject) => {
    const npm = spawn(command, [...before, 'ci', ...scope, ...flags], {
      cwd: root,
      stdio: ['ignore', 'ignore', 'pipe'],
      shell: command === 'npm' && process.platform === 'win32',
    })
    let output = ''
    npm.stderr.setEncoding('utf8').on('data', (text) => {
      output += text
    })
    npm.on('error', () =>
      reject(
        new PrepareError(
          'npm was not found: install Node 20 or newer together with npm (https://nodejs.org).',
        ),
      ),
    )
    let interrupted = false
    // On Ctrl-C npm would first finish and then take everything back, for 20 s; the next run starts afresh anyway.
    for (const signal of ['SIGINT', 'SIGTERM']) {
      process.once(signal, () => {
        interrupted = true
        npm.kill('SIGKILL')
      })
    }
    npm.on('close', (code) => resolve({ code, interrupted, output }))
  })
}

/** The npm that started us, on the Node it runs on: the one in node_modules goes away while npm works. */
function npmCommand() {
  const { npm_execpath: script, npm_node_execpath: node } = process.env
  if (script && /^npm-cli\.c?js$/.test(basename(script))) return [node ?? process.execPath, script]
  return ['npm']
}

/** On a terminal one line that counts; elsewhere (CI, a log) a line every five seconds. */
function showProgress(root, packages) {
  const start = Date.now()
  const seconds = () => Math.round((Date.now() - start) / 1000)
  const live = process.stdout.isTTY === true
  const timer = setInterval(
    () => {
      const done = packages.filter(({ path }) => isOnDisk(root, path)).length
      const line = `  ${done} of ${packages.length} packages, ${seconds()} s`
      process.stdout.write(live ? `\r${line} ` : `${line}\n`)
    },
    live ? 300 : 5000,
  )
  const stop = () => {
    clearInterval(timer)
    if (live) process.stdout.write('\r\x1b[K')
  }
  return { seconds, stop }
}

/** Asked before the start: on a full disk npm 11 spends a minute and then reports success. */
function checkDisk(root, mode) {
  const { bavail, bsize } = statfsSync(root)
  const free = Math.round((bavail * bsize) / 1e6)
  const needed = mode === 'dev' ? 1000 : 600
  if (free >= needed) return
  throw new PrepareError(
    `The disk of ${root} is too full for the installation: free ${needed - free} MB more, then run the command again.`,
  )
}

/** npm's failures as one sentence that says what to do; an unknown one keeps npm's own words. */
function explain(output, root) {
  const says = (pattern) => pattern.test(output)
  if (says(/ENOSPC/)) return `The disk is full: free about 1 GB for ${root}, then run the command again.`
  if (says(/EROFS|EACCES|EPERM/))
    return `npm may not write here: make ${root} and its node_modules writable for your user, then run the command again.`
  if (
    says(
      /ENOTFOUND|EAI_AGAIN|ECONNREFUSED|ECONNRESET|ETIMEDOUT|ENETUNREACH|EHOSTUNREACH|ERR_SOCKET_TIMEOUT|network/i,
    )
  ) {
    return "npm cannot reach the package registry: check the internet connection (and npm's proxy and registry settings), then run the command again."
  }
  if (says(/EUSAGE/))
    return 'package.json and package-lock.json do not belong together: run npm install and commit the lock file.'
  if (says(/EINTEGRITY/))
    return 'A downloaded package is damaged: run npm cache clean --force, then run the command again.'
  const lines = output.split('\n').map((line) => line.replace(/^npm (error|ERR!) ?/, '').trim())
  const cause = lines.find((line) => line !== '' && !line.startsWith('code ')) ?? 'it gave no reason'
  return `npm ci failed (${cause}): run npm ci to see the whole message.`
}
