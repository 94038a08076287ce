import type { Contestant } from './figure.ts'

type Sample = Contestant['sample']

/** The bare Node proxy, the peer and the platform, all asked the same. */
export function proxies(sample: Sample): readonly Contestant[] {
  return [
    { name: 'bare proxy', target: 'bare proxy', sample },
    { name: 'portkey', target: 'portkey', sample },
    { name: 'platform', target: 'platform', ours: true, sample },
  ]
}
