import type { ObjectStore } from './object-store.ts'

/** A store that is opened by the first call: most processes of a split platform move no bytes. */
export function lazyStore(open: () => Promise<ObjectStore>): ObjectStore {
  let opened: Promise<ObjectStore> | undefined
  const store = () => {
    opened ??= open()
    return opened
  }
  return {
    async write(key, bytes, options) {
      // A stream that fails meanwhile fails the reading of it, not the process.
      bytes.once('error', () => undefined)
      return (await store()).write(key, bytes, options)
    },
    read: async (key, options) => (await store()).read(key, options),
    head: async (key) => (await store()).head(key),
    delete: async (keys) => (await store()).delete(keys),
    signedGet: async (key, options) => (await store()).signedGet(key, options),
    signedPut: async (key, options) => (await store()).signedPut(key, options),
  }
}
