import { type CryptoKey, calculateJwkThumbprint, exportJWK, generateKeyPair, importJWK, type JWK } from 'jose'
import type { Logger } from '../../../platform/log.ts'
import type { SecretBox } from '../../../platform/secret-box.ts'
import type { SigningKey } from '../entities.ts'
import type { NewSigningKey, SigningKeySource } from '../sources/signing-keys.ts'

/** The built-in issuer's algorithm. */
export const signingAlgorithm = 'ES256'

const sealingPurpose = 'accounts/signing-key'
/** How old the ring may be: other processes rotate too. */
const refreshMs = 60_000
/** An unknown key id is looked up again at most this often: anybody can make one up. */
const unknownKeyPauseMs = 1_000

/** The key that signs now. */
export interface Signer {
  readonly kid: string
  readonly privateKey: CryptoKey
}

/** The built-in issuer's keys: one signs, it and its predecessors verify. Made, kept and rotated in the database. */
export interface KeyRing {
  signer(): Promise<Signer>
  /** Undefined when there is no such key. */
  verifier(kid: string): Promise<CryptoKey | undefined>
  publicKeys(): Promise<JWK[]>
}

/** What a key ring is made of. */
export interface KeyRingOptions {
  readonly source: SigningKeySource
  readonly secrets: SecretBox
  readonly log: Logger
  /** How long a key signs before the next takes over, in milliseconds. */
  readonly maxAgeMs: number
  /** How long a token may live, skew included: its key verifies that much longer. */
  readonly tokenLifeMs: number
}

interface LoadedKeys {
  readonly at: number
  readonly signer: Signer | null
  readonly newest: SigningKey | undefined
  readonly verifiers: ReadonlyMap<string, CryptoKey>
  readonly publicKeys: readonly JWK[]
}

export function keyRing({ source, secrets, log, maxAgeMs, tokenLifeMs }: KeyRingOptions): KeyRing {
  let loaded: LoadedKeys | undefined
  let loading: Promise<LoadedKeys> | undefined
  let rotating: Promise<LoadedKeys> | undefined

  const load = async (read: () => Promise<SigningKey[]>): Promise<LoadedKeys> => {
    const keys = await read()
    const [newest] = keys
    const publicKeys = keys.map((key) => key.publicJwk as JWK)
    const verifiers = await Promise.all(
      publicKeys.map(
        async (jwk) => [jwk.kid ?? '', (await importJWK(jwk, signingAlgorithm)) as CryptoKey] as const,
      ),
    )
    loaded = {
      at: Date.now(),
      newest,
      publicKeys,
      verifiers: new Map(verifiers),
      signer: newest ? await openSigner(newest, secrets, log) : null,
    }
    return loaded
  }
  const atMostOld = async (ms: number): Promise<LoadedKeys> => {
    if (loaded && Date.now() - loaded.at < ms) return loaded
    loading ??= load(() => source.current()).finally(() => {
      loading = undefined
    })
    return loading
  }

  const rotated = ({ newest, signer }: LoadedKeys): Promise<LoadedKeys> => {
    const unusable = newest && !signer ? newest.kid : null
    const rule = { maxAgeMs, graceMs: tokenLifeMs + 2 * refreshMs, unusable }
    rotating ??= load(() => source.rotate(rule, () => newSigningKey(secrets))).finally(() => {
      rotating = undefined
    })
    return rotating
  }

  return {
    async signer() {
      const keys = await atMostOld(refreshMs)
      const age = keys.newest ? Date.now() - keys.newest.createdAt.getTime() : Number.POSITIVE_INFINITY
      if (keys.signer && age < maxAgeMs) return keys.signer
      const { signer } = await rotated(keys)
      if (!signer) throw new Error('no signing key can be opened')
      return signer
    },

    async verifier(kid) {
      const keys = await atMostOld(refreshMs)
      return keys.verifiers.get(kid) ?? (await atMostOld(unknownKeyPauseMs)).verifiers.get(kid)
    },

    async publicKeys() {
      return [...(await atMostOld(unknownKeyPauseMs)).publicKeys]
    },
  }
}

async function newSigningKey(secrets: SecretBox): Promise<NewSigningKey> {
  const { privateKey, publicKey } = await generateKeyPair(signingAlgorithm, { extractable: true })
  const bare = await exportJWK(publicKey)
  const kid = await calculateJwkThumbprint(bare)
  return {
    kid,
    publicJwk: { ...bare, kid, alg: signingAlgorithm, use: 'sig' },
    privateSealed: secrets.seal(sealingPurpose, JSON.stringify(await exportJWK(privateKey))),
  }
}

/** Null when the key was sealed under another root secret: it goes on verifying, and another takes over. */
async function openSigner(key: SigningKey, secrets: SecretBox, log: Logger): Promise<Signer | null> {
  let plain: string
  try {
    plain = secrets.open(sealingPurpose, key.privateSealed)
  } catch (error) {
    log.warn({ err: error }, 'the signing key was sealed under another JAN_SECRET; making a new one')
    return null
  }
  return { kid: key.kid, privateKey: (await importJWK(JSON.parse(plain), signingAlgorithm)) as CryptoKey }
}
