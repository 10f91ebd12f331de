// Everybody else: operators with kubectl and the actions of ours, foreign writers of sessions, and a stranger that empties
// our holder. Each seed draws who is about, and when; most of it happens while a tick runs.

import type { State } from '../work-loop.ts'
import type { Attempt } from './attempt.ts'
import { openTools, type Tools } from './invocation.ts'
import { FENCE_PATH, LEASE_NAMESPACE, LEASE_PATH, NAME, SESSIONS_PATH, WORK_NAMESPACE } from './names.ts'
import type { Installation } from './platform.ts'
import { BEGINNING_MS, createSandbox } from './sandbox.ts'
import type { Stored } from './store.ts'
import type { World } from './world.ts'

/** What people do. */
export const DEEDS = [
  'suspend',
  'free',
  'empty holder',
  'touch lease',
  'recreate lease',
  'recreate fence',
  'remove policies',
  'move lease',
  'edit session',
  'keep session',
  'create session',
  'remove session',
] as const

/** One thing that people do. */
export type Deed = (typeof DEEDS)[number]

/** The people of one world. */
export interface People {
  /** What the manifests create. */
  install(): void
  do(deed: Deed): void
  createSession(name: string, timesMs: readonly number[], state?: State): void
  /** Puts everything right that people and faults may have left wrong. */
  repair(): Promise<void>
}

const GAP_MS = 40_000

/** Opens the people. */
export function openPeople(world: World, installation: Installation): People {
  const { store, table, dice, timeline } = world
  const longAgo: Stored[] = []
  let records = 0
  let sessions = 0

  function createLease(content: object = {}, notes: object = {}): void {
    const metadata = { name: NAME, namespace: LEASE_NAMESPACE, ...notes }
    store.swap(LEASE_PATH, undefined, { ...content, metadata }, 'manifest')
  }
  function createItem(): void {
    const recordId = { S: `record-${++records}` }
    table.put({ lease: { S: NAME }, recordId, fencingToken: { N: '0' } }, 'manifest')
  }
  function createFence(): void {
    store.swap(FENCE_PATH, undefined, { metadata: { name: NAME } }, 'manifest')
  }

  function createSession(
    name: string,
    [opensAtMs, closesAtMs, goesAtMs]: readonly number[],
    state: State = 'waiting',
  ): void {
    const spec = { opensAtMs, closesAtMs, goesAtMs, isKept: false }
    const status = { state, steps: 0 }
    store.swap(
      `${SESSIONS_PATH}/${name}`,
      undefined,
      { metadata: { name, namespace: WORK_NAMESPACE }, spec, status },
      'foreigner',
    )
  }

  /** An operator's command, by production code over a network in order. */
  function command(run: (tools: Tools, signal: AbortSignal) => Promise<unknown>): Promise<void> {
    const attempt: Attempt = {
      id: -1,
      sandbox: createSandbox(-1, timeline, 0),
      tick: { id: 'operator', isScheduled: false },
      leaseKind: installation.leaseKind,
      isSpared: true,
      isOperator: true,
      isNarrowed: false,
      beganAt: store.log.length,
      beganMs: timeline.nowMs(),
      sent: new Map(),
      faults: 0,
      hasFailed: false,
      hasRaised: false,
    }
    timeline.touch()
    return run(openTools(world, attempt), new AbortController().signal).then(
      () => undefined,
      error => world.trace(() => `operator: ${error.message}`),
    )
  }

  function anySession(): string | undefined {
    const found = store.list(`${SESSIONS_PATH}/`)
    return found.length > 0 ? `${SESSIONS_PATH}/${dice.pick(found).metadata.name}` : undefined
  }

  const soon = (run: () => void) => timeline.after(dice.magnitude(10, GAP_MS), run)

  const deeds: Record<Deed, () => void> = {
    suspend() {
      void command(({ lease }, signal) => lease.suspend(true, signal))
      soon(() => void command(({ lease }, signal) => lease.suspend(false, signal)))
    },
    free: () => void command(({ lease }, signal) => lease.free(signal)),
    'empty holder': () =>
      store.change(LEASE_PATH, 'stranger', lease => ({
        ...lease,
        ...(lease.spec && { spec: { ...lease.spec, holderIdentity: '', leaseDurationSeconds: 1 } }),
      })),
    'touch lease': () => world.meddle(LEASE_PATH),
    'recreate lease'() {
      if (installation.leaseKind === 'kubernetes') {
        const last = store.get(LEASE_PATH)
        if (last) longAgo.push(last)
        store.change(LEASE_PATH, 'operator', () => undefined)
        // From the manifest, or from a backup.
        const { metadata, ...content } = dice.pick(longAgo)
        const { annotations } = metadata
        const isRestored = dice.chance(0.3)
        soon(() => (isRestored ? createLease(content, annotations && { annotations }) : createLease()))
      } else {
        table.put(undefined, 'operator')
        soon(() => table.item() ?? createItem())
      }
    },
    'recreate fence'() {
      store.change(FENCE_PATH, 'operator', () => undefined)
      soon(createFence)
    },
    'remove policies'() {
      world.setPolicies({ form: dice.chance(0.5), token: false })
      timeline.after(dice.magnitude(1_000, 400_000), () => world.setPolicies({ form: true, token: true }))
    },
    'move lease'() {
      installation.leaseKind = installation.leaseKind === 'kubernetes' ? 'dynamodb' : 'kubernetes'
    },
    'edit session'() {
      const key = anySession()
      if (key) world.meddle(key)
    },
    'keep session'() {
      const key = anySession()
      if (key) store.change(key, 'foreigner', session => ({ ...session, spec: { ...session.spec, isKept: true } }))
    },
    'create session'() {
      const beganMs = BEGINNING_MS + timeline.nowMs()
      createSession(`late-${++sessions}`, [beganMs + dice.below(60_000), beganMs + 200_000, beganMs + 500_000])
    },
    'remove session'() {
      const key = anySession()
      if (key) store.change(key, 'foreigner', () => undefined)
    },
  }

  return {
    install() {
      createLease()
      createItem()
      createFence()
    },
    do: deed => deeds[deed](),
    createSession,
    async repair() {
      world.setPolicies({ form: true, token: true })
      if (!store.get(FENCE_PATH)) createFence()
      if (!store.get(LEASE_PATH)) createLease()
      if (!table.item()) createItem()
      await command(async ({ lease, clock }, signal) => {
        await lease.suspend(false, signal)
        const { holder, termEndsAtMs } = await lease.read(signal)
        // Taken under a clock that was far ahead.
        if (holder && termEndsAtMs > clock.wallMs() + 2 * GAP_MS) await lease.free(signal)
      })
    },
  }
}
