import express, { Router } from 'express'
import swaggerUiPath from 'swagger-ui-dist/absolute-path.js'
import { openApiDocument } from './openapi.ts'
import type { Route } from './route.ts'

/** Swagger UI from bundled assets, over the document of the routes that serve (contract 8.8). To be mounted at `/api/swagger`. */
export function swaggerUi(routes: readonly Route[], serverUrl: string): Router {
  const router = Router()
  let document: string | undefined
  router.get('/doc.json', (_request, response) => {
    document ??= JSON.stringify(openApiDocument(routes, serverUrl))
    response.type('application/json').send(document)
  })
  router.get(['/', '/index.html'], (_request, response) => {
    response.setHeader('Content-Security-Policy', pagePolicy)
    response.type('html').send(page)
  })
  router.get('/start.js', (_request, response) => void response.type('text/javascript').send(script))
  router.use(express.static(swaggerUiPath(), { index: false, maxAge: '1h' }))
  return router
}

const pagePolicy =
  "default-src 'self'; img-src 'self' data:; style-src 'self' 'unsafe-inline'; script-src 'self'"

const page = `<!doctype html>
<html lang="en">
  <head>
    <meta charset="utf-8" />
    <title>Jan Graph API</title>
    <link rel="stylesheet" href="/api/swagger/swagger-ui.css" />
    <link rel="icon" href="/api/swagger/favicon-32x32.png" />
  </head>
  <body>
    <div id="swagger-ui"></div>
    <script src="/api/swagger/swagger-ui-bundle.js"></script>
    <script src="/api/swagger/start.js"></script>
  </body>
</html>
`

const script = `window.ui = SwaggerUIBundle({
  url: '/api/swagger/doc.json',
  dom_id: '#swagger-ui',
  deepLinking: true,
  persistAuthorization: true,
})
`
