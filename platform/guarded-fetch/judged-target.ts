import { lookup } from 'node:dns/promises'
import { isIP } from 'node:net'
import { type AllowedHost, isAllowedAddress, isAllowedName, plainHostname } from './allowed-hosts.ts'
import { isPublicAddress, parseAddress } from './public-address.ts'

/** One of a name's addresses. */
export interface ResolvedAddress {
  readonly address: string
  readonly family: number
}

/** All addresses of a name. @throws where it has none */
export type Resolve = (hostname: string) => Promise<readonly ResolvedAddress[]>

/** By the system: its hosts file and name servers, as everything else on this machine. */
export const resolveBySystem: Resolve = (hostname) => lookup(hostname, { all: true })

/** What judges. */
export interface Judgement {
  readonly allowed: readonly AllowedHost[]
  readonly resolve: Resolve
}

/** A URL that may be fetched, and the only addresses to which its connection may go. */
export interface JudgedTarget {
  readonly url: URL
  /** The host's name for TLS; null where the host is an address. */
  readonly serverName: string | null
  readonly addresses: readonly [ResolvedAddress, ...ResolvedAddress[]]
}

/**
 * Resolves the host of an http or https URL, and judges every address that it has: one that may not be reached is enough to refuse it.
 * @throws Error for the log, with the address in it
 */
export async function judgeTarget(url: URL, { allowed, resolve }: Judgement): Promise<JudgedTarget> {
  const hostname = plainHostname(url)
  const port = Number(url.port || (url.protocol === 'https:' ? 443 : 80))
  const family = isIP(hostname)
  const [first, ...others] = family === 0 ? await resolve(hostname) : [{ address: hostname, family }]
  if (!first) throw new Error(`${hostname} has no address`)
  if (!isAllowedName(allowed, { hostname, port })) {
    for (const { address } of [first, ...others]) judgeAddress(address, port, allowed)
  }
  return { url, serverName: family === 0 ? hostname : null, addresses: [first, ...others] }
}

function judgeAddress(text: string, port: number, allowed: readonly AllowedHost[]): void {
  const address = parseAddress(text)
  if (address && (isPublicAddress(address) || isAllowedAddress(allowed, address, port))) return
  throw new Error(`${text} is not public, and OUTBOUND_ALLOW_HOSTS does not name it`)
}
