// TLS before an embedded server that has none: whatever comes is handed on, so that what is only ever sent over TLS can be
// sent here too. Nothing is read or changed on the way.

import { once } from 'node:events'
import { type AddressInfo, connect, type Socket } from 'node:net'
import { createServer } from 'node:tls'
import { HOST } from '../ports.ts'
import type { Certificate } from './certificate.ts'

/** A running front. */
export interface TlsFront {
  /** Where it listens, `https://127.0.0.1:<port>`. */
  readonly url: string
  close(): Promise<void>
}

/** Starts one on a free port before what listens on `port` of this machine. */
export async function startTlsFront(port: number, { certificate, key }: Certificate): Promise<TlsFront> {
  const sockets = new Set<Socket>()
  const keep = (socket: Socket) => {
    sockets.add(socket)
    socket.once('close', () => sockets.delete(socket))
    // Whoever hung up has said so to the other side already.
    socket.on('error', () => socket.destroy())
  }
  const server = createServer({ cert: certificate, key }, client => {
    const behind = connect(port, HOST)
    for (const socket of [client, behind]) keep(socket)
    client.pipe(behind)
    behind.pipe(client)
    client.once('close', () => behind.destroy())
    behind.once('close', () => client.destroy())
  })
  server.listen(0, HOST)
  await once(server, 'listening')
  return {
    url: `https://${HOST}:${(server.address() as AddressInfo).port}`,
    async close() {
      server.close()
      for (const socket of sockets) socket.destroy()
      await once(server, 'close')
    },
  }
}
