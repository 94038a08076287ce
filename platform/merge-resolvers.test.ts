import { describe, expect, it } from '@jest/globals'
import { mergeResolvers } from './merge-resolvers.ts'

const field = () => null

describe('mergeResolvers', () => {
  it('joins the fields of types that departments share', () => {
    const one = { Query: { a: field }, A: { x: field } }
    const other = { Query: { b: field }, B: { y: field } }
    const merged = mergeResolvers(one, other)
    expect(merged).toEqual({ Query: { a: field, b: field }, A: { x: field }, B: { y: field } })
    expect(one).toEqual({ Query: { a: field }, A: { x: field } })
  })

  it('refuses a field that two departments resolve', () => {
    expect(() => mergeResolvers({ Query: { a: field } }, { Query: { a: field } })).toThrow('Query.a')
    expect(() => mergeResolvers({ DateTime: new Date() }, { DateTime: {} })).toThrow('DateTime')
  })
})
