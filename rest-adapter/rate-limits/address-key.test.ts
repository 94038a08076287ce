import { describe, expect, it } from '@jest/globals'
import { addressKey } from './address-key.ts'

describe('an address', () => {
  it.each([
    '9.9.9.9',
    '9.9.9.9:1234',
    '::ffff:9.9.9.9',
    '::FFFF:909:909',
    '0:0:0:0:0:ffff:0909:0909',
    '[::ffff:9.9.9.9]:443',
  ])('of IPv4 is the same caller when it is written as %s', (written) => {
    expect(addressKey(written)).toBe('address:9.9.9.9')
  })

  it.each([
    '2001:db8::1',
    '2001:DB8::1',
    '2001:0db8:0:0:0:0:0:1',
    '[2001:db8::1]',
    '[2001:db8::1]:443',
    '2001:db8::ffff:1:2:3',
    '2001:db8::9.9.9.9',
  ])('of an IPv6 network of 64 bits is the same caller when it is written as %s', (written) => {
    expect(addressKey(written)).toBe('address:2001:db8:0:0::/64')
  })

  it('of another network is another caller', () => {
    const keys = [
      '9.9.9.8',
      '9.9.9.9',
      '2001:db8::1',
      '2001:db8:0:1::1',
      '2001:db8:1::1',
      '::1',
      'fe80::1%eth0',
    ]
    expect(new Set(keys.map(addressKey)).size).toBe(keys.length)
  })

  it.each([null, undefined, '', 'unknown', 'made-up-1', '9.9.9', '9.9.9.999:1', '[::1', '::g'])(
    'that is none (%s) is one caller with all others of the kind',
    (written) => {
      expect(addressKey(written)).toBe('address:unknown')
    },
  )
})
