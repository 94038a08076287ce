import { CreateBucketCommand, HeadBucketCommand, type S3Client } from '@aws-sdk/client-s3'

/** Makes the bucket where there is none. Whoever else makes it at the same moment is as welcome. */
export async function ensureBucket(client: S3Client, bucket: string): Promise<void> {
  if (await exists(client, bucket)) return
  try {
    await client.send(new CreateBucketCommand({ Bucket: bucket }))
  } catch (error) {
    if (!(error instanceof Error) || !alreadyThere.has(error.name)) throw error
  }
}

const alreadyThere = new Set(['BucketAlreadyOwnedByYou', 'BucketAlreadyExists'])

async function exists(client: S3Client, bucket: string): Promise<boolean> {
  try {
    await client.send(new HeadBucketCommand({ Bucket: bucket }))
    return true
  } catch (error) {
    if (error instanceof Error && (error.name === 'NotFound' || error.name === 'NoSuchBucket')) return false
    throw error
  }
}

/** Does the work before the first of those who need it, once; what fails is tried again for the next. */
export function once(work: () => Promise<void>): () => Promise<void> {
  let done: Promise<void> | null = null
  return () => {
    done ??= work().catch((error: unknown) => {
      done = null
      throw error
    })
    return done
  }
}
