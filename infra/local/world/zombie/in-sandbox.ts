// Inside a sandbox: loads one function, a file of functions/, says that it is ready, and runs it on the one event that it is
// then sent. The function knows nothing of it. It is as warm as a sandbox that was used before: libraries that a function
// loads at its first call are there. Used with `end-with-parent.mjs`.

import { randomUUID } from 'node:crypto'
import { once } from 'node:events'

/** The functions' timeout in serverless.yml, ms. */
const TIMEOUT_MS = 120_000
const LIBRARIES = ['@kubernetes/client-node', ...(process.env.LEASE === 'dynamodb' ? ['@aws-sdk/client-dynamodb'] : [])]

const [file = ''] = process.argv.slice(2)
const { handler } = (await import(file)) as { handler: (event: unknown, context: object) => Promise<unknown> }
await Promise.all(LIBRARIES.map(library => import(library)))
const sent = once(process, 'message')
process.channel?.ref()
process.send?.('ready')
const [event] = (await sent) as [unknown]
process.channel?.unref()

const startedAtMs = performance.now()
const context = {
  awsRequestId: randomUUID(),
  getRemainingTimeInMillis: () => TIMEOUT_MS - (performance.now() - startedAtMs),
}
// A function tells in its log why it failed.
await handler(event, context).catch(() => {
  process.exitCode = 1
})
