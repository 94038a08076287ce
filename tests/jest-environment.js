import { ModernFakeTimers } from '@jest/fake-timers'
import { ModuleMocker } from 'jest-mock'

/**
 * A test file's global object is that of the process, as it is in production. A global object of its own (what jest makes unless
 * told otherwise) would have every file load and warm up all packages anew, find each global through an interceptor, and have
 * two of each built-in class. What a file changes in it, and in the environment variables, is put back when it is over.
 * Plain JavaScript: jest loads it outside its own module system.
 */
export default class ProcessEnvironment {
  #restore = [keepGlobals(), keepVariables(), keepExit()]

  constructor({ projectConfig: config }) {
    Object.assign(globalThis, config.globals)
    this.global = globalThis
    this.moduleMocker = new ModuleMocker(globalThis)
    this.fakeTimers = null
    this.fakeTimersModern = new ModernFakeTimers({ config, global: globalThis })
  }

  async setup() {}

  async teardown() {
    this.fakeTimersModern?.dispose()
    this.fakeTimersModern = null
    for (const restore of this.#restore.splice(0)) restore()
    this.global = null
  }

  exportConditions() {
    return ['node', 'node-addons']
  }

  /** For jest-runtime, which makes no module here but by `jest-runtime.js`: there is no other context than the process's. */
  getVmContext() {
    return null
  }
}

function keepGlobals() {
  const before = Object.getOwnPropertyDescriptors(globalThis)
  return () => {
    for (const key of Reflect.ownKeys(globalThis)) {
      // What can't be deleted is a package's own, which stays loaded as well.
      if (!Object.hasOwn(before, key)) Reflect.deleteProperty(globalThis, key)
    }
    for (const key of Reflect.ownKeys(before)) {
      const { get, value } = Object.getOwnPropertyDescriptor(globalThis, key) ?? {}
      if (get !== before[key].get || value !== before[key].value || !Object.hasOwn(globalThis, key))
        Object.defineProperty(globalThis, key, before[key])
    }
    forgetMatchers()
  }
}

/** `expect` keeps what `expect.extend` and `addEqualityTesters` bring on the global object, where it can't be deleted. */
function forgetMatchers() {
  const known = globalThis[Symbol.for('$$jest-matchers-object')]
  if (!known) return
  known.customEqualityTesters.length = 0
  for (const name of Object.keys(known.matchers)) delete known.matchers[name]
}

function keepVariables() {
  const before = { ...process.env }
  return () => {
    for (const name of Object.keys(process.env)) if (!Object.hasOwn(before, name)) delete process.env[name]
    for (const [name, value] of Object.entries(before))
      if (process.env[name] !== value) process.env[name] = value
  }
}

/** Jest wraps it, once per file. */
function keepExit() {
  const { exit } = process
  return () => {
    process.exit = exit
  }
}
