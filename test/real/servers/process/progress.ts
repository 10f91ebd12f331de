// Tells on stderr what takes long, and for how long already: one line that is rewritten every second in a terminal, a plain
// line now and then where the output is piped.

/** How often a plain line comes, ms. */
const PLAIN_EVERY_MS = 30_000

/** Does `work` and tells so with the elapsed time; at its end, how long it took. */
export async function withProgress<T>(what: string, work: () => Promise<T>): Promise<T> {
  const startedMs = performance.now()
  const isTerminal = process.stderr.isTTY === true
  const seconds = () => `${Math.round((performance.now() - startedMs) / 1_000)} s`
  const tell = (rest: string) => process.stderr.write(isTerminal ? `\r\u001B[2K${what} ${rest}` : `${what} ${rest}\n`)
  tell('…')
  const timer = setInterval(() => tell(`… ${seconds()}`), isTerminal ? 1_000 : PLAIN_EVERY_MS)
  try {
    const done = await work()
    tell(`took ${seconds()}`)
    return done
  } catch (error) {
    tell(`failed after ${seconds()}`)
    throw error
  } finally {
    clearInterval(timer)
    if (isTerminal) process.stderr.write('\n')
  }
}
