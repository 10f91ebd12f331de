// One Lease with the two who may meet on it: our lease and our function, and electors of client-go that were pointed at it
// by mistake. Their requests come through proxies of their own, so that either side's are told from the other's.

import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { KubernetesApi, RawObject } from '../../../lib/kubernetes/api.ts'
import { readObject } from '../../../lib/kubernetes/pages.ts'
import { openTransport } from '../../../lib/kubernetes/transport.ts'
import { openLease } from '../../../lib/lease/fenced-lease.ts'
import { kubernetesStore, LEASE } from '../../../lib/lease/kubernetes.ts'
import type { Ending, Grant, Lease } from '../../../lib/lease/lease.ts'
import { systemClock } from '../../../lib/time.ts'
import { startSandbox } from '../../support/invoke.ts'
import { recordingLog } from '../../support/log.ts'
import type { RealKubernetes } from '../world/provided.ts'
import { ADMINISTRATOR_TOKEN, openRealKubernetes } from '../world/servers.ts'
import { type Elector, electorBinary, startElector } from './elector.ts'

const { signal } = new AbortController()
const OUTCOME: Ending = { outcome: '{"kind":"completed"}', checkpoint: undefined, isDrained: true }

/** What of a Lease these tests look at. */
export interface SeenLease {
  readonly resourceVersion: string
  readonly annotations: Readonly<Record<string, string>>
  readonly labels: Readonly<Record<string, string>>
  readonly spec: {
    readonly holderIdentity?: string
    readonly leaseTransitions?: number
    readonly leaseDurationSeconds?: number
    readonly acquireTime?: string
    readonly renewTime?: string
  }
}

/** One Lease and who is on it. */
export interface Meeting {
  readonly lease: Lease
  /** Takes the lease for the tick of 07:05 of a day long past. */
  acquire(termMs: number): Promise<Grant>
  complete(grant: Grant): Promise<void>
  /** Runs a whole scheduled tick of now. */
  tick(): Promise<unknown>
  /** Methods that our side has sent to the Lease. */
  sent(): string[]
  seen(): Promise<SeenLease>
  elector(identity: string, releasesOnCancel?: boolean): Elector
  /** Holds every read of the electors back until the promise resolves. */
  holdReads(until: Promise<unknown>): void
}

/** Who opens meetings, and ends all of them. */
export interface Neighbourhood {
  meet(id: string): Promise<Meeting>
  close(): Promise<void>
}

/** Opens both proxies and builds the elector. */
export async function openNeighbourhood(real: RealKubernetes): Promise<Neighbourhood> {
  const { namespace } = real
  const binary = await electorBinary()
  const [ours, theirs] = await Promise.all([openRealKubernetes(real), openRealKubernetes(real)])
  const headers = async () => ({ authorization: `Bearer ${ADMINISTRATOR_TOKEN}` })
  const api: KubernetesApi = openTransport({ server: new URL(ours.url), tls: {}, headers }, { clock: systemClock })
  const folder = await mkdtemp(join(tmpdir(), 'fencepost-'))
  const kubeconfig = join(folder, 'kubeconfig')
  await writeFile(kubeconfig, ours.kubeconfig(ADMINISTRATOR_TOKEN))
  const electors: Elector[] = []
  const held = new Map<string, Promise<unknown>>()
  let loading: Promise<unknown> = Promise.resolve()
  theirs.intercept = async ({ method, path }) => {
    const name = path.split('/').at(-1) ?? ''
    if (method === 'GET') await held.get(name)
    return undefined
  }

  async function meet(id: string): Promise<Meeting> {
    const installation = `${namespace}-${id}`
    const name = `${installation}-cleanup`
    const metadata = { name, namespace, labels: { team: 'x' }, annotations: { 'fencepost.dev/drained': '0' } }
    // One after the other: it keeps the list of what is to be deleted.
    loading = loading.then(() => ours.load([{ apiVersion: 'coordination.k8s.io/v1', kind: 'Lease', metadata }]))
    await loading
    const store = kubernetesStore(api, { namespace, name })
    const lease = openLease({ store, name, clock: systemClock, log: recordingLog() })
    const sandbox = startSandbox(
      { LEASE: 'kubernetes', LEADER_ELECT_ID: installation, POD_NAMESPACE: namespace, KUBECONFIG: kubeconfig },
      systemClock,
    )
    return {
      lease,
      async acquire(termMs) {
        const tick = { id: '2020-11-21T07:05:00Z', isScheduled: true }
        const result = await lease.acquire({ tick, requestId: 'r', termMs, signal })
        if (result.kind !== 'acquired') throw new Error(`not acquired: ${result.reason}`)
        return result.grant
      },
      complete: grant => lease.complete(grant, OUTCOME, signal),
      tick: () => sandbox.tick(Date.now()),
      sent: () => ours.requests.filter(({ path }) => path.endsWith(`/${name}`)).map(({ method }) => method),
      async seen() {
        const { metadata, spec } = (await readObject(api, LEASE, { namespace, name }, signal)) as RawObject
        const { resourceVersion, annotations = {}, labels = {} } = metadata
        return { resourceVersion, annotations, labels, spec: spec ?? {} } as SeenLease
      },
      elector(identity, releasesOnCancel = false) {
        const at = { url: theirs.url, token: ADMINISTRATOR_TOKEN, namespace, lease: name }
        const elector = startElector({ binary, ...at, identity, releasesOnCancel })
        electors.push(elector)
        return elector
      },
      holdReads: until => void held.set(name, until),
    }
  }

  return {
    meet,
    async close() {
      for (const elector of electors) elector.signal('SIGKILL')
      await Promise.all(electors.map(({ ended }) => ended))
      api.close()
      await Promise.all([ours.close(), theirs.close(), rm(folder, { recursive: true })])
    },
  }
}
