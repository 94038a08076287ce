import type { QueryResolvers } from '../schema.generated.ts'

/** The department of full-text search. */
export const searchResolvers = {
  Query: {
    search: (_, args, { search }) => search.page(args),
  } satisfies Pick<QueryResolvers, 'search'>,
}
