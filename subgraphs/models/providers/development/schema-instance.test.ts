import { describe, expect, it } from '@jest/globals'
import { Ajv2020 } from 'ajv/dist/2020.js'
import { schemaInstance } from './schema-instance.ts'

const object = (properties: object, more: object = {}) => ({ type: 'object', properties, ...more })

const schemas: Record<string, object> = {
  'an empty schema': {},
  'nested objects and lists': object(
    { user: object({ tags: { type: 'array', items: { type: 'string' }, minItems: 3 } }) },
    { required: ['user'] },
  ),
  'every scalar': object({
    s: { type: 'string' },
    n: { type: 'number' },
    i: { type: 'integer' },
    b: { type: 'boolean' },
    z: { type: 'null' },
  }),
  'enum, const and default': object({
    e: { enum: ['b', 'a'] },
    c: { const: 7 },
    d: { type: 'string', default: 'given' },
  }),
  'required without a property': { type: 'object', required: ['x'] },
  'no other properties': object({ a: { type: 'string' } }, { additionalProperties: false, required: ['a'] }),
  'bounds of numbers': object({
    a: { type: 'integer', minimum: 5 },
    b: { type: 'integer', exclusiveMinimum: 5 },
    c: { type: 'number', maximum: -3 },
    d: { type: 'number', exclusiveMinimum: 0, exclusiveMaximum: 1 },
    e: { type: 'integer', multipleOf: 5, minimum: 11 },
    f: { type: 'number', exclusiveMaximum: 1 },
    g: { type: 'integer', maximum: 0 },
    h: { type: 'number', minimum: 0, maximum: 1 },
  }),
  'bounds of strings': object({
    a: { type: 'string', minLength: 30 },
    b: { type: 'string', maxLength: 2 },
  }),
  'bounds of lists': object({
    a: { type: 'array', items: { type: 'integer' }, minItems: 3, uniqueItems: true },
    b: { type: 'array', maxItems: 0 },
    c: { type: 'array', prefixItems: [{ type: 'string' }, { type: 'integer' }], items: false },
  }),
  alternatives: object({
    a: { anyOf: [{ type: 'integer' }, { type: 'null' }] },
    b: { oneOf: [object({ k: { const: 1 } }, { required: ['k'] }), { type: 'string' }] },
    c: { type: ['string', 'null'] },
  }),
  'allOf joined': {
    allOf: [
      object({ a: { type: 'string' } }, { required: ['a'] }),
      object({ b: { type: 'integer' } }, { required: ['b'] }),
    ],
  },
  references: {
    $defs: { p: object({ x: { type: 'integer' } }, { required: ['x'] }) },
    ...object({ p: { $ref: '#/$defs/p' } }, { required: ['p'] }),
  },
  'a list that is recursive': {
    $defs: {
      n: object(
        { v: { type: 'string' }, next: { anyOf: [{ $ref: '#/$defs/n' }, { type: 'null' }] } },
        { required: ['v', 'next'], additionalProperties: false },
      ),
    },
    $ref: '#/$defs/n',
  },
  'a tree that is recursive': object(
    { v: { type: 'string' }, children: { type: 'array', items: { $ref: '#' } } },
    { required: ['v', 'children'] },
  ),
  'a property called __proto__': JSON.parse(
    '{"type":"object","properties":{"__proto__":{"type":"string"}},"required":["__proto__"]}',
  ),
}

describe('schemaInstance', () => {
  for (const [name, schema] of Object.entries(schemas)) {
    it(`gives a valid instance of ${name}, always the same`, () => {
      const validate = new Ajv2020({ strict: false, ownProperties: true }).compile(schema)
      const value = schemaInstance(schema)
      validate(value)
      expect(validate.errors).toBeNull()
      expect(schemaInstance(schema)).toEqual(value)
    })
  }

  it('fills formats', () => {
    expect(
      schemaInstance(
        object({ at: { type: 'string', format: 'date-time' }, mail: { type: 'string', format: 'email' } }),
      ),
    ).toEqual({
      at: '2025-01-01T00:00:00Z',
      mail: 'user@example.com',
    })
  })

  it('comes to an end with schemas that have no instance', () => {
    const impossible = {
      $defs: { n: object({ next: { $ref: '#/$defs/n' } }, { required: ['next'] }) },
      $ref: '#/$defs/n',
    }
    expect(schemaInstance(impossible)).toBeDefined()
    expect(schemaInstance({ $ref: '#/$defs/nowhere' })).toBeDefined()
    expect(schemaInstance({ $ref: '#' })).toBeDefined()
    expect(schemaInstance('no schema')).toBeNull()
  })

  it('comes to an end soon with schemas that have millions of places', () => {
    const twice = object({ a: { $ref: '#' }, b: { $ref: '#' } }, { required: ['a', 'b'] })
    expect(schemaInstance(twice)).toMatchObject({ a: { a: expect.anything() } })
    const levels = Array.from({ length: 30 }, (_, at) => [
      `d${at}`,
      { allOf: [{ $ref: `#/$defs/d${at + 1}` }, { $ref: `#/$defs/d${at + 1}` }] },
    ])
    expect(schemaInstance({ $defs: Object.fromEntries(levels), $ref: '#/$defs/d0' })).toBeDefined()
    const list = (items: object) => ({ type: 'array', minItems: 1_000, items })
    expect(schemaInstance(list(list(list({ type: 'string' }))))).toHaveLength(1_000)
  })

  it('runs no pattern of whoever asks', () => {
    const pattern = '^([0-9T:]+|[0-9]-?)+Z?[$]$'
    expect(schemaInstance(object({ p: { type: 'string', pattern } }))).toEqual({ p: 'text' })
  })
})
