// Suites whose servers may be missing on this machine.

import { describe, it } from 'vitest'

/** Describes a suite over a server; where there is a sentence instead, a skipped test says it in its place. */
export function describeWith<Server>(server: Server | string, title: string, suite: (server: Server) => unknown): void {
  describe(title, async () => {
    if (typeof server === 'string') it.skipIf(true)(server, () => {})
    else await suite(server)
  })
}
