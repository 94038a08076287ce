import { expect } from '@jest/globals'

/** What must never be read in an answer: where the code lies, what it is made of, what it said to the database. */
const internals =
  /\n\s+at [\w.<]|node_modules|file:\/\/|\/(rest-adapter|subgraphs|gateway|platform|wiring)\/|\b(pg_|select .* from|insert into|relation "|violates|invalid input syntax|MikroORM|Kysely|TypeError|RangeError|SyntaxError|ECONNREFUSED|Cannot read prop)/i

/** Holds one answer to what every answer promises. @param asked is printed where it does not */
export function expectHarmless(status: number, text: string, asked: string): void {
  const said = `${asked}\n-> ${status} ${text.slice(0, 500)}`
  if (status >= 500 && status !== 501) throw new Error(`A failure of ours:\n${said}`)
  if (internals.test(text)) throw new Error(`An answer tells of our insides:\n${said}`)
}

/** Holds a refusal of the REST API to the envelope (contract 8.2). */
export function expectEnvelope(status: number, text: string, asked: string): void {
  if (status < 400) return
  const body = JSON.parse(text) as { error?: Record<string, unknown>; message?: unknown }
  expect({ asked, body }).toEqual({
    asked,
    body: {
      error: expect.objectContaining({
        type: expect.any(String),
        code: expect.any(String),
        message: expect.any(String),
        request_id: expect.any(String),
      }),
      message: body.error?.message,
    },
  })
}
