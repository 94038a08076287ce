import { Agent, createServer, request as httpRequest } from 'node:http'
import { pipeline } from 'node:stream'

/**
 * The least that a proxy written in Node can do: `node bench/bare-proxy.ts PORT UPSTREAM_PORT`. It parses nothing, knows
 * nobody and stores nothing.
 */
const [port, upstreamPort] = process.argv.slice(2).map(Number)
const agent = new Agent({ keepAlive: true })

createServer({ keepAliveTimeout: 600_000 }, (request, response) => {
  const { method, url: path, headers } = request
  const upstream = httpRequest(
    { agent, host: '127.0.0.1', port: upstreamPort, method, path, headers },
    (answer) => {
      response.writeHead(answer.statusCode ?? 502, answer.headers)
      pipeline(answer, response, () => upstream.destroy())
    },
  )
  upstream.on('error', () => response.destroy())
  response.on('close', () => upstream.destroy())
  request.pipe(upstream)
}).listen(port, '127.0.0.1')
