// A way to etcd on which one resource can be frozen. kube-apiserver keeps one clear-text connection to etcd for each resource,
// so that the connections whose requests name its keys are all that the server knows of it: its watch, its reads and its
// writes. While they are frozen nothing passes on them in either direction, and nothing is lost or broken: the server goes on
// with an old copy of that resource, as one does that lags behind.

import { once } from 'node:events'
import { type AddressInfo, connect, createServer, type Socket } from 'node:net'

/** A running proxy. */
export interface EtcdProxy {
  /** Where an API server finds etcd. */
  readonly url: string
  /** How many open connections have named the resource. */
  marked(): number
  /** From now on nothing passes on connections that have named the resource, nor on others once they do. */
  freeze(): void
  /** Passes on what was held back, in its order, and everything after it. */
  thaw(): void
  close(): Promise<void>
}

/**
 * Starts a proxy on a free port.
 *
 * @param etcd URL of the server, http.
 * @param mark what the keys of the resource begin with, e.g. `/registry/fencepost.dev/fences`.
 */
export async function startEtcdProxy(etcd: string, mark: string): Promise<EtcdProxy> {
  const { hostname: host, port } = new URL(etcd)
  const links = new Set<Link>()
  let isFrozen = false

  const server = createServer(client => {
    const link = openLink(client, connect({ host, port: Number(port) }), mark, () => isFrozen)
    links.add(link)
    client.once('close', () => links.delete(link))
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    marked: () => [...links].filter(link => link.isMarked()).length,
    freeze: () => {
      isFrozen = true
    },
    thaw: () => {
      isFrozen = false
      for (const link of links) link.flush()
    },
    close: () =>
      new Promise(resolve => {
        server.close(() => resolve())
        for (const link of links) link.end()
      }),
  }
}

/** One connection of an API server and its other half. */
interface Link {
  isMarked(): boolean
  /** Passes on what was held back. */
  flush(): void
  end(): void
}

function openLink(client: Socket, server: Socket, mark: string, isFrozen: () => boolean): Link {
  const held: (() => void)[] = []
  let isMarked = false
  let last = Buffer.alloc(0)

  /** A name may be cut in two by the borders of what arrives at once. */
  function look(chunk: Buffer): void {
    const seen = Buffer.concat([last, chunk])
    isMarked ||= seen.includes(mark)
    last = seen.subarray(-mark.length)
  }

  function pass(to: Socket, chunk: Buffer): void {
    if (isMarked && isFrozen()) held.push(() => void to.write(chunk))
    else to.write(chunk)
  }

  const end = () => {
    client.destroy()
    server.destroy()
  }
  client.on('data', chunk => {
    if (!isMarked) look(chunk)
    pass(server, chunk)
  })
  server.on('data', chunk => pass(client, chunk))
  for (const socket of [client, server]) socket.on('close', end).on('error', end)
  return {
    isMarked: () => isMarked,
    flush: () => {
      for (const write of held.splice(0)) write()
    },
    end,
  }
}
