import type { RequestHandler } from 'express'
import { type DocumentNode, Kind, visit } from 'graphql'
import { AppError } from '../../platform/errors.ts'
import type { OperationParser } from './operation-parser.ts'

/** How often a selection may have one name: each is compared with each other, down to their leaves. */
const mostOfOneName = 100
const mostFragments = 200

/**
 * Refuses what takes most of a second to be found invalid, from anybody: graphql-js compares all fields of one name in a selection with
 * one another, those of fragments among them. Before anything is validated, as Apollo Server does that by itself.
 */
export function refuseCrowds(parser: OperationParser): RequestHandler {
  const uncrowded = new WeakSet<DocumentNode>()
  return (request, _response, next) => {
    const { query } = (request.method === 'GET' ? request.query : (request.body ?? {})) as { query?: unknown }
    const document = typeof query === 'string' ? parser.orNull(query) : null
    if (document && !uncrowded.has(document)) {
      assertUncrowded(document)
      uncrowded.add(document)
    }
    next()
  }
}

function assertUncrowded(document: DocumentNode): void {
  const fragments = document.definitions.filter(({ kind }) => kind === Kind.FRAGMENT_DEFINITION)
  if (fragments.length > mostFragments) throw refused(`more than ${mostFragments} fragments`)
  visit(document, {
    [Kind.SELECTION_SET]({ selections }) {
      const counts = new Map<string, number>()
      for (const selection of selections) {
        const name =
          selection.kind === Kind.INLINE_FRAGMENT ? '...' : (aliasOf(selection) ?? selection.name).value
        const count = (counts.get(name) ?? 0) + 1
        if (count > mostOfOneName)
          throw refused(`'${name}' more than ${mostOfOneName} times in one selection`)
        counts.set(name, count)
      }
    },
  })
}

function aliasOf(selection: object): { readonly value: string } | undefined {
  return 'alias' in selection ? (selection.alias as { readonly value: string } | undefined) : undefined
}

function refused(crowd: string): AppError {
  return new AppError('invalid_parameter', `This operation has ${crowd}.`, { param: 'query' })
}
