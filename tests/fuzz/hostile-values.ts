import fc from 'fast-check'

/** Texts that have broken somebody's server. */
const knownEvils = [
  '',
  ' ',
  '\u0000',
  'a\u0000b',
  '\ud800',
  '\udfff\ud800',
  '\ufeff',
  '\u202e',
  '../../../etc/passwd',
  '%00',
  '%2e%2e%2f',
  "' or 1=1 --",
  '"; drop table item; --',
  '$1',
  '{{7*7}}',
  `\${jndi:ldap://127.0.0.1/a}`,
  '<script>alert(1)</script>',
  '__proto__',
  'constructor',
  'toString',
  'null',
  'undefined',
  'NaN',
  '-1',
  '0x10',
  '1e309',
  '9007199254740993',
  '2147483648',
  'conv_0000000000000000',
  'msg_000000000000000000000000',
  'proj_0000000000000000',
  'share_0000000000000000',
  '0000000000000000000000',
  '00000000-0000-0000-0000-000000000000',
  'http://169.254.169.254/latest/meta-data',
  'x'.repeat(5_000),
  '👩‍👩‍👧‍👦'.repeat(50),
]

export const hostileText: fc.Arbitrary<string> = fc.oneof(
  { weight: 3, arbitrary: fc.constantFrom(...knownEvils) },
  fc.string({ unit: 'binary', maxLength: 40 }),
  fc.string({ maxLength: 40 }),
)

const hostileNumber: fc.Arbitrary<number> = fc.oneof(
  fc.constantFrom(0, -0, -1, 1e21, 2 ** 31, 2 ** 53, -(2 ** 63), 0.1, 1e-7),
  fc.integer(),
  fc.double({ noNaN: true, noDefaultInfinity: true }),
)

/** Any JSON value, mostly one that nobody expects. */
export const hostileJson: fc.Arbitrary<unknown> = fc.oneof(
  { weight: 3, arbitrary: hostileText },
  hostileNumber,
  fc.constantFrom<unknown>(null, true, false, [], {}, [[]], [null], { __proto__: null }, nested(200)),
  fc.jsonValue({ maxDepth: 3 }),
  fc.dictionary(hostileText, fc.jsonValue({ maxDepth: 1 }), { maxKeys: 4 }),
)

function nested(depth: number): unknown {
  let value: unknown = 1
  for (let level = 0; level < depth; level += 1) value = [value]
  return value
}

/** Bodies that are no JSON, or hardly. */
export const brokenBody: fc.Arbitrary<string | Uint8Array> = fc.oneof(
  fc.constantFrom('', '{', '[', '"', 'null', '{"a":}', '{"a":1,}', '{}{}', "{'a':1}", '\ufeff{}', '[1e400]'),
  fc.constant(`${'['.repeat(5_000)}${']'.repeat(5_000)}`),
  fc.constant(`{"a":"${'x'.repeat(100_000)}"}`),
  fc.constant(`{${Array.from({ length: 2_000 }, (_, at) => `"k${at}":0`).join(',')}}`),
  fc.uint8Array({ maxLength: 60 }),
)
