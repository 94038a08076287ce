import { randomUUID } from 'node:crypto'
import sharp from 'sharp'
import { Pool } from 'undici'
import type { Contestant, Figure } from '../figure.ts'
import { residentMegabytes } from '../process-usage.ts'
import type { Target } from '../targets/target.ts'

const connections = 10

/** One way to send and to fetch a file. */
interface FileCalls {
  /** What a caller sends, made once: the load has nothing to copy. */
  bodyOf(file: Buffer): CallerBody
  /** @returns the path to fetch it from */
  upload(client: Pool, target: Target, body: CallerBody): Promise<string>
}

/** A body that is another with each call: only its mark changes. */
interface CallerBody {
  readonly bytes: Buffer
  /** Where the file begins in it. */
  readonly fileAt: number
}

const plainFiles: FileCalls = {
  bodyOf: (file) => ({ bytes: Buffer.from(file), fileAt: 0 }),
  async upload(client, _target, { bytes }) {
    const path = `/${randomUUID()}.jpg`
    await answer(client, { path, method: 'PUT', headers: {}, body: bytes })
    return path
  },
}

const boundary = randomUUID()
const formHead = `--${boundary}\r\nContent-Disposition: form-data; name="file"; filename="a.jpg"\r\nContent-Type: image/jpeg\r\n\r\n`

/** A multipart form, as browsers send it; every file is another, so that none is known already. */
const media: FileCalls = {
  bodyOf: (file) => ({
    bytes: Buffer.concat([Buffer.from(formHead), file, Buffer.from(`\r\n--${boundary}--\r\n`)]),
    fileAt: formHead.length,
  }),
  async upload(client, { headers }, { bytes }) {
    const type = { 'content-type': `multipart/form-data; boundary=${boundary}` }
    const text = await answer(client, {
      path: '/v1/media/upload',
      method: 'POST',
      headers: { ...headers, ...type },
      body: bytes,
    })
    return `/v1/media/${(JSON.parse(text.toString()) as { id: string }).id}`
  },
}

const sampleOf =
  ({ bodyOf, upload }: FileCalls): Contestant['sample'] =>
  async (target, { seconds }) => {
    const client = new Pool(target.origin, { connections })
    const base = await largeJpeg()
    const paths: string[] = []
    let peak = 0
    /** Megabytes a second of `work` by as many callers as there are connections. */
    const measured = async (work: (body: CallerBody) => Promise<void>) => {
      const bodies = Array.from({ length: connections }, () => bodyOf(base))
      const started = performance.now()
      let done = 0
      const caller = async (body: CallerBody) => {
        while (performance.now() - started < seconds * 1000) {
          await work(body)
          done += 1
          peak = Math.max(peak, residentMegabytes(target.pid))
        }
      }
      await Promise.all(bodies.map(caller))
      return (done * base.length) / 1_000_000 / ((performance.now() - started) / 1000)
    }
    try {
      const up = await measured(async (body) => {
        mark(body)
        paths.push(await upload(client, target, body))
      })
      let next = 0
      const down = await measured(async () => {
        const path = paths[next++ % paths.length] ?? ''
        const bytes = await answer(client, { path, method: 'GET', headers: { ...target.headers } })
        if (bytes.length !== base.length) throw new Error(`${bytes.length} bytes came back`)
      })
      return [up, down, peak]
    } finally {
      await client.destroy()
    }
  }

export const mediaThroughput: Figure = {
  name: 'media',
  title: `Images of 10 MB over ${connections} connections`,
  columns: [
    { label: 'upload MB/s', digits: 0, against: 'ratio', reach: { atLeast: 0.7 } },
    { label: 'download MB/s', digits: 0, against: 'ratio', reach: { atLeast: 0.7 } },
    { label: 'peak resident MB', digits: 0, against: 'difference' },
  ],
  baseline: 'express, plain files',
  contestants: [
    { name: 'express, plain files', target: 'file server', sample: sampleOf(plainFiles) },
    { name: 'platform, media', target: 'platform', ours: true, sample: sampleOf(media) },
  ],
}

let made: Promise<Buffer> | undefined

/** A whole JPEG of about 10 MB: noise, with a comment after its first bytes. */
function largeJpeg(): Promise<Buffer> {
  made ??= (async () => {
    const noise = { type: 'gaussian', mean: 128, sigma: 60 } as const
    const create = { width: 1_930, height: 1_930, channels: 3, background: 'black', noise } as const
    const image = await sharp({ create }).jpeg({ quality: 100, chromaSubsampling: '4:4:4' }).toBuffer()
    return Buffer.concat([image.subarray(0, 2), comment(Buffer.alloc(markBytes)), image.subarray(2)])
  })()
  return made
}

const markBytes = 36

function comment(text: Buffer): Buffer {
  const head = Buffer.from([0xff, 0xfe, 0, 0])
  head.writeUInt16BE(text.length + 2, 2)
  return Buffer.concat([head, text])
}

/** Makes the image another one, in its first comment. */
function mark({ bytes, fileAt }: CallerBody): void {
  bytes.write(randomUUID(), fileAt + 6, markBytes, 'latin1')
}

async function answer(client: Pool, request: Parameters<Pool['request']>[0]): Promise<Buffer> {
  const { statusCode, body } = await client.request(request)
  const bytes = Buffer.from(await body.arrayBuffer())
  if (statusCode === 200) return bytes
  throw new Error(`${request.path} answered ${statusCode}: ${bytes.toString().slice(0, 300)}`)
}
