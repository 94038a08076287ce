import { Agent } from 'undici'

/**
 * Opens streams and reads them until it is ended: `node bench/stream-holder.ts JSON`. Prints one line when each has had its
 * first byte or failed: how many are open.
 */
interface Asked {
  readonly origin: string
  readonly path: string
  readonly headers: Record<string, string>
  readonly body: string
  readonly count: number
}

const { origin, path, headers, body, count } = JSON.parse(process.argv[2] ?? '{}') as Asked
const agent = new Agent({ headersTimeout: 0, bodyTimeout: 0 })
/** How many are being opened at one time: more would only fill the server's backlog. */
const opening = 50

let begun = 0
let open = 0
await Promise.all(
  Array.from({ length: opening }, async () => {
    while (begun++ < count) if (await opens()) open++
  }),
)
process.stdout.write(`${open}\n`)

function opens(): Promise<boolean> {
  return new Promise((resolve) => {
    let status = 0
    agent.dispatch(
      { origin, path, method: 'POST', headers, body },
      {
        onRequestStart() {},
        onResponseStart(_, statusCode) {
          status = statusCode
        },
        onResponseData: () => resolve(status === 200),
        onResponseEnd: () => resolve(false),
        onResponseError: () => resolve(false),
      },
    )
  })
}
