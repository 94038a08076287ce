import { isIP } from 'node:net'
import ipaddr from 'ipaddr.js'
import { type Address, parseAddress } from './public-address.ts'

/** An entry of `OUTBOUND_ALLOW_HOSTS`: a name, or a network (an address alone is the smallest), on one port or on all. */
export type AllowedHost = (
  | { readonly name: string }
  | { readonly network: readonly [Address, prefixLength: number] }
) & { readonly port: number | null }

/** Where a connection is to go. */
export interface Destination {
  /** In the spelling of `URL`, without brackets and without a dot at its end. */
  readonly hostname: string
  readonly port: number
}

/** Reads `host`, `host:port`, an address with or without a port (`[::1]:80`), or a network such as `10.0.0.0/8`; null for anything else. */
export function parseAllowedHost(entry: string): AllowedHost | null {
  if (entry.includes('/')) return parseNetwork(entry)
  const bare = parseAddress(entry)
  if (bare) return { network: [bare, bits(bare)], port: null }
  const [, host = '', port] = /^(\[[^\]]+\]|[^:[\]]+)(?::(\d{1,5}))?$/.exec(entry) ?? []
  if (port !== undefined && (Number(port) < 1 || Number(port) > 65_535)) return null
  return parseHost(host, port === undefined ? null : Number(port))
}

function parseNetwork(entry: string): AllowedHost | null {
  if (isIP(entry.replace(/\/.*/, '')) === 0 || !ipaddr.isValidCIDR(entry)) return null
  return { network: ipaddr.parseCIDR(entry), port: null }
}

/** `URL` lower-cases names, writes IDNs in ASCII and unravels odd spellings of addresses, as it does with what users send. */
function parseHost(host: string, port: number | null): AllowedHost | null {
  if (!/^[^\s/?#@\\*]+$/.test(host)) return null
  const url = URL.parse(`http://${host}/`)
  if (!url) return null
  const hostname = plainHostname(url)
  const address = parseAddress(hostname)
  return address ? { network: [address, bits(address)], port } : { name: hostname, port }
}

/** A URL's host without the brackets of IPv6 and without the dot of a full name. */
export function plainHostname({ hostname }: URL): string {
  return hostname.replace(/^\[(.*)\]$/, '$1').replace(/\.$/, '')
}

/** Whether an entry names the destination itself, so that it does not matter where its name leads. */
export function isAllowedName(allowed: readonly AllowedHost[], { hostname, port }: Destination): boolean {
  return allowed.some((entry) => 'name' in entry && entry.name === hostname && coversPort(entry, port))
}

/** Whether an entry opens the address. */
export function isAllowedAddress(allowed: readonly AllowedHost[], address: Address, port: number): boolean {
  return allowed.some((entry) => {
    if (!('network' in entry) || !coversPort(entry, port)) return false
    const [base, prefixLength] = entry.network
    return base.kind() === address.kind() && address.match(base, prefixLength)
  })
}

function coversPort(entry: AllowedHost, port: number): boolean {
  return entry.port === null || entry.port === port
}

function bits(address: Address): number {
  return address.kind() === 'ipv4' ? 32 : 128
}
