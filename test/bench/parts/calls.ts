// What a tick asks of the servers, counted there.

import { scenarioClock, T0 } from '../../support/clock.ts'
import { startSandbox } from '../../support/invoke.ts'
import { type Asked, isCanary, isRaise, isStatus, isWork } from '../../support/requests.ts'
import type { Report, Setting } from '../report.ts'
import { type Fate, sessions } from '../sessions.ts'
import { type LeaseKind, startWorld, type World } from '../world.ts'

/** Requests of one tick, by what they are for. */
interface Calls {
  readonly lease: number
  readonly raises: number
  readonly lists: number
  readonly reads: number
  readonly canaries: number
  readonly patches: number
  readonly events: number
}

const PAGE = 500
const DUE = 20
const LIVE = 1_200

/** Calls per tick, per page and per changed session. */
export async function calls({ progress }: Setting): Promise<Report> {
  progress.begin('counting calls', 6)
  const counted = async (lease: LeaseKind, load: Partial<Record<Fate, number>>, deliveries = 1) => {
    const found = await countTick(lease, load, deliveries)
    progress.step()
    return found
  }
  const idle = await counted('kubernetes', { live: 10 })
  const idleDynamodb = await counted('dynamodb', { live: 10 })
  const due = await counted('kubernetes', { due: DUE })
  const many = await counted('kubernetes', { live: LIVE })
  const again = await counted('kubernetes', { live: 10 }, 2)
  const againDynamodb = await counted('dynamodb', { live: 10 }, 2)

  const morePages = 2 * (Math.ceil(LIVE / PAGE) - 1)
  const perPage = (sum(many) - sum(idle)) / morePages
  const perChange = (sum(due) - sum(idle) - due.canaries) / DUE
  const row = (name: string, found: Calls) => [name, ...Object.values(found), sum(found)]
  return {
    title: 'Calls per tick',
    how: `One tick of cleanup each, through its handler, on the embedded servers; the API server's and the table's own counts. Live sessions are listed twice, in pages of ${PAGE}: those approved, and all.`,
    tables: [
      {
        title: 'Requests of one tick',
        columns: ['tick', 'lease', 'raise', 'lists', 'reads', 'canaries', 'patches', 'Events', 'all'],
        rows: [
          row('10 live sessions, Kubernetes lease', idle),
          row('10 live sessions, DynamoDB lease', idleDynamodb),
          row(`${DUE} due sessions, Kubernetes lease`, due),
          row(`${LIVE} live sessions, Kubernetes lease`, many),
          row('the same tick once more, Kubernetes lease', again),
          row('the same tick once more, DynamoDB lease', againDynamodb),
        ],
      },
      {
        title: 'What they are for',
        columns: ['', 'requests'],
        rows: [
          ['lease, per tick, Kubernetes', idle.lease],
          ['lease, per tick, DynamoDB', idleDynamodb.lease],
          ['raise of the Fence, per tick', idle.raises],
          ['per further page of a list', perPage],
          ['per changed session', perChange],
          ['canaries of a tick that changes, one for each kind of write', due.canaries],
          ['canaries of a tick that changes nothing', idle.canaries],
          ['a tick that was completed before, Kubernetes', sum(again)],
        ],
      },
    ],
    aims: [
      {
        aim: '3 lease calls a tick with Kubernetes, 2 with DynamoDB, 1 raise',
        measured: `${idle.lease}, ${idleDynamodb.lease} and ${idle.raises}`,
        isMet: idle.lease === 3 && idleDynamodb.lease === 2 && idle.raises === 1 && idleDynamodb.raises === 1,
      },
      {
        aim: '1 call a page, 2 a changed session (the change and its Event)',
        measured: `${perPage} and ${perChange}`,
        isMet: perPage === 1 && perChange === 2,
      },
      {
        aim: '1 canary for each kind of write in a tick (here 2), none in a tick that changes nothing',
        measured: `${due.canaries} and ${idle.canaries}`,
        isMet: due.canaries === 2 && idle.canaries === 0,
      },
    ],
    dominates:
      'The five lists are one for each state that something can become due in, all sessions for retention, and debug ' +
      'sessions; no session is read by itself, since a write is bound to the resourceVersion that its list gave.',
  }
}

/** Counts the last of some deliveries of one tick. */
async function countTick(lease: LeaseKind, load: Partial<Record<Fate, number>>, deliveries: number): Promise<Calls> {
  const world = await startWorld(['fencepost-cleanup'], () => T0)
  try {
    for (const [fate, count] of Object.entries(load)) world.kubernetes.load(sessions(fate as Fate, count, fate, T0))
    const sandbox = startSandbox(world.environment(lease), scenarioClock(T0))
    for (let delivery = 1; delivery < deliveries; delivery++) await sandbox.tick(T0)
    world.kubernetes.clearRequests()
    const before = world.dynamodb.requests.length
    await sandbox.tick(T0)
    return countRequests(world, before)
  } finally {
    await world.close()
  }
}

function countRequests({ kubernetes, dynamodb }: World, before: number): Calls {
  const count = (isIt: (request: Asked) => boolean) => kubernetes.requests.filter(isIt).length
  return {
    lease: count(({ path }) => path.includes('/leases/')) + dynamodb.requests.length - before,
    raises: count(isRaise),
    lists: count(({ method, path }) => method === 'GET' && path.endsWith('sessions')),
    reads: count(({ method, path }) => method === 'GET' && path.includes('sessions/')),
    canaries: count(isCanary),
    patches: count(isStatus),
    events: count(request => isWork(request) && request.method === 'POST'),
  }
}

function sum(found: Calls): number {
  return Object.values(found).reduce((total, count) => total + count, 0)
}
