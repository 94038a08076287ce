import { readdirSync } from 'node:fs'
import { beforeAll, describe, expect, it } from '@jest/globals'
import { runProgram } from './program.ts'
import { type SharedServer, sharedTestServer } from './shared-server.ts'

let server: SharedServer
beforeAll(async () => {
  server = await sharedTestServer()
}, 60_000)

/** What each program prints of what the development model says, and of its own. */
const prints: Readonly<Record<string, RegExp>> = {
  'ai-sdk.js': /The tool weather answered: It is sunny in .*\n\d+ tokens\n/,
  'apollo-client.js':
    /You said: "How do I make lasagna\?"\n\{.*"title":"How do I make lasagna".*"displayName":"jan/,
  'langchain.js': /You said: "Translate to German: How do I make lasagna\?"/,
  'openai-sdk.js': /You said: "How do I make lasagna\?"/,
  'urql.js': /jan-.*, .*\n.*You said: "How do I make lasagna\?"/,
}

describe('the examples', () => {
  it('are those that are tried here', () => {
    expect(readdirSync(new URL('../examples', import.meta.url)).sort()).toEqual(Object.keys(prints))
  })

  it.each(Object.entries(prints))('examples/%s runs as it stands', async (name, expected) => {
    const { code, output } = await runProgram(['node', `examples/${name}`, server.url])
    expect(output).toMatch(expected)
    expect(code).toBe(0)
  })
})
