import { describe, expect, it } from '@jest/globals'
import { type AllowedHost, isAllowedAddress, isAllowedName, parseAllowedHost } from './allowed-hosts.ts'
import { parseAddress } from './public-address.ts'

const list = (text: string) => text.split(',').map((entry) => parseAllowedHost(entry) as AllowedHost)
const opensName = (entries: string, hostname: string, port = 80) =>
  isAllowedName(list(entries), { hostname, port })
const opensAddress = (entries: string, address: string, port = 80) =>
  isAllowedAddress(list(entries), parseAddress(address)!, port)

describe('an entry of the allow-list', () => {
  it('opens a name on every port, and no other name', () => {
    expect(opensName('minio', 'minio')).toBe(true)
    expect(opensName('minio', 'minio', 9000)).toBe(true)
    expect(opensName('minio', 'minio.example')).toBe(false)
    expect(opensName('minio', 'my-minio')).toBe(false)
    expect(opensName('a.test,minio', 'minio')).toBe(true)
  })

  it('opens a name in every spelling of it', () => {
    expect(opensName('MinIO.', 'minio')).toBe(true)
    expect(opensName('bücher.test:80', 'xn--bcher-kva.test')).toBe(true)
  })

  it('opens one port of a host', () => {
    expect(opensName('minio:9000', 'minio', 9000)).toBe(true)
    expect(opensName('minio:9000', 'minio', 9001)).toBe(false)
    expect(opensAddress('10.0.0.5:80', '10.0.0.5', 80)).toBe(true)
    expect(opensAddress('10.0.0.5:80', '10.0.0.5', 81)).toBe(false)
    expect(opensAddress('[fd00::5]:80', 'fd00::5', 80)).toBe(true)
    expect(opensAddress('[fd00::5]:80', 'fd00::5', 81)).toBe(false)
  })

  it('opens an address alone, IPv4-mapped too', () => {
    expect(opensAddress('10.0.0.5', '10.0.0.5')).toBe(true)
    expect(opensAddress('10.0.0.5', '::ffff:10.0.0.5')).toBe(true)
    expect(opensAddress('10.0.0.5', '10.0.0.6')).toBe(false)
    expect(opensAddress('fd00::5', 'fd00::5')).toBe(true)
    expect(opensAddress('[fd00::5]', 'fd00::5')).toBe(true)
    expect(opensAddress('fd00::5', 'fd00::6')).toBe(false)
  })

  it('opens a network of its own kind', () => {
    expect(opensAddress('10.0.0.0/8', '10.200.0.1')).toBe(true)
    expect(opensAddress('10.0.0.0/8', '11.0.0.1')).toBe(false)
    expect(opensAddress('10.0.0.0/8', 'fd00::1')).toBe(false)
    expect(opensAddress('fd00::/8', 'fd12::1')).toBe(true)
    expect(opensAddress('fd00::/8', '10.0.0.1')).toBe(false)
  })

  it('that opens a name opens no address, and the other way round', () => {
    expect(opensAddress('localhost', '127.0.0.1')).toBe(false)
    expect(opensName('127.0.0.1', 'localhost')).toBe(false)
  })

  it.each([
    ...['http://minio', 'minio/', 'minio:0', 'minio:65536', 'minio:port', 'a b', '*.internal', 'user@minio'],
    ...[
      '10.0.0.0/33',
      '10/8',
      'fd00::/129',
      'minio/8',
      '10.0.0.0/8:80',
      '[::1',
      '::1]:80',
      'minio:',
      ':80',
      '999.1.1.1',
    ],
  ])('%s is none', (entry) => {
    expect(parseAllowedHost(entry)).toBeNull()
  })
})
