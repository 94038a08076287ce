import { type DocumentNode, Kind, type SelectionNode, visit } from 'graphql'
import { AppError } from '../../platform/errors.ts'

/** How often a selection may have one name: each is compared with each other, down to their leaves. */
const mostOfOneName = 100
const mostFragments = 200

/**
 * Refuses what takes most of a second to be found invalid, from anybody: graphql-js compares all fields of one name in a selection with
 * one another, those of fragments among them. To be called before anything is validated.
 * @throws AppError `invalid_parameter` naming `query`
 */
export function assertUncrowded(document: DocumentNode): void {
  const fragments = document.definitions.filter(({ kind }) => kind === Kind.FRAGMENT_DEFINITION)
  if (fragments.length > mostFragments) throw refused(`more than ${mostFragments} fragments`)
  visit(document, {
    [Kind.SELECTION_SET]({ selections }) {
      const counts = new Map<string, number>()
      for (const selection of selections) {
        const name = nameIn(selection)
        const count = (counts.get(name) ?? 0) + 1
        if (count > mostOfOneName)
          throw refused(`'${name}' more than ${mostOfOneName} times in one selection`)
        counts.set(name, count)
      }
    },
  })
}

function nameIn(selection: SelectionNode): string {
  if (selection.kind === Kind.INLINE_FRAGMENT) return '...'
  return selection.kind === Kind.FIELD && selection.alias ? selection.alias.value : selection.name.value
}

function refused(crowd: string): AppError {
  return new AppError('invalid_parameter', `This operation has ${crowd}.`, { param: 'query' })
}
