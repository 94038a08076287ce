import { createWriteStream } from 'node:fs'
import { join } from 'node:path'
import { pipeline } from 'node:stream/promises'
import express from 'express'

/**
 * The least that Express can do for files: `node bench/file-server.ts PORT FOLDER`. A PUT is written as it comes, a GET is
 * `express.static`. It knows nobody, hashes nothing and asks no database.
 */
const [port, folder = ''] = process.argv.slice(2)
const app = express()
app.put('/:name', async (request, response) => {
  await pipeline(request, createWriteStream(join(folder, request.params.name)))
  response.json({ name: request.params.name })
})
app.get('/', (_request, response) => void response.end())
app.use(express.static(folder))
app.listen(Number(port), '127.0.0.1')
