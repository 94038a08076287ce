import { createCipheriv, createDecipheriv, hkdfSync, randomBytes } from 'node:crypto'

/** Encrypts what must not lie in the database in clear: provider keys, signing keys, stored answers. */
export interface SecretBox {
  /** AES-256-GCM under a key derived from the root secret for `purpose`; the result is base64url text. */
  seal(purpose: string, plain: string): string
  /** @throws when the text was changed, or was sealed under another secret or purpose. */
  open(purpose: string, sealed: string): string
}

const nonceLength = 12
const tagLength = 16

/** @param rootSecret `JAN_SECRET`, or the secret kept in the data folder. */
export function createSecretBox(rootSecret: string): SecretBox {
  const keys = new Map<string, Buffer>()
  const keyFor = (purpose: string): Buffer => {
    const known = keys.get(purpose)
    if (known) return known
    const key = Buffer.from(hkdfSync('sha256', rootSecret, 'jan-graph', purpose, 32))
    keys.set(purpose, key)
    return key
  }
  return {
    seal(purpose, plain) {
      const nonce = randomBytes(nonceLength)
      const cipher = createCipheriv('aes-256-gcm', keyFor(purpose), nonce)
      const sealed = Buffer.concat([cipher.update(plain, 'utf8'), cipher.final()])
      return Buffer.concat([nonce, cipher.getAuthTag(), sealed]).toString('base64url')
    },
    open(purpose, sealed) {
      const bytes = Buffer.from(sealed, 'base64url')
      const decipher = createDecipheriv('aes-256-gcm', keyFor(purpose), bytes.subarray(0, nonceLength))
      decipher.setAuthTag(bytes.subarray(nonceLength, nonceLength + tagLength))
      return Buffer.concat([
        decipher.update(bytes.subarray(nonceLength + tagLength)),
        decipher.final(),
      ]).toString('utf8')
    },
  }
}
