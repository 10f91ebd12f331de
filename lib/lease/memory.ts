// The lease record in this process's memory: the readable specification of a store, and the lease of local runs without
// any election. It keeps nobody in another process from acting. A version is the very object that was read.

import { randomUUID } from 'node:crypto'
import { claimBySwap } from './claim-by-swap.ts'
import type { LeaseRecord, LeaseStore, Versioned } from './lease.ts'

/** Opens a store with one record, as a manifest would create it; `initial` sets fields of it. */
export function memoryStore(name: string, initial: Partial<LeaseRecord> = {}): LeaseStore {
  let current: Versioned = { record: { ...newRecord(), ...initial }, version: undefined }
  const store: LeaseStore = {
    address: `lease ${name} in memory`,
    read: async () => current,
    claim: (claim, signal) => claimBySwap(store, claim, signal),
    swap: async (seen, next) => {
      if (seen !== current) return undefined
      current = { record: next, version: undefined }
      return current
    },
  }
  return store
}

function newRecord(): LeaseRecord {
  return {
    recordId: randomUUID(),
    holder: '',
    token: 0,
    termEndsAtMs: 0,
    acquiredAtMs: 0,
    drained: undefined,
    isSuspended: false,
    tick: undefined,
    completedTick: undefined,
    lastOutcome: undefined,
    checkpoint: undefined,
  }
}
