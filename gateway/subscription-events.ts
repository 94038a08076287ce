import {
  type DocumentNode,
  type ExecutionArgs,
  type ExecutionResult,
  execute,
  GraphQLObjectType,
  GraphQLSchema,
  Kind,
  type OperationDefinitionNode,
  visit,
} from 'graphql'

/** Executes a subscription's events, given what its stream was opened with. */
export type EventExecutor = (
  args: ExecutionArgs,
) => (event: unknown) => Promise<ExecutionResult> | ExecutionResult

/**
 * graphql-js reads a subscription's variables anew for every event, so that a chunk would cost the more, the longer the
 * conversation in its input. The arguments have done their work when the stream is open: events are executed without them,
 * on a schema whose subscription fields take none. A field that resolves its events by itself keeps its own.
 */
export function eventExecutor(schema: GraphQLSchema): EventExecutor {
  const eventSchema = withoutArguments(schema)
  const documents = new WeakMap<DocumentNode, EventDocument>()
  const documentFor = (document: DocumentNode): EventDocument => {
    const known = documents.get(document)
    if (known) return known
    const made = eventDocument(schema, document)
    documents.set(document, made)
    return made
  }
  return (args) => {
    const { document, variables } = documentFor(args.document)
    const given = args.variableValues ?? {}
    const variableValues = Object.fromEntries(
      variables.filter((name) => given[name] !== undefined).map((name) => [name, given[name]]),
    )
    return (rootValue) => execute({ ...args, schema: eventSchema, document, variableValues, rootValue })
  }
}

interface EventDocument {
  readonly document: DocumentNode
  /** The names of the variables that are left in it. */
  readonly variables: readonly string[]
}

function withoutArguments(schema: GraphQLSchema): GraphQLSchema {
  const type = schema.getSubscriptionType()
  if (!type) return schema
  const { fields, ...config } = type.toConfig()
  const bare = Object.entries(fields).map(([name, field]) => [
    name,
    field.resolve ? field : { ...field, args: {} },
  ])
  const subscription = new GraphQLObjectType({ ...config, fields: Object.fromEntries(bare) })
  const { types, ...rest } = schema.toConfig()
  return new GraphQLSchema({
    ...rest,
    types: types.filter((each) => each !== type),
    subscription,
    assumeValid: true,
  })
}

function eventDocument(schema: GraphQLSchema, document: DocumentNode): EventDocument {
  const bare = visit(document, {
    [Kind.OPERATION_DEFINITION]: { leave: (operation) => withoutRootArguments(schema, operation) },
  })
  const used = new Set<string>()
  visit(bare, {
    [Kind.VARIABLE_DEFINITION]: () => false,
    [Kind.VARIABLE]: ({ name }) => void used.add(name.value),
  })
  return {
    variables: [...used],
    document: visit(bare, {
      [Kind.VARIABLE_DEFINITION]: ({ variable }) => (used.has(variable.name.value) ? undefined : null),
    }),
  }
}

/** Below fragments the root's arguments stay: they are passed over there, and only cost time. */
function withoutRootArguments(
  schema: GraphQLSchema,
  operation: OperationDefinitionNode,
): OperationDefinitionNode {
  const fields = schema.getSubscriptionType()?.getFields() ?? {}
  const selections = operation.selectionSet.selections.map((selection) =>
    selection.kind !== Kind.FIELD || fields[selection.name.value]?.resolve
      ? selection
      : { ...selection, arguments: [] },
  )
  return { ...operation, selectionSet: { ...operation.selectionSet, selections } }
}
