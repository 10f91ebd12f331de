// The part of dynalite that is used; the package has no types of its own.
declare module 'dynalite' {
  import type { Server } from 'node:http'

  /** Makes a server with a store in memory; its `close` also closes the store. Table changes take `…Ms`, default 500. */
  export default function dynalite(options?: {
    createTableMs?: number
    deleteTableMs?: number
    updateTableMs?: number
  }): Server
}
