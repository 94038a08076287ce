import { describe, expect, it } from '@jest/globals'
import { isPublicAddress, parseAddress } from './public-address.ts'

const isPublic = (text: string) => {
  const address = parseAddress(text)
  return address !== null && isPublicAddress(address)
}

const refused: Readonly<Record<string, readonly string[]>> = {
  'this network': ['0.0.0.0', '0.1.2.3'],
  private: ['10.0.0.0', '10.255.255.255', '172.16.0.1', '172.31.255.255', '192.168.0.1', '192.168.255.255'],
  loopback: ['127.0.0.1', '127.255.255.255', '::1'],
  'link-local': ['169.254.0.1', '169.254.169.254', 'fe80::1', 'febf::1', 'fe80::1%eth0'],
  'metadata of clouds': ['169.254.170.2', '100.100.100.200', '168.63.129.16', '192.0.0.192', 'fd00:ec2::254'],
  'shared between providers': ['100.64.0.1', '100.127.255.255'],
  multicast: ['224.0.0.1', '239.255.255.255', 'ff02::1', 'ff0e::1'],
  broadcast: ['255.255.255.255'],
  reserved: ['192.0.0.1', '192.0.2.1', '192.88.99.1', '198.18.0.1', '198.19.255.255', '240.0.0.1'],
  'for documents': ['198.51.100.1', '203.0.113.1', '2001:db8::1', '3fff::1'],
  unspecified: ['::'],
  'unique local': ['fc00::1', 'fdff::1'],
  'site-local': ['fec0::1'],
  'not given out': ['::2', '4000::1', '200::1', '100::1', '5f00::1'],
  'IPv4-mapped': ['::ffff:127.0.0.1', '::ffff:a00:1', '0:0:0:0:0:ffff:169.254.169.254'],
  'IPv4-compatible': ['::127.0.0.1', '::a00:1', '::8.8.8.8'],
  'IPv4-translated': ['::ffff:0:127.0.0.1', '::ffff:0:8.8.8.8'],
  'within NAT64': ['64:ff9b::127.0.0.1', '64:ff9b::a00:1', '64:ff9b::a9fe:a9fe', '64:ff9b:1::8.8.8.8'],
  'within 6to4': ['2002:7f00:1::', '2002:a00:1::1', '2002:808:808::1'],
  'within Teredo': ['2001:0:7f00:1::1', '2001::1'],
  'no address': ['', 'localhost', '2130706433', '0x7f.1', '8.8.8', '8.8.8.8:80', '[2606:4700::1111]'],
}

describe('an address', () => {
  it.each(Object.entries(refused))('%s is not public', (_, addresses) => {
    expect(addresses.filter(isPublic)).toEqual([])
  })

  it('of the internet is public, at the borders of private networks too', () => {
    const addresses = [
      ...[
        '1.1.1.1',
        '8.8.8.8',
        '9.255.255.255',
        '11.0.0.0',
        '100.63.255.255',
        '100.128.0.0',
        '126.255.255.255',
      ],
      ...['128.0.0.1', '169.253.255.255', '169.255.0.0', '172.15.255.255', '172.32.0.0', '192.167.255.255'],
      ...['198.17.255.255', '198.20.0.0', '223.255.255.255', '168.63.129.17'],
      ...['2606:4700:4700::1111', '2a00:1450:4001:81b::200e', '::ffff:8.8.8.8', '64:ff9b::8.8.8.8'],
    ]
    expect(addresses.filter((address) => !isPublic(address))).toEqual([])
  })
})
