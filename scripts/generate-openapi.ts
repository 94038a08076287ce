import { readFileSync, writeFileSync } from 'node:fs'
import { openApiDocument } from '../rest-adapter/openapi.ts'
import { routes } from '../rest-adapter/routes/index.ts'

/** Writes `schema/openapi.json` from the table of routes; with `--check` only says whether it is up to date. */
const file = new URL('../schema/openapi.json', import.meta.url)
const server = { url: 'http://localhost:8000', description: 'The platform as `npm start` serves it.' }
const fresh = `${JSON.stringify(openApiDocument(routes, [server]), null, 2)}\n`

if (process.argv.includes('--check')) {
  const committed = readFileSync(file, 'utf8')
  if (committed !== fresh) {
    process.stderr.write('schema/openapi.json is not what the routes say: run npm run generate\n')
    process.exit(1)
  }
} else {
  writeFileSync(file, fresh)
}
