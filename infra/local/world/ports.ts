// Ports, settled before anything starts: one that is asked for and taken is named, and servers that can't choose a free one
// themselves are given one.

import { once } from 'node:events'
import { type AddressInfo, createServer } from 'node:net'
import { PORT_SETTINGS, type Ports, type ServerName } from './options.ts'

/** The address that everything here listens on. */
export const HOST = '127.0.0.1'

/** A port that is asked for and can't be had; the message says how to ask for another. */
export class PortError extends Error {
  override readonly name = 'PortError'
}

/**
 * Gives every one of `servers` a port of its own: the one that was asked for, or a free one for 0.
 *
 * A free port is free now; another process may still take it before it is used.
 *
 * @throws PortError – one is taken, not allowed, or asked for twice.
 */
export async function settlePorts(asked: Ports, servers: readonly ServerName[]): Promise<Ports> {
  const settled = { ...asked }
  const probes = []
  try {
    for (const server of servers) {
      const probe = createServer()
      await listen(probe, asked[server]).catch(error => {
        throw new PortError(describe(server, asked, error as NodeJS.ErrnoException), { cause: error })
      })
      probes.push(probe)
      settled[server] = (probe.address() as AddressInfo).port
    }
  } finally {
    for (const probe of probes) await new Promise(resolve => probe.close(resolve))
  }
  return settled
}

async function listen(probe: ReturnType<typeof createServer>, port: number): Promise<void> {
  probe.listen({ port, host: HOST, exclusive: true })
  await once(probe, 'listening')
}

function describe(server: ServerName, asked: Ports, { code, message }: NodeJS.ErrnoException): string {
  const { option, variable, what } = PORT_SETTINGS[server]
  const why = code === 'EADDRINUSE' ? 'is taken' : code === 'EACCES' ? 'is not allowed to you' : `(${message})`
  return `port ${asked[server]} for ${what} ${why}; choose another with --${option} or ${variable}, or 0 for a free one`
}
