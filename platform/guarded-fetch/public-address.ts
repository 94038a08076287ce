import { isIP } from 'node:net'
import ipaddr from 'ipaddr.js'

/** An address as ipaddr.js has it. */
export type Address = ipaddr.IPv4 | ipaddr.IPv6

/** The well-known prefix of NAT64 (RFC 6052): its last 32 bits are the IPv4 address that is reached. */
const nat64 = ipaddr.parseCIDR('64:ff9b::/96')

/** All that IANA has given out as global unicast; what lies outside is special or nobody's, such as `::/96`. */
const globalUnicast = ipaddr.parseCIDR('2000::/3')

/** Azure's virtual machines reach their host's metadata at this address, public only in looks. */
const azureHost = '168.63.129.16'

/** `::8.8.8.8` has been nothing since RFC 4291, but ipaddr.js takes it for the IPv4 address, which it does not reach. */
const ipv4Compatible = /^::\d+\./

/** Reads an address, no name and no number; an IPv4-mapped one is the IPv4 address that it maps. Null for anything else. */
export function parseAddress(text: string): Address | null {
  return isIP(text) !== 0 && !ipv4Compatible.test(text) ? ipaddr.process(text) : null
}

/**
 * Whether an address belongs to a host of the public internet: not private, loopback, link-local, shared, multicast, reserved, and
 * no form that carries such an address within. Of those forms only NAT64 is looked into, which hosts without IPv4 need;
 * 6to4 and Teredo, both retired, are refused altogether.
 */
export function isPublicAddress(address: Address): boolean {
  if (address instanceof ipaddr.IPv4) return address.range() === 'unicast' && address.toString() !== azureHost
  if (address.match(nat64)) return isPublicAddress(new ipaddr.IPv4(address.toByteArray().slice(12)))
  return address.range() === 'unicast' && address.match(globalUnicast)
}
