// A part of the benchmark in a process of its own.

import { startChild } from '../support/child.ts'
import type { Message, Order } from './processes/part.ts'
import type { Part } from './report.ts'

const CREDENTIALS = { AWS_ACCESS_KEY_ID: 'local', AWS_SECRET_ACCESS_KEY: 'local', AWS_REGION: 'eu-central-1' }

/** Gives the part that runs another one in a child process. */
export function inChild(part: Order['part']): Part {
  return async ({ isQuick, isReal, prices, progress }) => {
    const child = startChild('../bench/processes/part.ts', CREDENTIALS)
    try {
      child.send({ part, isQuick, isReal, prices } satisfies Order)
      for (;;) {
        const message = await child.next<Message>()
        if ('report' in message) return message.report
        if ('begin' in message) progress.begin(message.begin, message.steps)
        else progress.step()
      }
    } finally {
      await child.kill('SIGTERM')
    }
  }
}
