import { describe, expect, it } from 'vitest'
import type { RawObject } from '../../../../lib/kubernetes/api.ts'
import { parseClusterConfig } from '../../../../lib/kubernetes/resources/cluster-config.ts'
import { type Looked, planConfigCheck } from '../../../../lib/reconcilers/config-check/plan.ts'
import { failed, type Look, ready, untried } from '../../../../lib/reconcilers/config-check/rules/look.ts'
import { T0 } from '../../../support/clock.ts'

const READY = {
  type: 'Ready',
  status: 'True',
  reason: 'KubeconfigValidated',
  message: 'fine',
  lastTransitionTime: '2026-11-20T00:00:00Z',
  observedGeneration: 3,
}
const UNREADY = { ...READY, status: 'False', reason: 'ClusterUnreachable', message: 'gone' }
const FOREIGN = { type: 'DegradedAuth', status: 'True', reason: 'DegradedAuth', message: '', note: 'of others' }

const GOOD = ready('KubeconfigValidated', 'fine')
const CERTAIN = failed('SecretMissing', 'no Secret')
const NETWORK = failed('ClusterUnreachable', 'gone')
const HELD = untried('command')

/** A cluster named `team/a` of generation 3 with these conditions. */
function config(conditions: readonly object[] | undefined, metadata: object = {}) {
  return parseClusterConfig({
    metadata: { namespace: 'team', name: 'a', uid: 'u', resourceVersion: '7', generation: 3, ...metadata },
    spec: {},
    ...(conditions && { status: { conditions } }),
  } as unknown as RawObject)
}

function plan(conditions: readonly object[] | undefined, look: Look, rest: Partial<Looked> = {}) {
  const item: Looked = { config: config(conditions), look, failedBefore: false, isTold: false, ...rest }
  return planConfigCheck({ items: [item] }, T0)
}

describe('what a look makes of Ready:', () => {
  it.each<[string, object[] | undefined, Look, boolean, string | undefined]>([
    ['True, and a good look', [READY], GOOD, false, undefined],
    ['True, and something is wrong at home', [READY], CERTAIN, false, 'Ready=True → Ready=False SecretMissing'],
    ['True, and a first silence', [READY], NETWORK, false, undefined],
    ['True, and a second silence', [READY], NETWORK, true, 'Ready=True → Ready=False ClusterUnreachable'],
    ['True, and it can not be tried', [READY], HELD, true, 'Ready=True → Ready=True command'],
    ['False, and a good look', [UNREADY], GOOD, true, 'Ready=False → Ready=True KubeconfigValidated'],
    ['False, and the same silence', [UNREADY], NETWORK, false, undefined],
    [
      'False, and another silence',
      [UNREADY],
      failed('ClusterUnreachable', 'HTTP 503'),
      false,
      'Ready=False → Ready=False ClusterUnreachable',
    ],
    ['False, and another fault', [UNREADY], CERTAIN, false, 'Ready=False → Ready=False SecretMissing'],
    ['False, and it can not be tried', [UNREADY], HELD, false, 'Ready=False → Ready=False command'],
    ['unset, and a good look', undefined, GOOD, false, 'Ready=unset → Ready=True KubeconfigValidated'],
    ['unset, and a first silence', [], NETWORK, false, 'Ready=unset → Ready=False ClusterUnreachable'],
    [
      'Unknown, and a first silence',
      [{ ...READY, status: 'Unknown' }],
      NETWORK,
      false,
      'Ready=Unknown → Ready=False ClusterUnreachable',
    ],
    ['unset, and it can not be tried', undefined, HELD, false, 'Ready=unset → Ready=unset command'],
  ])('%s', (_, conditions, look, failedBefore, expected) => {
    const told = plan(conditions, look, { failedBefore }).map(({ from, to, reason }) => `${from} → ${to} ${reason}`)
    expect(told).toEqual(expected === undefined ? [] : [expected])
  })

  it.each<[string, object, boolean]>([
    ['another status', { status: 'False' }, true],
    ['another reason', { reason: 'OIDCValidated' }, true],
    ['another message', { message: 'other' }, false],
    ['an older generation', { observedGeneration: 2 }, false],
    ['no generation', { observedGeneration: undefined }, false],
  ])('is written over %s, and told only where status or reason change', (_, before, isTurn) => {
    expect(plan([{ ...READY, ...before }], GOOD)).toMatchObject([{ isTurn }])
  })

  it('changes its own condition in its place, keeps others as they came, and its time only with its status', () => {
    const written = (conditions: object[]) => plan(conditions, CERTAIN)[0]?.status?.conditions
    const mine = {
      type: 'Ready',
      status: 'False',
      reason: 'SecretMissing',
      message: 'no Secret',
      observedGeneration: 3,
    }
    expect(written([FOREIGN, READY])).toEqual([FOREIGN, { ...mine, lastTransitionTime: '2026-11-21T07:05:00Z' }])
    expect(written([UNREADY, FOREIGN])).toEqual([{ ...mine, lastTransitionTime: READY.lastTransitionTime }, FOREIGN])
  })

  it('is bound to what was judged, and says what it is about', () => {
    const [action] = plan(undefined, CERTAIN)
    expect(action).toMatchObject({
      object: 'team/a',
      note: 'no Secret',
      target: { namespace: 'team', name: 'a', uid: 'u', resourceVersion: '7', resource: { plural: 'clusterconfigs' } },
    })
  })

  it('stays on a cluster that is being deleted, and what can not be tried is told once', () => {
    const deleted = config([READY], { deletionTimestamp: '2026-11-21T07:00:00Z' })
    expect(plan([READY], CERTAIN, { config: deleted })).toEqual([])
    expect(plan([READY], HELD, { isTold: true })).toEqual([])
  })
})
