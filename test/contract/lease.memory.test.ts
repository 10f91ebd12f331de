import { PermanentError } from '../../lib/errors.ts'
import type { LeaseRecord, LeaseStore } from '../../lib/lease/lease.ts'
import { memoryStore } from '../../lib/lease/memory.ts'
import { describeLease } from './lease.contract.ts'

describeLease('in memory', async () => {
  const stores = new Map<string, LeaseStore>()
  let count = 0
  const signal = new AbortController().signal

  /** The store of a name as it is now; a name without one stands for a deleted record. */
  function current(name: string): LeaseStore {
    const store = stores.get(name)
    if (!store)
      throw new PermanentError('LeaseMissing', `lease ${name} does not exist; create it with \`new memoryStore\``)
    return store
  }

  return {
    async fresh() {
      const name = `fencepost-${count++}`
      stores.set(name, memoryStore(name))
      const store: LeaseStore = {
        address: current(name).address,
        read: async given => await current(name).read(given),
        claim: async (...args) => await current(name).claim(...args),
        swap: async (...args) => await current(name).swap(...args),
      }
      return { store, name }
    },
    async plant(name, fields: Partial<LeaseRecord>) {
      const seen = await current(name).read(signal)
      await current(name).swap(seen, { ...seen.record, ...fields }, signal)
    },
    async remove(name) {
      stores.delete(name)
    },
    async recreate(name) {
      stores.set(name, memoryStore(name))
    },
  }
})
