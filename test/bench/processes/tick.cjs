// One tick in a process of its own, as a cold sandbox runs it. Tells its time, its peak memory and what it received.
//
//   node tick.cjs <bundle of cleanup> <tick>

const { subscribe } = require('node:diagnostics_channel')
const { readFileSync, writeSync } = require('node:fs')

const [bundle, time] = process.argv.slice(2)
const TIMEOUT_MS = 120_000

const sockets = []
subscribe('net.client.socket', ({ socket }) => sockets.push(socket))
const startedMs = performance.now()
const { handler } = require(bundle)
const context = {
  awsRequestId: 'tick',
  getRemainingTimeInMillis: () => TIMEOUT_MS - (performance.now() - startedMs),
}
handler({ time }, context).then(({ kind, counts }) => {
  const tickMs = performance.now() - startedMs
  const receivedBytes = sockets.reduce((sum, { bytesRead }) => sum + bytesRead, 0)
  writeSync(3, JSON.stringify({ kind, counts, tickMs, receivedBytes, peakBytes: peakBytes() }))
  for (const socket of sockets) socket.destroy()
})

/** Peak resident memory. Linux' own count of this program: getrusage's also has what the parent had when it forked. */
function peakBytes() {
  try {
    return Number(/VmHWM:\s+(\d+) kB/.exec(readFileSync('/proc/self/status', 'utf8'))[1]) * 1024
  } catch {
    return process.resourceUsage().maxRSS * 1024
  }
}
