/** What each of a request's services is made of: what the request brings, and the other services. */
type Makers<Given, Services> = {
  readonly [Name in keyof Services]: (scope: Given & Services) => Services[Name]
}

/**
 * The services of one request, each made when it is first asked for: a request needs few of them, and some subgraphs have a dozen.
 * What comes out may be copied shallowly, as Apollo Server does with contexts.
 */
export function requestServices<Given extends object, Services extends object>(
  makers: Makers<Given, Services>,
): (given: Given) => Given & Services {
  const prototype = Object.create(null) as object
  for (const name of Object.keys(makers) as (keyof Services & string)[]) {
    const keep = (scope: object, value: unknown) =>
      Object.defineProperty(scope, name, { value, enumerable: true })
    Object.defineProperty(prototype, name, {
      get(this: Given & Services) {
        const value = makers[name](this)
        keep(this, value)
        return value
      },
      // what a copy gets of what was made before
      set(this: object, value: unknown) {
        keep(this, value)
      },
    })
  }
  return (given) => Object.assign(Object.create(prototype) as Services, given)
}
