import { finished } from 'node:stream/promises'
import { Busboy, type BusboyFileStream, type BusboyInstance } from '@fastify/busboy'
import type { Request } from 'express'
import type { RequestContext } from '../../platform/context.ts'
import { AppError } from '../../platform/errors.ts'
import { observeBytes } from '../../platform/observed-bytes.ts'
import type { StoredBytes } from '../../platform/stored-bytes.ts'
import {
  BeginMediaUploadDocument,
  FinishMediaUploadDocument,
  type FinishMediaUploadMutation,
} from '../operations.generated.ts'
import { bodyStream } from './receive-bytes.ts'

/** What a file is received with. */
export interface ReceiveOptions {
  readonly request: Request
  readonly context: RequestContext
  readonly store: StoredBytes
  readonly maxBytes: number
}

/** The media of a file that came, and what came beside it. */
export type ReceivedMedia = FinishMediaUploadMutation['finishMediaUpload']

const maxFields = 20
const maxFieldBytes = 4_096
/** What a form may have beside its file: fields, headers of parts, other files. */
const maxBesideBytes = 1024 * 1024
const param = 'file'

/**
 * Reads the one file of a multipart form straight into the store: the graph says where, by its first bytes, and makes the
 * media of it when the last one is there.
 * @throws AppError `missing_parameter` without a file, `invalid_parameter` for what is no image, `max_size_exceeded` also for the
 * form as a whole, `unsupported_media_type` for a compressed one
 */
export async function receiveForm({
  request,
  context,
  store,
  maxBytes,
}: ReceiveOptions): Promise<ReceivedMedia> {
  const form = formOf(request)
  const body = bodyStream(request, maxBytes + maxBesideBytes, param)
  const arrival: { file?: BusboyFileStream; media?: Promise<ReceivedMedia>; failure?: unknown } = {}
  // What it fails with is asked for below, and it may fail again when nobody asks any more: that would end the process.
  form.on('error', () => undefined)
  form.on('file', (name, file, filename) => {
    // A form that is cut short fails the file that it is in: without a listener that would end the process.
    file.on('error', () => undefined)
    if (name !== param || arrival.file) {
      file.resume()
      return
    }
    arrival.file = file
    arrival.media = storeFile(file, filename || null, { context, store, maxBytes })
    arrival.media.catch((error: unknown) => {
      arrival.failure = error
      form.destroy(error as Error)
    })
  })
  body.once('error', (error) => form.destroy(error)).pipe(form)
  try {
    await finished(form, { signal: context.signal })
  } catch (error) {
    body.destroy()
    if (arrival.failure) throw arrival.failure
    const failure =
      error instanceof AppError
        ? error
        : new AppError('invalid_parameter', 'The form is broken.', { cause: error })
    arrival.file?.destroy(failure)
    await arrival.media?.catch(() => undefined)
    throw failure
  }
  if (!arrival.media) throw new AppError('missing_parameter', 'The form has no file named file.', { param })
  return arrival.media
}

function formOf({ headers }: Request): BusboyInstance {
  try {
    return new Busboy({
      headers: { ...headers, 'content-type': headers['content-type'] ?? '' },
      limits: { files: maxFields, fields: maxFields, fieldSize: maxFieldBytes },
    })
  } catch (cause) {
    throw new AppError('invalid_parameter', 'The form can’t be read.', { cause })
  }
}

async function storeFile(
  file: BusboyFileStream,
  filename: string | null,
  { context, store, maxBytes }: Omit<ReceiveOptions, 'request'>,
): Promise<ReceivedMedia> {
  const { graph, signal } = context
  const observed = await observeBytes(file, { maxBytes, param })
  const head = observed.head.toString('base64')
  const { beginMediaUpload } = await graph.execute(
    BeginMediaUploadDocument,
    { input: { head, param } },
    context,
  )
  const { id, storageKey, contentType } = beginMediaUpload
  await store.write(storageKey, observed.stream, { contentType, signal })
  const { bytes, sha256, tail } = observed.facts()
  const input = { id, storageKey, head, tail: tail.toString('base64'), bytes, sha256, filename, param }
  return (await graph.execute(FinishMediaUploadDocument, { input }, context)).finishMediaUpload
}
