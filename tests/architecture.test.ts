import { existsSync, globSync, readFileSync } from 'node:fs'
import { basename, dirname, join } from 'node:path'
import { describe, expect, it } from '@jest/globals'
import {
  buildASTSchema,
  buildSchema,
  type ConstDirectiveNode,
  type DocumentNode,
  type GraphQLNamedType,
  isEnumType,
  isInputObjectType,
  isInterfaceType,
  isObjectType,
  isSpecifiedScalarType,
  Kind,
  parse,
  TypeInfo,
  visit,
  visitWithTypeInfo,
} from 'graphql'

const ROOT = dirname(import.meta.dirname)
const SOURCE_FOLDERS = '{platform,subgraphs,gateway,rest-adapter,wiring,schema,scripts,tests,bench}'

/** A subgraph may ask for anything to its right, so that no two ever wait for each other. */
const ORDER = ['responses', 'tools', 'models', 'media', 'conversations', 'memory', 'projects', 'accounts']

function find(pattern: string): string[] {
  return globSync(pattern, { cwd: ROOT })
    .map((path) => path.replaceAll('\\', '/'))
    .sort()
}

function read(path: string): string {
  return readFileSync(join(ROOT, path), 'utf8')
}

describe('files', () => {
  const sources = find(`${SOURCE_FOLDERS}/**/*.{ts,js}`)

  it('only platform/config.ts reads the environment', () => {
    const exempt = /^(scripts|tests|bench|platform\/testing)\/|\.test\.ts$/
    const readers = sources
      .filter((path) => !exempt.test(path))
      .filter((path) => /\bprocess\s*(\.|\?\.|\[['"])env\b|\bfrom ['"](node:)?process['"]/.test(read(path)))
    // the second one sets how many threads there are, before anything else can be read
    expect(readers).toEqual(['platform/config.ts', 'wiring/main.js'])
  })

  it('no file or folder has a name that says nothing', () => {
    const empty = /(^|\/)(utils?|helpers?|types?|managers?|common|misc|shared)(\/|(\.\w+)*\.(ts|js)$)/
    expect(sources.filter((path) => empty.test(path))).toEqual([])
  })
})

describe('subgraphs', () => {
  const folders = find('subgraphs/*/').map((path) => path.replace(/\/$/, ''))

  it('are all in the order of calls', () => {
    expect(folders.map((folder) => basename(folder)).filter((name) => !ORDER.includes(name))).toEqual([])
  })

  it.each(folders)('%s has the rooms that every subgraph has', (folder) => {
    const missing = ['index.ts', 'schema.graphql', 'context.ts'].filter(
      (room) => !existsSync(join(ROOT, folder, room)),
    )
    expect([...missing, ...['resolvers', 'service'].filter((room) => !hasRoom(folder, room))]).toEqual([])
  })

  it.each(folders)('%s has sources, entities and migrations, or no tables at all', (folder) => {
    const storage = ['sources', 'entities', 'migrations'].filter((room) => hasRoom(folder, room))
    expect([0, 3]).toContain(storage.length)
  })
})

/** A room is a file, or a folder when it has grown; a subgraph of several departments has one in each. */
function hasRoom(folder: string, room: string): boolean {
  const inHouse = [`${room}.ts`, room, `${room}s`].some((name) => existsSync(join(ROOT, folder, name)))
  return inHouse || find(`${folder}/*/${room}.ts`).length > 0
}

describe('the order of calls', () => {
  const supergraph = parse(read('schema/supergraph.graphql'))

  it('is kept by what subgraphs ask for', () => {
    const wrong = find('subgraphs/*/operations/*.graphql').flatMap((path) => {
      const fields = leftwardFields(supergraph, path.split('/')[1] ?? '', parse(read(path)))
      return fields.map((field) => `${path}: ${field}`)
    })
    expect(wrong).toEqual([])
  })

  describe('is checked by a rule that', () => {
    const example = parse(`
      directive @join__graph(name: String!) on ENUM_VALUE
      directive @join__type(graph: join__Graph!) repeatable on OBJECT
      directive @join__field(graph: join__Graph, external: Boolean) repeatable on FIELD_DEFINITION
      enum join__Graph { MODELS @join__graph(name: "models") PROJECTS @join__graph(name: "projects") }
      type Query @join__type(graph: MODELS) @join__type(graph: PROJECTS) {
        model: String @join__field(graph: MODELS)
        project: Project @join__field(graph: PROJECTS)
      }
      type Project @join__type(graph: MODELS) @join__type(graph: PROJECTS) {
        id: ID!
        name: String @join__field(graph: PROJECTS) @join__field(graph: MODELS, external: true)
        defaultModel: String @join__field(graph: MODELS)
      }
    `)
    const asks = (subgraph: string, query: string) => leftwardFields(example, subgraph, parse(query))

    it('lets a subgraph ask to its right', () => {
      expect(asks('models', '{ project { id name } }')).toEqual([])
    })

    it('catches a root field to the left, in a fragment too', () => {
      expect(asks('projects', '{ ...Root } fragment Root on Query { model }')).toEqual([
        'Query.model (models)',
      ])
    })

    it('catches a subgraph that asks itself', () => {
      expect(asks('projects', '{ project { name } }')).toEqual([
        'Query.project (projects)',
        'Project.name (projects)',
      ])
    })

    it('catches a field below that another subgraph adds', () => {
      expect(asks('media', '{ project { defaultModel } }')).toEqual(['Project.defaultModel (models)'])
    })
  })
})

/** Fields that no subgraph to the right of `subgraph` resolves, as `Type.field (owners)`. */
function leftwardFields(supergraph: DocumentNode, subgraph: string, operations: DocumentNode): string[] {
  const schema = buildASTSchema(supergraph, { assumeValid: true })
  const names = graphNames(supergraph)
  const right = ORDER.slice(ORDER.indexOf(subgraph) + 1)
  const info = new TypeInfo(schema)
  const found: string[] = []
  const Field = () => {
    const type = info.getParentType()
    const field = info.getFieldDef()
    if (!type || !field?.astNode) return
    const owners = resolvers(field.astNode.directives, type.astNode?.directives).map(
      (graph) => names.get(graph) ?? graph,
    )
    if (!owners.some((owner) => right.includes(owner)))
      found.push(`${type.name}.${field.name} (${owners.join(', ')})`)
  }
  visit(operations, visitWithTypeInfo(info, { Field }))
  return found
}

/** A field without `@join__field` is resolved by every subgraph that has its type. */
function resolvers(
  onField: readonly ConstDirectiveNode[] = [],
  onType: readonly ConstDirectiveNode[] = [],
): string[] {
  const joined = onField.filter(({ name }) => name.value === 'join__field')
  const own = joined.filter((directive) => !isTrue(directive, 'external')).flatMap(graphOf)
  if (own.length > 0) return own
  return onType.filter(({ name }) => name.value === 'join__type').flatMap(graphOf)
}

function graphOf({ arguments: args = [] }: ConstDirectiveNode): string[] {
  return args.flatMap(({ name, value }) =>
    name.value === 'graph' && value.kind === Kind.ENUM ? [value.value] : [],
  )
}

function isTrue({ arguments: args = [] }: ConstDirectiveNode, argument: string): boolean {
  return args.some(({ name, value }) => name.value === argument && value.kind === Kind.BOOLEAN && value.value)
}

/** The subgraphs' names by the values of `join__Graph`. */
function graphNames(supergraph: DocumentNode): Map<string, string> {
  const names = new Map<string, string>()
  visit(supergraph, {
    EnumValueDefinition({ name, directives = [] }) {
      const join = directives.find((directive) => directive.name.value === 'join__graph')
      const given = join?.arguments?.find((argument) => argument.name.value === 'name')?.value
      if (given?.kind === Kind.STRING) names.set(name.value, given.value)
    },
  })
  return names
}

describe('the API schema', () => {
  it('describes every type, field, input field and enum value', () => {
    const schema = buildSchema(read('schema/api.graphql'))
    const roots = [schema.getQueryType(), schema.getMutationType(), schema.getSubscriptionType()]
    const types = Object.values(schema.getTypeMap()).filter(
      (type) => !type.name.startsWith('__') && !isSpecifiedScalarType(type),
    )
    // root types go by their fields: their own description would say nothing
    const bare = types.filter((type) => !type.description && !roots.some((root) => root === type))
    const members = types.flatMap((type) => membersOf(type).filter(({ description }) => !description))
    expect([...bare.map(({ name }) => name), ...members.map(({ path }) => path)]).toEqual([])
  })
})

function membersOf(type: GraphQLNamedType): { path: string; description: string | null | undefined }[] {
  return Object.values(membersByKind(type)).map(({ name, description }) => ({
    path: `${type.name}.${name}`,
    description,
  }))
}

function membersByKind(type: GraphQLNamedType) {
  if (isEnumType(type)) return type.getValues()
  if (isObjectType(type) || isInterfaceType(type) || isInputObjectType(type))
    return Object.values(type.getFields())
  return []
}
