/**
 * The import rules of docs/architecture.md. `npm test` runs them; each rule's comment is what its failure prints.
 */
const FOLDERS = [
  'platform',
  'subgraphs',
  'gateway',
  'rest-adapter',
  'wiring',
  'schema',
  'scripts',
  'tests',
  'bench',
]
const TEST = '\\.test\\.ts$'
/** What runs in browsers is served as text, not imported. */
const BROWSER = '^rest-adapter/swagger/'
/** What a thread of its own begins with: it is named by its URL, not imported. */
const THREAD = '-worker\\.ts$'
/** What a test of any folder may start the program with; `wiring-not-imported` keeps it to tests. */
const TEST_WIRING = '^wiring/test\\.ts$'

const foldersExcept = (...allowed) => `^(${FOLDERS.filter((name) => !allowed.includes(name)).join('|')})/`
const packages = (...names) => `^node_modules/(${names.join('|')})/`

const DATABASE = ['@mikro-orm', 'kysely', 'pg']
const HTTP_SERVER = ['express', '@apollo/server', '@as-integrations', 'graphql-sse']
const SUPERGRAPH = ['@apollo/gateway', '@apollo/query-planner', '@apollo/composition']
const OBJECT_STORE = ['@aws-sdk', '@smithy']
const PROVIDER = ['undici']

export default {
  forbidden: [
    {
      name: 'platform-alone',
      comment: 'platform/ is the kernel: it knows no other folder.',
      severity: 'error',
      from: { path: '^platform/' },
      to: { path: foldersExcept('platform') },
    },
    {
      name: 'subgraph-alone',
      comment:
        'A subgraph imports platform/ and its own files. What it needs of a sibling it asks of ctx.graph.',
      severity: 'error',
      from: { path: '^subgraphs/([^/]+)/' },
      to: { path: [foldersExcept('platform', 'subgraphs'), '^subgraphs/(?!$1/)'], pathNot: TEST_WIRING },
    },
    {
      name: 'subgraph-serves-nothing',
      comment: 'A subgraph is SDL and resolvers: HTTP and the supergraph belong to wiring/ and gateway/.',
      severity: 'error',
      from: { path: '^subgraphs/' },
      to: { path: packages(...HTTP_SERVER, ...SUPERGRAPH) },
    },
    {
      name: 'subgraph-front-door',
      comment: 'A subgraph is imported through its index.ts.',
      severity: 'error',
      from: { pathNot: '^subgraphs/[^/]+/' },
      to: { path: '^subgraphs/[^/]+/', pathNot: '^subgraphs/[^/]+/index\\.ts$' },
    },
    {
      name: 'database-in-sources',
      comment: 'In a subgraph only sources, entities, migrations and index.ts know the database.',
      severity: 'error',
      from: {
        path: '^subgraphs/[^/]+/',
        pathNot: [
          '/(sources|entities|migrations)/',
          '/(sources|entities)[^/]*\\.ts$',
          '^subgraphs/[^/]+/index\\.ts$',
          TEST,
        ],
      },
      to: { path: packages(...DATABASE) },
    },
    {
      name: 'gateway-alone',
      comment: 'gateway/ imports platform/ only: its sources come as an argument.',
      severity: 'error',
      from: { path: '^gateway/' },
      to: { path: [foldersExcept('platform', 'gateway'), packages(...DATABASE)], pathNot: TEST_WIRING },
    },
    {
      name: 'adapter-alone',
      comment: 'rest-adapter/ imports platform/ only; it reaches the graph through the Graph interface.',
      severity: 'error',
      from: { path: '^rest-adapter/' },
      to: { path: foldersExcept('platform', 'rest-adapter'), pathNot: TEST_WIRING },
    },
    {
      name: 'adapter-stores-nothing',
      comment:
        'rest-adapter/ has no database, no object store and no provider code; of the edge stores it knows the ports.',
      severity: 'error',
      from: { path: '^rest-adapter/', pathNot: TEST },
      to: {
        path: [
          '^platform/(db|migrations|pending-migrations|object-store|guarded-fetch)([./-]|$)',
          '^platform/embedded/',
          '^platform/edge-stores/.*(postgres|memory)',
          packages(...DATABASE, ...OBJECT_STORE, ...PROVIDER),
        ],
      },
    },
    {
      name: 'wiring-not-imported',
      comment: 'wiring/ chooses the mode; nothing but a test may depend on the choice.',
      severity: 'error',
      from: { pathNot: ['^(wiring|tests|bench)/', TEST] },
      to: { path: '^wiring/' },
    },
    {
      name: 'schema-tools-not-imported',
      comment: 'The tools of schema/ run before the program, never in it. Its .graphql files are data.',
      severity: 'error',
      from: { pathNot: '^schema/' },
      to: { path: '^schema/.*\\.ts$' },
    },
    {
      name: 'schema-tools-read-text',
      comment:
        'The tools of schema/ read files as text: a broken module must not keep its own types from being generated.',
      severity: 'error',
      from: { path: '^schema/' },
      to: { path: foldersExcept('schema') },
    },
    {
      name: 'testing-in-tests',
      comment: 'What lies in a testing/ folder is for tests.',
      severity: 'error',
      from: { pathNot: ['^(tests|bench)/', '/testing/', '^wiring/test\\.ts$', TEST] },
      to: { path: '/testing/' },
    },
    {
      name: 'tests-not-imported',
      comment: 'A test is not a library.',
      severity: 'error',
      from: {},
      to: { path: TEST },
    },
    {
      name: 'no-development-packages',
      comment: 'The production install has no development dependencies: only their types may be used.',
      severity: 'error',
      from: {
        path: '^(platform|subgraphs|gateway|rest-adapter|wiring)/',
        pathNot: ['/testing/', '^wiring/test\\.ts$', TEST],
      },
      to: { dependencyTypes: ['npm-dev'], dependencyTypesNot: ['type-only'] },
    },
    {
      name: 'no-undeclared-packages',
      comment: 'A package that is imported is listed in package.json.',
      severity: 'error',
      from: {},
      to: { dependencyTypes: ['npm-no-pkg', 'npm-unknown', 'unknown'] },
    },
    {
      name: 'no-unresolved',
      comment: 'The import leads nowhere.',
      severity: 'error',
      from: {},
      to: { couldNotResolve: true },
    },
    {
      name: 'no-cycles',
      comment: 'Modules that import each other cannot be read alone. Imports of types alone are no cycle.',
      severity: 'error',
      from: {},
      to: { circular: true, viaOnly: { dependencyTypesNot: ['type-only'] } },
    },
    {
      name: 'no-dead-modules',
      comment: 'No entry point leads to this module: it is dead, or only its test keeps it alive.',
      severity: 'error',
      from: { path: ['^(wiring|schema|scripts|bench)/', THREAD] },
      to: {
        path: '^(platform|subgraphs|gateway|rest-adapter)/',
        pathNot: ['/testing/', TEST, BROWSER, THREAD],
        reachable: false,
      },
    },
  ],
  options: {
    doNotFollow: { path: 'node_modules' },
    tsPreCompilationDeps: true,
    tsConfig: { fileName: 'tsconfig.json' },
    enhancedResolveOptions: {
      exportsFields: ['exports'],
      conditionNames: ['import', 'node', 'default', 'types'],
      mainFields: ['module', 'main', 'types', 'typings'],
    },
  },
}
