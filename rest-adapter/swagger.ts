import { readFileSync } from 'node:fs'
import express, { Router } from 'express'
import swaggerUiPath from 'swagger-ui-dist/absolute-path.js'
import { openApiDocument } from './openapi.ts'
import { readOnly } from './other-methods.ts'
import type { Route } from './route.ts'

/**
 * Swagger UI from bundled assets, over the document of the routes that serve (contract 8.8). To be mounted at `/api/swagger`.
 * @param serverUrl where the platform is from outside; the page itself asks wherever it was loaded from
 */
export function swaggerUi(routes: readonly Route[], serverUrl: string): Router {
  const router = Router()
  let document: string | undefined
  router.get('/doc.json', (_request, response) => {
    document ??= JSON.stringify(
      openApiDocument(routes, [
        { url: '/', description: 'Where this document comes from.' },
        { url: serverUrl, description: 'This platform.' },
      ]),
    )
    response.type('application/json').send(document)
  })
  router.get(['/', '/index.html'], (_request, response) => {
    response.setHeader('Content-Security-Policy', pagePolicy)
    response.type('html').send(page)
  })
  for (const [name, type] of ownFiles) {
    const bytes = readFileSync(new URL(`swagger/${name}`, import.meta.url))
    router.get(`/${name}`, (_request, response) => void response.type(type).send(bytes))
  }
  const assets = express.static(swaggerUiPath(), { index: false, maxAge: '1h' })
  router.get(bundledFiles, assets)
  router.all(
    ['/', '/index.html', '/doc.json', ...ownFiles.map(([name]) => `/${name}`), ...bundledFiles],
    readOnly,
  )
  return router
}

const ownFiles = [
  ['start.js', 'text/javascript'],
  ['page.css', 'text/css'],
] as const

/** What the page needs of the package; the rest of it, examples included, is not served. */
const bundledFiles = ['/swagger-ui.css', '/swagger-ui-bundle.js', '/favicon-32x32.png']

/** Swagger UI sets styles on elements, and has its icons as data. Everything else comes from here and goes nowhere else. */
const pagePolicy = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self' 'unsafe-inline'",
  "img-src 'self' data:",
  "font-src 'self' data:",
  "connect-src 'self'",
  "base-uri 'none'",
  "form-action 'none'",
  "frame-ancestors 'none'",
].join('; ')

const page = `<!doctype html>
<html lang="en">
  <head>
    <meta charset="utf-8" />
    <meta name="viewport" content="width=device-width, initial-scale=1" />
    <title>Jan Graph API</title>
    <link rel="stylesheet" href="/api/swagger/swagger-ui.css" />
    <link rel="stylesheet" href="/api/swagger/page.css" />
    <link rel="icon" href="/api/swagger/favicon-32x32.png" />
  </head>
  <body>
    <div id="swagger-ui"></div>
    <script src="/api/swagger/swagger-ui-bundle.js"></script>
    <script src="/api/swagger/start.js"></script>
  </body>
</html>
`
