import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import type { DryRun } from '../../../lib/runtime/dry-run.ts'
import { TickFailedError } from '../../../lib/tick/outcome.ts'
import type { Page } from '../../../lib/tick/reconciler.ts'
import { HOUR_MS, MINUTE_MS, toInstant } from '../../../lib/time.ts'
import { type ConfigMap, TTL_ANNOTATION } from './expire-configmaps/config-map.ts'
import { type Cursor, observeConfigMaps } from './expire-configmaps/observe.ts'
import { FIRST_MS, type Guide, PERIOD_MS, startGuide } from './harness.ts'

const CONFIG_MAPS = '/api/v1/namespaces/team/configmaps'
let guide: Guide

beforeEach(async () => {
  guide = await startGuide()
})
afterEach(async () => {
  await guide.close()
})

/** Changes an annotation as somebody else does. */
async function annotate(name: string, ttl: string | null): Promise<void> {
  await guide.world.api.request({
    method: 'PATCH',
    path: `${CONFIG_MAPS}/${name}`,
    contentType: 'application/merge-patch+json',
    body: { metadata: { annotations: { [TTL_ANNOTATION]: ttl } } },
    repeat: 'bound',
  })
}

/** Lets something happen just before the first deletion. */
function beforeDeletion(happen: () => Promise<void>): void {
  guide.world.kubernetes.intercept = async ({ method }) => {
    if (method !== 'DELETE') return undefined
    guide.world.kubernetes.intercept = undefined
    await happen()
    return undefined
  }
}

describe('a tick of the guide’s loop', () => {
  it('completes, deletes the two ConfigMaps that are due and keeps the three that are not', async () => {
    await guide.create(['due-1', 'due-2'], '90m', 93 * MINUTE_MS)
    await guide.create(['young'], '90m', 89 * MINUTE_MS)
    await guide.create(['unlimited'], undefined, 1_000 * HOUR_MS)
    await guide.create(['almost'], '1d', 24 * HOUR_MS - MINUTE_MS)
    expect(await guide.tick()).toMatchObject({
      kind: 'completed',
      loop: 'expire-configmaps',
      token: 1,
      settled: false,
      counts: { observed: 4, planned: 2, changed: 2, unchanged: 0, failed: 0 },
      changes: ['due-1', 'due-2'].map(name => ({
        object: `team/${name}`,
        from: 'kept',
        to: 'deleted',
        reason: 'ttlOver',
        note: 'its 90 min were over 3 min ago',
      })),
    })
    expect(await guide.names()).toEqual(['almost', 'unlimited', 'young'])
    expect(await guide.world.record('kubernetes', 'expire-configmaps')).toMatchObject({
      token: 1,
      holder: '',
      drained: 1,
      completedTick: toInstant(FIRST_MS),
    })
  })

  it('is skipped when it is delivered again, and the next one finds nothing to do', async () => {
    await guide.create(['due'], '1h', 2 * HOUR_MS)
    await guide.tick()
    guide.world.kubernetes.clearRequests()
    expect(await guide.tick()).toMatchObject({ kind: 'skipped', reason: 'already-completed', token: 1 })
    guide.clock.advance(PERIOD_MS)
    expect(await guide.tick()).toMatchObject({ kind: 'completed', token: 2, counts: { observed: 0, planned: 0 } })
    expect(guide.writes()).toEqual([])
  })

  it('keeps a ConfigMap that was given more time after it was listed', async () => {
    await guide.create(['due'], '1h', 2 * HOUR_MS)
    beforeDeletion(() => annotate('due', '3h'))
    expect(await guide.tick()).toMatchObject({ kind: 'completed', counts: { changed: 0, unchanged: 1 } })
    expect(await guide.names()).toEqual(['due'])
  })

  it('deletes one that was changed after it was listed and is still due', async () => {
    await guide.create(['due'], '1h', 2 * HOUR_MS)
    beforeDeletion(() => annotate('due', '30m'))
    expect(await guide.tick()).toMatchObject({ kind: 'completed', counts: { changed: 1 } })
    expect(await guide.names()).toEqual([])
  })

  it('leaves alone one that was deleted and made anew after it was listed', async () => {
    await guide.create(['due'], '1h', 2 * HOUR_MS)
    beforeDeletion(async () => {
      await guide.world.api.request({ method: 'DELETE', path: `${CONFIG_MAPS}/due`, repeat: 'bound' })
      await guide.create(['due'], '1h', 2 * HOUR_MS)
    })
    expect(await guide.tick()).toMatchObject({ kind: 'completed', counts: { changed: 0, unchanged: 1 } })
    expect(await guide.names()).toEqual(['due'])
  })

  it('names the one whose TTL is no duration, deletes the others, and fails at its end', async () => {
    await guide.create(['due'], '1h', 2 * HOUR_MS)
    await guide.create(['broken'], 'soon', 2 * HOUR_MS)
    const failed = await guide.tick().catch(error => error)
    expect(failed).toBeInstanceOf(TickFailedError)
    expect(failed.outcome).toMatchObject({
      kind: 'failed',
      counts: { changed: 1, failed: 1 },
      failures: [
        {
          object: 'team/broken',
          code: 'InvalidResource',
          message: `ConfigMap team/broken: metadata.annotations.${TTL_ANNOTATION}: is not a duration such as 90m`,
        },
      ],
    })
    expect(await guide.names()).toEqual(['broken'])
  })
})

describe('the guide’s loop by hand', () => {
  it('as a dry run prints the plan and writes nothing, not even to the Lease', async () => {
    await guide.create(['due'], '1h', 2 * HOUR_MS)
    expect(await guide.reconcile<DryRun>({ dryRun: true })).toEqual({
      kind: 'dry-run',
      loop: 'expire-configmaps',
      observed: 1,
      plan: [
        {
          object: 'team/due',
          from: 'kept',
          to: 'deleted',
          reason: 'ttlOver',
          note: 'its 60 min were over 60 min ago',
        },
      ],
      broken: [],
      isComplete: true,
    })
    expect(guide.world.kubernetes.requests.filter(({ method }) => method !== 'GET')).toEqual([])
    expect(await guide.names()).toEqual(['due'])
  })

  it('with names deletes these alone', async () => {
    await guide.create(['a', 'b', 'c'], '1h', 2 * HOUR_MS)
    expect(await guide.reconcile({ names: ['b'] })).toMatchObject({ kind: 'completed', counts: { changed: 1 } })
    expect(await guide.names()).toEqual(['a', 'c'])
  })
})

describe('the cursor of the guide’s loop', () => {
  it('sees its page again, and tells of pages without a single TTL', async () => {
    const names = Array.from({ length: 1_100 }, (_, i) => `map-${String(i).padStart(4, '0')}`)
    await guide.create(names.slice(0, 500), undefined, 0)
    await guide.create(names.slice(500), '1h', 0)
    const { signal } = new AbortController()
    const pagesFrom = async (from: Cursor | undefined) => {
      const pages: Page<ConfigMap, Cursor>[] = []
      const observation = { from, scope: {}, nowMs: FIRST_MS, signal }
      for await (const page of observeConfigMaps(guide.world.api, observation)) pages.push(page)
      return pages
    }
    const pages = await pagesFrom(undefined)
    expect(pages.map(({ cursor, items }) => [cursor.after, items.length])).toEqual([
      [undefined, 0],
      ['team/map-0499', 500],
      ['team/map-0999', 100],
    ])
    expect((await pagesFrom(pages[1]?.cursor))[0]).toEqual(pages[1])
  })
})
