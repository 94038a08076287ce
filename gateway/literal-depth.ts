import { type DocumentNode, GraphQLError, Kind, visit } from 'graphql'
import { maxJsonDepth } from '../platform/json-body.ts'

/**
 * The deepest nesting of list literals. The planner looks at the inside of each list twice, so that its time doubles with
 * every level; variables cost it nothing.
 */
const maxListDepth = 8

/** Refuses literals that are nested too deeply, before anything descends into them. @throws GraphQLError */
export function assertShallowLiterals(document: DocumentNode): void {
  let lists = 0
  let values = 0
  const enter = (list: number) => () => {
    lists += list
    values += 1
    if (lists > maxListDepth || values > maxJsonDepth) throw tooDeep()
  }
  const leave = (list: number) => () => {
    lists -= list
    values -= 1
  }
  visit(document, {
    [Kind.LIST]: { enter: enter(1), leave: leave(1) },
    [Kind.OBJECT]: { enter: enter(0), leave: leave(0) },
  })
}

function tooDeep(): GraphQLError {
  return new GraphQLError('A literal of this operation is nested too deeply: send the value as a variable.', {
    extensions: { code: 'GRAPHQL_VALIDATION_FAILED' },
  })
}
