type ResolverMap = Readonly<Record<string, unknown>>

/**
 * What one department of a subgraph resolves: any fields of any types of `Resolvers`. Declared with `satisfies`, so that the
 * merge still knows which they are, and the compiler misses what nobody resolves.
 */
export type DepartmentResolvers<Resolvers> = {
  readonly [Type in keyof Resolvers]?: Partial<Resolvers[Type]>
}

/** Everything that several departments resolve. */
type Merged<Departments extends readonly object[]> = Departments extends readonly [
  infer First extends object,
  ...infer Rest extends readonly object[],
]
  ? First & Merged<Rest>
  : object

/**
 * The resolvers of a subgraph of several departments, in one map. Each department resolves fields of its own, also of types
 * that they share (`Query`, an entity).
 * @throws Error when two departments resolve the same field, or the same scalar
 */
export function mergeResolvers<const Departments extends readonly object[]>(
  ...departments: Departments
): Merged<Departments> {
  const merged: Record<string, unknown> = {}
  for (const department of departments)
    for (const [type, fields] of Object.entries(department))
      merged[type] = type in merged ? mergeFields(type, merged[type], fields) : fields
  return merged as Merged<Departments>
}

function mergeFields(type: string, known: unknown, added: unknown): ResolverMap {
  if (!isFieldMap(known) || !isFieldMap(added)) throw new Error(`${type} is resolved twice`)
  const twice = Object.keys(added).find((field) => field in known)
  if (twice) throw new Error(`${type}.${twice} is resolved twice`)
  return { ...known, ...added }
}

/** Scalars are instances of a class, and can't be joined. */
function isFieldMap(value: unknown): value is ResolverMap {
  return typeof value === 'object' && value !== null && Object.getPrototypeOf(value) === Object.prototype
}
