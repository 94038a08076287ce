import { type DocumentNode, getOperationAST, Kind, type SelectionSetNode } from 'graphql'

/** The root fields of operations by the document, whose identity stands for its text. */
const known = new WeakMap<DocumentNode, Map<string | undefined, readonly string[]>>()

/**
 * The fields that a mutation or a subscription starts, each as often as it stands there, whatever it is called by and
 * whichever fragment it is in. None for queries, which start nothing, and for operations that are not there.
 */
export function startedFields(document: DocumentNode, operationName: string | undefined): readonly string[] {
  const byName = known.get(document) ?? new Map<string | undefined, readonly string[]>()
  known.set(document, byName)
  const fields = byName.get(operationName) ?? collected(document, operationName)
  byName.set(operationName, fields)
  return fields
}

function collected(document: DocumentNode, operationName: string | undefined): readonly string[] {
  const operation = getOperationAST(document, operationName)
  if (!operation || operation.operation === 'query') return []
  const fragments = new Map(
    document.definitions.flatMap((definition) =>
      definition.kind === Kind.FRAGMENT_DEFINITION
        ? [[definition.name.value, definition.selectionSet] as const]
        : [],
    ),
  )
  const names = (set: SelectionSetNode | undefined): string[] =>
    (set?.selections ?? []).flatMap((selection) => {
      if (selection.kind === Kind.FIELD) return [selection.name.value]
      if (selection.kind === Kind.INLINE_FRAGMENT) return names(selection.selectionSet)
      return names(fragments.get(selection.name.value))
    })
  return names(operation.selectionSet)
}
