import { expect, it } from '@jest/globals'
import { searchTerms } from './search-text.ts'

const words = Array.from({ length: 160 }, (_, at) => `w${at}`)

it('a search has so many words as can be ranked together, in quotes too', () => {
  expect(searchTerms(words.join(' '))).toMatchObject({
    text: `${words.slice(0, 15).join(' ')} `,
    prefix: 'w15',
  })
  expect(searchTerms(`"${words.join(' ')}"`).text).toBe(`"${words.slice(0, 16).join(' ')}`)
  expect(searchTerms(words.slice(0, 16).join(' ')).text).toContain('w14')
})
