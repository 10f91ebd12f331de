// Loads a bundle as a platform does at a cold start, then a chunk if one is asked for, then runs an invocation that has no
// time left: configuration, log and handler come to life, and nothing is sent. Tells how long each took.
//
//   node cold-start.cjs <bundle> [<chunk> <class of the chunk to make one of>]

const [bundle, chunk, made] = process.argv.slice(2)

const startedMs = performance.now()
const { handler } = require(bundle)
const importMs = performance.now() - startedMs

if (chunk) new (require(chunk)[made])({ region: 'eu-central-1' })
const chunkMs = performance.now() - startedMs - importMs

const event = bundle.endsWith('reconcile.cjs') ? { loop: 'cleanup' } : { time: new Date(0).toISOString() }
handler(event, { awsRequestId: 'cold-start', getRemainingTimeInMillis: () => 0 }).then(() => {
  const invocationMs = performance.now() - startedMs - importMs - chunkMs
  require('node:fs').writeSync(3, JSON.stringify({ importMs, chunkMs, invocationMs }))
})
