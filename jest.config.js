/**
 * Three kinds of test, told apart by name: `x.test.ts` needs nothing, `x.db.test.ts` needs PostgreSQL, `tests/*.test.ts` needs a
 * running server. A project's globalSetup runs only when one of its tests does, and once for all that share it.
 */
const shared = {
  extensionsToTreatAsEsm: ['.ts'],
  transform: {},
  testEnvironment: '<rootDir>/tests/jest-environment.js',
  runtime: '<rootDir>/tests/jest-runtime.js',
  modulePathIgnorePatterns: ['<rootDir>/.bench/'],
}
const postgres = {
  globalSetup: '<rootDir>/tests/global-setup.js',
  globalTeardown: '<rootDir>/tests/global-teardown.js',
}
const endToEnd = { ...postgres, setupFilesAfterEnv: ['<rootDir>/tests/declared-answers.ts'] }
const never = ['/node_modules/', '<rootDir>/data/']

/**
 * What knows the platform by its URL alone, and depends on how processes talk: it runs a second time, unchanged, against
 * five subgraphs and an edge. Each costs six processes, so a feature needs no second run for its own sake.
 */
const splitSuite = [
  'auth',
  'chat',
  'conversations',
  'departure',
  'graph-streams',
  'live',
  'memory',
  'slow-reader',
]

export default {
  // Most tests wait for processes and databases: two workers keep two cores busy.
  maxWorkers: 2,
  testTimeout: 30_000,
  workerIdleMemoryLimit: '1GB',
  projects: [
    {
      ...shared,
      displayName: 'unit',
      testMatch: ['<rootDir>/**/*.test.ts'],
      testPathIgnorePatterns: [...never, '\\.db\\.test\\.ts$', '<rootDir>/tests/'],
    },
    {
      ...shared,
      ...postgres,
      displayName: 'database',
      testMatch: ['<rootDir>/**/*.db.test.ts'],
      testPathIgnorePatterns: [...never, '<rootDir>/tests/'],
    },
    {
      ...shared,
      ...endToEnd,
      displayName: 'end-to-end',
      testMatch: ['<rootDir>/tests/**/*.test.ts'],
      testPathIgnorePatterns: never,
    },
    {
      ...shared,
      ...endToEnd,
      displayName: 'end-to-end, split',
      globals: { serverMode: 'split' },
      testMatch: splitSuite.map((name) => `<rootDir>/tests/${name}.test.ts`),
    },
  ],
}
