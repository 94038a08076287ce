import { isIPv4, isIPv6 } from 'node:net'

/** What every caller is counted as whose address is not known. */
const unknown = 'unknown'

const inBrackets = /^\[([^\]]*)\](?::\d+)?$/
const withPort = /^([\d.]+):\d+$/
const zone = /%.*$/

/**
 * Who is counted at an address, however it is written: port and brackets are left out, IPv4 inside IPv6 is IPv4, and of IPv6
 * only the /64 counts, since that is the least that one customer is given (RFC 6177). All that is no address is one caller.
 */
export function addressKey(ip: string | null | undefined): string {
  return `address:${counted(bare(ip ?? ''))}`
}

function bare(written: string): string {
  const [, address = written] = inBrackets.exec(written) ?? withPort.exec(written) ?? []
  return address.replace(zone, '')
}

function counted(address: string): string {
  if (isIPv4(address)) return address
  if (!isIPv6(address)) return unknown
  const groups = groupsOf(address)
  return mappedIPv4(groups) ?? `${groups.slice(0, 4).join(':')}::/64`
}

/** The eight groups of an IPv6 address, without leading zeros. */
function groupsOf(address: string): readonly string[] {
  // The WHATWG parser writes every form of an address in one way, an IPv4 tail as two groups.
  const written = new URL(`http://[${address}]`).hostname.slice(1, -1)
  const [head = '', tail] = written.split('::')
  const first = head.split(':').filter(Boolean)
  const last = (tail ?? '').split(':').filter(Boolean)
  return [...first, ...Array<string>(8 - first.length - last.length).fill('0'), ...last]
}

/** RFC 4291 2.5.5.2: `::ffff:192.0.2.1`, as a socket that listens for both kinds names its IPv4 peers. */
function mappedIPv4(groups: readonly string[]): string | undefined {
  if (groups.slice(0, 6).join(':') !== '0:0:0:0:0:ffff') return undefined
  return groups
    .slice(6)
    .map((group) => Number.parseInt(group, 16))
    .flatMap((pair) => [pair >> 8, pair & 0xff])
    .join('.')
}
