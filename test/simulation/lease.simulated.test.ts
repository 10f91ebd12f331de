// The simulated stores are held to the same suite as the embedded and the real ones: what it says of a lease holds in the
// world that the schedules are played in.

import { fromItem, toItem } from '../../lib/lease/dynamodb.ts'
import { fromLease, toLease } from '../../lib/lease/kubernetes.ts'
import type { LeaseRecord, LeaseStore } from '../../lib/lease/lease.ts'
import { describeLease, type LeaseBackend } from '../contract/lease.contract.ts'
import type { Attempt, LeaseKind } from './world/attempt.ts'
import { createDice } from './world/dice.ts'
import type { Item } from './world/expressions.ts'
import { openStore } from './world/invocation.ts'
import { type Label, LEASE_NAMESPACE, LEASE_PATH, NAME } from './world/names.ts'
import { createSandbox } from './world/sandbox.ts'
import { createWorld, type World } from './world/world.ts'

const WRITES: readonly Label[] = ['acquire PUT', 'complete PUT', 'item acquire', 'item end']

/** A world in order, whose time passes while anybody waits for it. */
function openBackend(kind: LeaseKind): LeaseBackend {
  const lost = { left: 0 }
  let world: World
  let records = 0

  function create(): void {
    if (kind === 'dynamodb')
      world.table.put(
        { lease: { S: NAME }, recordId: { S: `record-${records++}` }, fencingToken: { N: '0' } },
        'manifest',
      )
    else world.store.swap(LEASE_PATH, undefined, { metadata: { name: NAME, namespace: LEASE_NAMESPACE } }, 'manifest')
  }
  function annotate(fields: object): void {
    world.store.change(LEASE_PATH, 'foreigner', lease => ({ ...lease, metadata: { ...lease.metadata, ...fields } }))
  }

  return {
    async fresh() {
      const habits = WRITES.map(label => ({
        fault: 'answer lost' as const,
        label,
        rate: 1,
        get left() {
          return lost.left
        },
        set left(left) {
          lost.left = left
        },
      }))
      world = createWorld({
        dice: createDice(1),
        swarm: { rate: 0, kinds: new Set(), habits },
        servers: 2,
        onTrace: undefined,
      })
      create()
      return { store: played(world, openStore(world, attemptIn(world, kind))), name: NAME }
    },
    async plant(_, fields: Partial<LeaseRecord>) {
      if (kind === 'dynamodb') {
        const item = world.table.item() as Item
        world.table.put({ lease: { S: NAME }, ...toItem({ ...fromItem(item), ...fields }) }, 'foreigner')
      } else
        world.store.change(LEASE_PATH, 'foreigner', lease => toLease(lease, { ...fromLease(lease, NAME), ...fields }))
    },
    async remove() {
      if (kind === 'dynamodb') world.table.put(undefined, 'operator')
      else world.store.change(LEASE_PATH, 'operator', () => undefined)
    },
    async recreate() {
      create()
    },
    loseNextAnswer() {
      lost.left = 1
    },
    async addForeign() {
      if (kind === 'dynamodb') world.table.put({ ...world.table.item(), team: { S: 'platform' } }, 'foreigner')
      else annotate({ labels: { app: 'x' }, annotations: { 'team.example/owner': 'platform' } })
    },
    async readForeign() {
      if (kind === 'dynamodb') return world.table.item()?.team
      const { labels, annotations } = world.store.get(LEASE_PATH)?.metadata ?? {}
      return { labels, owner: annotations?.['team.example/owner'] }
    },
  }
}

function attemptIn({ timeline }: World, leaseKind: LeaseKind): Attempt {
  return {
    id: 0,
    sandbox: createSandbox(0, timeline, 0),
    tick: { id: 'suite', isScheduled: false },
    leaseKind,
    isSpared: false,
    isOperator: true,
    isNarrowed: false,
    beganAt: 0,
    beganMs: 0,
    sent: new Map(),
    faults: 0,
    hasFailed: false,
    hasRaised: false,
  }
}

/** The store, with the world's time running until each call has ended. */
function played({ timeline }: World, store: LeaseStore): LeaseStore {
  let waiting = 0
  let isPlaying = false
  async function play(): Promise<void> {
    isPlaying = true
    while (waiting > 0) await timeline.playUntil(timeline.nowMs() + 100)
    isPlaying = false
  }
  async function during<T>(call: Promise<T>): Promise<T> {
    waiting++
    timeline.touch()
    if (!isPlaying) void play()
    return await call.finally(() => {
      waiting--
    })
  }
  return {
    address: store.address,
    read: signal => during(store.read(signal)),
    claim: (claim, signal) => during(store.claim(claim, signal)),
    swap: (seen, next, signal) => during(store.swap(seen, next, signal)),
  }
}

describeLease('in the simulated API servers', async () => openBackend('kubernetes'))
describeLease('in the simulated table', async () => openBackend('dynamodb'))
