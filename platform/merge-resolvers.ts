type ResolverMap = Readonly<Record<string, unknown>>

/** The resolvers of one department: some fields of some types. To be held against with `satisfies`, so that its own type stays. */
export type DepartmentResolvers<Resolvers> = { readonly [Type in keyof Resolvers]?: Partial<Resolvers[Type]> }

/** What all departments together resolve. A field that none of them does is seen where a whole map is asked for. */
type Joined<Departments extends readonly object[]> = Departments extends readonly [
  infer First,
  ...infer Others extends readonly object[],
]
  ? First & Joined<Others>
  : unknown

/**
 * The resolvers of a subgraph of several departments, in one map. Each department resolves fields of its own, also of types
 * that they share (`Query`, an entity).
 * @throws Error when two departments resolve the same field, or the same scalar
 */
export function mergeResolvers<Departments extends readonly object[]>(
  ...departments: Departments
): Joined<Departments> {
  const merged: Record<string, unknown> = {}
  for (const department of departments)
    for (const [type, fields] of Object.entries(department as ResolverMap))
      merged[type] = type in merged ? mergeFields(type, merged[type], fields) : fields
  return merged as Joined<Departments>
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
