import { once } from 'node:events'
import { mkdtemp, readdir, rm } from 'node:fs/promises'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import S3rver from 's3rver'
import { isWellSigned } from './presigned.ts'

/** A server that speaks S3, with one bucket, in a temporary folder. */
export interface S3Server {
  readonly endpoint: string
  readonly bucket: string
  readonly credentials: { readonly accessKeyId: string; readonly secretAccessKey: string }
  /** The paths of all files that lie in the bucket; parts that were not put together are none (they can't be removed here). */
  files(): Promise<string[]>
  stop(): Promise<void>
}

const bucket = 'media'
const partsFolder = '._S3rver_uploads'
const credentials = { accessKeyId: 'S3RVER', secretAccessKey: 'S3RVER' }

/** s3rver takes any signature of a key that it knows; those of links are checked before it sees them. */
export async function startS3Server({ hasBucket = true } = {}): Promise<S3Server> {
  const directory = await mkdtemp(join(tmpdir(), 'jan-s3-'))
  const s3rver = new S3rver({
    silent: true,
    directory,
    configureBuckets: hasBucket ? [{ name: bucket, configs: [] }] : [],
  })
  await s3rver.configureBuckets()
  const answer = s3rver.callback()
  const server = createServer((request, response) => {
    if (isWellSigned(request, credentials.secretAccessKey)) answer(request, response)
    else response.writeHead(403).end()
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  return {
    endpoint: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    bucket,
    credentials,
    async files() {
      const paths = await readdir(join(directory, bucket), { recursive: true })
      return paths.filter((path) => !path.startsWith(partsFolder))
    },
    async stop() {
      const closed = once(server, 'close')
      server.close()
      server.closeAllConnections()
      await closed
      await rm(directory, { recursive: true, force: true })
    },
  }
}
