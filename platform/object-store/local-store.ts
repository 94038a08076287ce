import { randomUUID } from 'node:crypto'
import { type FileHandle, mkdir, open, readdir, rename, rm, stat, unlink } from 'node:fs/promises'
import { dirname, join, relative, resolve, sep } from 'node:path'
import { addAbortSignal } from 'node:stream'
import { exactly } from '../exact-size.ts'
import type { Logger } from '../log.ts'
import { assertKey } from './object-key.ts'
import type { ObjectStore, SignedUrl } from './object-store.ts'
import type { SignedLinks } from './signed-links.ts'
import { type StorageStep, storageSteps } from './storage-failure.ts'

/** What a store of files is opened with. */
export interface LocalStoreOptions {
  /** Made with the first object. Several processes may share it. */
  readonly folder: string
  /** Make the links, which lead to this platform. */
  readonly links: SignedLinks
  readonly log: Logger
}

/** No key begins with a dot: what is being written can't be read. */
const incomingName = '.incoming'

/** No upload takes that long: what is older was left by a crash, not by another process that still writes. */
const leftoverMs = 24 * 60 * 60 * 1000

/**
 * Objects as files, each under its key. One is written beside the others, brought to the disk, and then gets its name: it is
 * there whole or not at all, after a power cut too.
 */
export function openLocalStore({ folder, links, log }: LocalStoreOptions): ObjectStore {
  const root = resolve(folder)
  const store = storageSteps(log)
  const pathOf = (key: string): string => {
    assertKey(key)
    return join(root, ...key.split('/'))
  }
  const incoming = join(root, incomingName)
  let isCleared = false
  const newDraft = async () => {
    await mkdir(incoming, { recursive: true, mode: 0o700 })
    if (!isCleared) await clearLeftovers(incoming)
    isCleared = true
    return join(incoming, randomUUID())
  }
  return {
    async write(key, bytes, { size = null, signal }) {
      // A stream that fails while the file is being opened fails the reading of it, not the process.
      bytes.once('error', () => undefined)
      try {
        const target = pathOf(key)
        if (signal) addAbortSignal(signal, bytes)
        const draft = await store('write', newDraft)
        return await writeWhole({ bytes: exactly(bytes, size), draft, target, root, store })
      } finally {
        bytes.destroy()
      }
    },
    async read(key, { range, signal } = {}) {
      const path = pathOf(key)
      signal?.throwIfAborted()
      return store('read', async () => {
        const handle = await absentIsNull(open(path, 'r'))
        if (!handle || !(await isObject(handle))) return null
        const bytes = handle.createReadStream(range ?? {})
        return signal ? addAbortSignal(signal, bytes) : bytes
      })
    },
    async head(key) {
      const path = pathOf(key)
      const facts = await store('head', () => absentIsNull(stat(path)))
      return facts?.isFile() ? { size: facts.size } : null
    },
    async delete(keys) {
      const paths = keys.map(pathOf)
      await store('delete', async () => {
        for (const path of paths) await absentIsNull(unlink(path))
      })
    },
    async signedGet(key, { expiresIn, contentType, filename = null }) {
      assertKey(key)
      const expires = expiry(expiresIn)
      return linkOf(links.sign({ method: 'GET', key, expires, contentType, size: null, filename }), expires)
    },
    async signedPut(key, { expiresIn, contentType, size = null }) {
      assertKey(key)
      const expires = expiry(expiresIn)
      const url = links.sign({ method: 'PUT', key, expires, contentType, size, filename: null })
      return linkOf(url, expires, { 'content-type': contentType })
    },
  }
}

function expiry(seconds: number): number {
  return Math.floor(Date.now() / 1000 + seconds)
}

function linkOf(url: string, expires: number, headers: SignedUrl['headers'] = {}): SignedUrl {
  return { url, headers, expiresAt: expires * 1000 }
}

interface Draft {
  readonly bytes: AsyncIterable<Uint8Array>
  /** Where it is written to. */
  readonly draft: string
  /** Where it belongs. */
  readonly target: string
  readonly root: string
  readonly store: StorageStep
}

async function writeWhole({ bytes, draft, target, root, store }: Draft): Promise<number> {
  const handle = await store('write', () => open(draft, 'wx', 0o600))
  try {
    const written = await writeAll(bytes, handle, store)
    await store('write', async () => {
      await handle.sync()
      await handle.close()
      const made = await mkdir(dirname(target), { recursive: true, mode: 0o700 })
      await rename(draft, target)
      await syncFolders(dirname(target), made === undefined ? dirname(target) : root)
    })
    return written
  } catch (error) {
    await handle.close()
    await rm(draft, { force: true })
    throw error
  }
}

/** What is written at once: chunks as they come from a connection are many small ones. */
const batchBytes = 512 * 1024

/** One batch goes to the disk while the next one comes: more is not asked of the stream meanwhile. */
async function writeAll(
  bytes: AsyncIterable<Uint8Array>,
  handle: FileHandle,
  store: StorageStep,
): Promise<number> {
  let written = 0
  let batch: Uint8Array[] = []
  let batchLength = 0
  let writing: Promise<void> = Promise.resolve()
  const flush = async () => {
    await writing
    const whole = batch
    batch = []
    batchLength = 0
    writing = store('write', () => writeBatch(handle, whole))
    // it is awaited before the next one, and told then
    writing.catch(() => undefined)
  }
  try {
    for await (const chunk of bytes) {
      batch.push(chunk)
      batchLength += chunk.length
      written += chunk.length
      if (batchLength >= batchBytes) await flush()
    }
    await flush()
    await writing
    return written
  } finally {
    await writing.catch(() => undefined)
  }
}

/** Without putting the pieces together; what a system call leaves over, as near the end of a disk, is written after it. */
async function writeBatch(handle: FileHandle, pieces: readonly Uint8Array[]): Promise<void> {
  if (pieces.length === 0) return
  let { bytesWritten: left } = await handle.writev(pieces)
  for (const piece of pieces) {
    if (left < piece.length) await handle.appendFile(piece.subarray(left))
    left = Math.max(0, left - piece.length)
  }
}

/** A new name is kept by its folder, and a new folder by the one above it, up to `top`. Windows can't be asked for that. */
async function syncFolders(from: string, top: string): Promise<void> {
  if (process.platform === 'win32') return
  const above = relative(top, from).split(sep).filter(Boolean)
  for (let depth = above.length; depth >= 0; depth -= 1) {
    const handle = await open(join(top, ...above.slice(0, depth)), 'r')
    await handle.sync()
    await handle.close()
  }
}

async function clearLeftovers(folder: string): Promise<void> {
  for (const name of await readdir(folder)) {
    const path = join(folder, name)
    const facts = await absentIsNull(stat(path))
    if (facts && facts.mtimeMs < Date.now() - leftoverMs) await rm(path, { force: true })
  }
}

/** A folder may have the name of a key. */
async function isObject(handle: FileHandle): Promise<boolean> {
  if ((await handle.stat()).isFile()) return true
  await handle.close()
  return false
}

/** What is asked for a file that is not there, with a folder in its place or a file in that of its folder. */
const absent = new Set(['ENOENT', 'ENOTDIR', 'EISDIR'])

async function absentIsNull<Result>(found: Promise<Result>): Promise<Result | null> {
  try {
    return await found
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException
    if (code !== undefined && absent.has(code)) return null
    throw error
  }
}
