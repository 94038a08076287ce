import { expect, it } from '@jest/globals'
import { requestServices } from './request-services.ts'

interface Services {
  readonly one: { readonly of: string }
  readonly two: { readonly of: string }
}
const made: string[] = []
const servicesOf = requestServices<{ readonly request: string }, Services>({
  one: ({ request }) => {
    made.push(request)
    return { of: request }
  },
  two: ({ one }) => ({ of: `${one.of}, twice` }),
})

it('services of a request are made once, when they are asked for, of one another', () => {
  const scope = servicesOf({ request: 'this' })
  expect([scope.request, made]).toEqual(['this', []])
  expect(scope.two).toEqual({ of: 'this, twice' })
  expect(scope.two).toBe(scope.two)
  expect(made).toEqual(['this'])
  expect(servicesOf({ request: 'that' }).one).toEqual({ of: 'that' })
})

it('services of a request are there in a shallow copy too', () => {
  const scope = servicesOf({ request: 'copied' })
  const { one } = scope
  const copy: typeof scope = Object.assign(Object.create(Object.getPrototypeOf(scope)), scope)
  expect(copy.one).toBe(one)
  expect(copy.two).toEqual({ of: 'copied, twice' })
})
