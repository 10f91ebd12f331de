// What a look means for the Ready condition. A cluster that is ready is only taken for unready by what is certain, or by a network
// that failed at two looks running: people are refused access meanwhile. The way back needs one good look.
//
// | look    | Ready was True, last look was good | Ready was True, last look failed by network | Ready was anything else |
// |---------|------------------------------------|---------------------------------------------|-------------------------|
// | ready   | True                               | True                                        | True                    |
// | certain | False                              | False                                       | False                   |
// | network | stays                              | False                                       | False                   |
// | untried | stays                              | stays                                       | stays                   |

import type { ClusterConfig } from '../../../kubernetes/resources/cluster-config.ts'
import type { Condition, ConditionChange } from '../../../kubernetes/resources/condition.ts'
import type { Look } from './look.ts'
import { REASONS } from './reasons.ts'

/** The condition that is kept. */
export const READY = 'Ready'

/** The condition as it was read. */
export function readyOf({ status }: ClusterConfig): Condition | undefined {
  return status.conditions.find(({ type }) => type === READY)
}

/** Whether a look failed by what another server did, and a ready cluster is given a second one. */
export function isDoubtful(config: ClusterConfig, look: Look): boolean {
  return look.kind === 'failed' && REASONS[look.reason] === 'network' && readyOf(config)?.status === 'True'
}

/** Gives what Ready has to become; undefined when it stays as it is. */
export function decideReady(config: ClusterConfig, look: Look, failedBefore: boolean): ConditionChange | undefined {
  if (look.kind === 'untried' || (isDoubtful(config, look) && !failedBefore)) return undefined
  const { generation } = config.metadata
  const change: ConditionChange = {
    type: READY,
    status: look.kind === 'ready' ? 'True' : 'False',
    reason: look.reason,
    message: look.message,
    ...(generation !== undefined && { observedGeneration: generation }),
  }
  const before = readyOf(config)
  const keys = ['status', 'reason', 'message', 'observedGeneration'] as const
  return before && keys.every(key => before[key] === change[key]) ? undefined : change
}
