import { describe, expect, it } from '@jest/globals'
import { costOfBytes, declaredBytes } from './body-cost.ts'

const mebibyte = 1024 * 1024

describe('an upload', () => {
  it.each([
    [0, 1],
    [1, 1],
    [2 * mebibyte, 1],
    [2 * mebibyte + 1, 2],
    [4 * mebibyte, 2],
    [18 * mebibyte, 9],
    [18 * mebibyte + 1, 10],
    [200 * mebibyte, 10],
    [Number.POSITIVE_INFINITY, 10],
  ])('of %d bytes costs %d', (bytes, cost) => {
    expect(costOfBytes(bytes)).toBe(cost)
  })

  it('is as large as it says, and without end where it does not', () => {
    expect(declaredBytes({ 'content-length': '48213' })).toBe(48_213)
    expect(declaredBytes({})).toBe(0)
    expect(declaredBytes({ 'transfer-encoding': 'chunked' })).toBe(Number.POSITIVE_INFINITY)
  })
})
