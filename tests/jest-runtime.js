import { createRequire } from 'node:module'
import { sep } from 'node:path'
import { types } from 'node:util'
import { compileFunction, SyntheticModule } from 'node:vm'
import Runtime from 'jest-runtime'

const require = createRequire(import.meta.url)
const packages = `${sep}node_modules${sep}`

/**
 * Loads the sources anew for each test file, and packages by Node itself: once for all files that a worker runs, one after
 * the other. Most of what a test run has to do would otherwise be to load, and to warm up, the same thousand modules again and
 * again. So a package can't be mocked, and what it keeps of its own accord outlives a file. Works with `jest-environment.js` alone.
 * Reaches into jest-runtime, whose version is pinned; `jest-runtime.test.ts` tells when it no longer fits.
 * Plain JavaScript: jest loads it outside its own module system.
 */
export default class extends Runtime {
  constructor(...given) {
    super(...given)
    compileInProcess(this.executor)
    this.esmLoader.getContext = () => undefined
    replace(this.esmLoader, 'pendingCjsBuildIsUnmarkedEsm', (inJest) => (pending) => {
      return !isOfPackage(pending.modulePath) && inJest(pending)
    })
    replace(this.esmLoader, 'buildCjsAsEsmSyntheticModule', (inJest) => (from, path, context) => {
      return isOfPackage(path) ? wrap(path, this.cjsExportsCache) : inJest(from, path, context)
    })
  }

  /** What is none goes by `buildCjsAsEsmSyntheticModule`. */
  unstable_shouldLoadAsEsm(path) {
    return !isOfPackage(path) && super.unstable_shouldLoadAsEsm(path)
  }

  requireModule(from, name, options, isRequireActual) {
    const ofTests = !options?.isInternalModule && name && !this._resolution.isCoreModule(name)
    const path = ofTests ? this._resolution.resolveCjs(from, name) : ''
    return isOfPackage(path) ? require(path) : super.requireModule(from, name, options, isRequireActual)
  }
}

function isOfPackage(path) {
  return path.includes(packages)
}

function replace(object, name, replacement) {
  object[name] = replacement(object[name].bind(object))
}

/** Jest's own parts and what is CommonJS among the sources: `executor.compile` insists on a context. */
function compileInProcess(executor) {
  executor.compile = (source, filename) =>
    compileFunction(source, executor.injectedModuleParameters, {
      filename,
      importModuleDynamically: (specifier, _referrer, attributes, phase) =>
        executor.dynamicImport(specifier, filename, undefined, attributes, phase),
    })
}

/** A package's module with the names that Node itself would let import. */
function wrap(path, exportsCache) {
  const loaded = require(path)
  const exported = types.isModuleNamespaceObject(loaded) ? { ...loaded } : namesOf(loaded, path, exportsCache)
  return new SyntheticModule(
    Object.keys(exported),
    function evaluate() {
      for (const [name, value] of Object.entries(exported)) this.setExport(name, value)
    },
    { identifier: path },
  )
}

function namesOf(loaded, path, exportsCache) {
  const isRecord = loaded !== null && ['object', 'function'].includes(typeof loaded)
  const names = isRecord ? [...Object.keys(loaded), ...exportsCache.getExportsOf(path, path)] : []
  const own = names.filter((name) => Object.hasOwn(loaded, name)).map((name) => [name, loaded[name]])
  return { ...Object.fromEntries(own), default: loaded, 'module.exports': loaded }
}
