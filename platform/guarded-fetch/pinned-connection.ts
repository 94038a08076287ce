import type { LookupFunction } from 'node:net'
import { Client } from 'undici'
import type { JudgedTarget, ResolvedAddress } from './judged-target.ts'

/**
 * A client for one request to a judged target. It asks nobody where the host is: the connection goes to an address that was judged, and
 * TLS verifies the host's name all the same. HTTP/1.1 only: there destroying it is the end of the connection. It has no
 * deadlines of its own: the signal ends its socket, also one that is still connecting, which undici would leave alone.
 */
export function pinnedConnection({ url, serverName, addresses }: JudgedTarget, signal: AbortSignal): Client {
  return new Client(url.origin, {
    connect: {
      signal,
      lookup: lookupOf(addresses),
      timeout: 0,
      allowH2: false,
      maxCachedSessions: 0,
      ...(serverName === null ? {} : { servername: serverName }),
    },
    pipelining: 0,
    headersTimeout: 0,
    bodyTimeout: 0,
    allowH2: false,
  })
}

function lookupOf(addresses: JudgedTarget['addresses']): LookupFunction {
  const all: ResolvedAddress[] = [...addresses]
  const [first] = addresses
  return (_, options, callback) => {
    if (options.all) callback(null, all)
    else callback(null, first.address, first.family)
  }
}
