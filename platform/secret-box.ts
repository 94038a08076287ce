import { createCipheriv, createDecipheriv, hkdfSync, randomBytes } from 'node:crypto'

/** Encrypts what must not lie in the database in clear: provider keys, signing keys, stored answers. */
export interface SecretBox {
  /** AES-256-GCM under a key derived from the root secret for `purpose`; the result is base64url text. */
  seal(purpose: string, plain: string): string
  /** @throws when the text was changed, or was sealed under another secret or purpose. */
  open(purpose: string, sealed: string): string
  /** The same for bytes. */
  sealBytes(purpose: string, plain: Uint8Array): Buffer
  /** @throws when the bytes were changed, or were sealed under another secret or purpose. */
  openBytes(purpose: string, sealed: Uint8Array): Buffer
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
  const sealBytes = (purpose: string, plain: Uint8Array): Buffer => {
    const nonce = randomBytes(nonceLength)
    const cipher = createCipheriv('aes-256-gcm', keyFor(purpose), nonce)
    const sealed = Buffer.concat([cipher.update(plain), cipher.final()])
    return Buffer.concat([nonce, cipher.getAuthTag(), sealed])
  }
  const openBytes = (purpose: string, sealed: Uint8Array): Buffer => {
    const decipher = createDecipheriv('aes-256-gcm', keyFor(purpose), sealed.subarray(0, nonceLength))
    decipher.setAuthTag(sealed.subarray(nonceLength, nonceLength + tagLength))
    return Buffer.concat([decipher.update(sealed.subarray(nonceLength + tagLength)), decipher.final()])
  }
  return {
    seal: (purpose, plain) => sealBytes(purpose, Buffer.from(plain)).toString('base64url'),
    open: (purpose, sealed) => openBytes(purpose, Buffer.from(sealed, 'base64url')).toString(),
    sealBytes,
    openBytes,
  }
}
