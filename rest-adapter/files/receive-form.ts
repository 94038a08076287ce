import { finished } from 'node:stream/promises'
import { Busboy, type BusboyFileStream, type BusboyInstance } from '@fastify/busboy'
import type { Request } from 'express'
import type { RequestContext } from '../../platform/context.ts'
import { AppError } from '../../platform/errors.ts'
import { uploadMedia } from '../../platform/media-upload.ts'
import { tooLarge } from '../../platform/observed-bytes.ts'
import type { StoredBytes } from '../../platform/stored-bytes.ts'
import {
  BeginMediaUploadDocument,
  FinishMediaUploadDocument,
  type FinishMediaUploadMutation,
} from '../operations.generated.ts'
import { bodyStream } from './receive-bytes.ts'

/** What a form is received with. */
export interface ReceiveOptions {
  readonly request: Request
  readonly context: RequestContext
  readonly store: StoredBytes
  /** The most bytes that a file may have. */
  readonly maxBytes: number
  /** The most that all of them may have together. */
  readonly maxBytesTogether: number
  /** How many files each field may have: `file` and `file[]` are the same field. Files of other fields are passed over, one too many is refused. */
  readonly files: Readonly<Record<string, number>>
}

/** The media of a file that came. */
export type ReceivedMedia = FinishMediaUploadMutation['finishMediaUpload']

/** A file whose bytes are in the store, and that becomes a media when it is called. */
type StoredFile = () => Promise<ReceivedMedia>

/** What a form has brought. */
export interface ReceivedForm {
  /** The texts by their fields; of several of one name the last. */
  readonly fields: ReadonlyMap<string, string>
  /** The media by their fields, in the order in which they came. */
  readonly media: ReadonlyMap<string, readonly ReceivedMedia[]>
}

const mostParts = 40
/** 32,000 characters of a prompt are at most so many. */
const maxFieldBytes = 128 * 1024
/** What a form may have beside its files: fields, headers of parts, other files. */
const maxBesideBytes = 1024 * 1024

/**
 * Reads a multipart form with its files straight into the store: the graph says where, by their first bytes, and makes media of
 * them once all of the form is there. One that is refused leaves none: what was stored of it is removed as any unfinished upload.
 * @throws AppError `invalid_parameter` for what is no image and for a form of too many parts, `max_size_exceeded` also for the
 * form as a whole, `unsupported_media_type` for a compressed one
 */
export async function receiveForm(options: ReceiveOptions): Promise<ReceivedForm> {
  const { request, context, maxBytesTogether, files } = options
  const form = formOf(request, files)
  const body = bodyStream(request, maxBytesTogether + maxBesideBytes, () => formTooLarge(options))
  const arrivals = new FormArrivals(form, options)
  body.once('error', (error) => form.destroy(error)).pipe(form)
  try {
    await finished(form, { signal: context.signal })
    return await arrivals.whole()
  } catch (error) {
    body.destroy()
    const failure =
      arrivals.failure ??
      (error instanceof AppError
        ? error
        : new AppError('invalid_parameter', 'The form is broken.', { cause: error }))
    await arrivals.giveUp(failure)
    throw failure
  }
}

/** A form is as large as its files are: what it may have beside them is nothing to tell. */
function formTooLarge({ files, maxBytes, maxBytesTogether }: ReceiveOptions): AppError {
  const [first = null, ...others] = Object.keys(files)
  return tooLarge(others.length === 0 ? maxBytes : maxBytesTogether, first)
}

function formOf({ headers }: Request, files: ReceiveOptions['files']): BusboyInstance {
  try {
    return new Busboy({
      headers: { ...headers, 'content-type': headers['content-type'] ?? '' },
      limits: { files: mostParts, fields: mostParts, fieldSize: maxFieldBytes },
      // Some clients leave out the name of a file; its type tells it from a text.
      isPartAFile: (field, type = '', filename) =>
        filename !== undefined || (mostOf(files, field) > 0 && !type.startsWith('text/')),
    })
  } catch (cause) {
    throw new AppError('invalid_parameter', 'The form can’t be read.', { cause })
  }
}

/** What of a form has come, while it comes. */
class FormArrivals {
  readonly #form: BusboyInstance
  readonly #options: ReceiveOptions
  readonly #fields = new Map<string, string>()
  readonly #files: { name: string; stream: BusboyFileStream; stored: Promise<StoredFile> }[] = []
  /** Why the form is given up, where it is not the form's own fault. */
  failure: unknown = null

  constructor(form: BusboyInstance, options: ReceiveOptions) {
    this.#form = form
    this.#options = options
    // What it fails with is asked for by who reads it, and it may fail again when nobody asks any more: that would end the process.
    form.on('error', () => undefined)
    // Parts without a name come, too, whatever the declarations say.
    form.on('file', (name: string | undefined, stream, filename) =>
      this.#file(name, stream, filename || null),
    )
    form.on('field', (name: string | undefined, value, _nameIsCut, valueIsCut) =>
      this.#field(name, value, valueIsCut),
    )
    const tooMany = () =>
      this.#refuse(`A form may have at most ${mostParts} texts and ${mostParts} files.`, null)
    form.on('fieldsLimit', tooMany).on('filesLimit', tooMany)
  }

  /** All of it, once the form has ended. */
  async whole(): Promise<ReceivedForm> {
    const media = new Map<string, ReceivedMedia[]>()
    for (const file of this.#files) {
      const known = media.get(file.name) ?? []
      known.push(await (await file.stored)())
      media.set(file.name, known)
    }
    return { fields: this.#fields, media }
  }

  /** Ends what is still being stored. */
  async giveUp(reason: unknown): Promise<void> {
    for (const { stream } of this.#files) stream.destroy(reason as Error)
    await Promise.allSettled(this.#files.map(({ stored }) => stored))
  }

  #file(field: string | undefined, stream: BusboyFileStream, filename: string | null): void {
    // A form that is cut short fails the file that it is in: without a listener that would end the process.
    stream.on('error', () => undefined)
    const { files } = this.#options
    const name = plainName(field)
    const most = mostOf(files, field)
    if (most === 0 || this.#files.filter((file) => file.name === name).length >= most) {
      stream.resume()
      if (most > 0)
        this.#refuse(`${name} may have at most ${most === 1 ? 'one file' : `${most} files`}.`, name)
      return
    }
    const stored = this.#store(name, stream, filename)
    stored.catch((error: unknown) => this.#fail(error))
    this.#files.push({ name, stream, stored })
  }

  #field(field: string | undefined, value: string, isCut: boolean): void {
    const name = plainName(field)
    if (name === '') this.#refuse('A part of the form has no name.', null)
    else if (isCut) this.#refuse(`${name} is too long.`, name)
    else this.#fields.set(name, value)
  }

  #refuse(message: string, param: string | null): void {
    this.#fail(new AppError('invalid_parameter', message, { param }))
  }

  #fail(error: unknown): void {
    this.failure ??= error
    this.#form.destroy(error as Error)
  }

  #store(param: string, bytes: BusboyFileStream, filename: string | null): Promise<StoredFile> {
    const { context, store, maxBytes } = this.#options
    const { graph, signal } = context
    return uploadMedia({ bytes, filename, maxBytes, param, signal }, store, {
      begin: async (input) =>
        (await graph.execute(BeginMediaUploadDocument, { input }, context)).beginMediaUpload,
      finish: async (input) => async () =>
        (await graph.execute(FinishMediaUploadDocument, { input }, context)).finishMediaUpload,
    })
  }
}

/** Clients write `image[]` where there are several. Empty for a part that has no name. */
function plainName(field = ''): string {
  return field.endsWith('[]') ? field.slice(0, -2) : field
}

/** How many files a field may have; 0 for one that takes none. */
function mostOf(files: ReceiveOptions['files'], field: string | undefined): number {
  const name = plainName(field)
  return Object.hasOwn(files, name) ? (files[name] ?? 0) : 0
}
