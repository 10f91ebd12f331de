// The first screen: what is running, where, and what can be done with it.

import type { Paint } from './paint.ts'

/** What the first screen tells about. */
export interface Place {
  readonly kubernetes: { readonly url: string }
  /** Undefined where the lease lives in Kubernetes. */
  readonly dynamodb: { readonly url: string } | undefined
  /** Undefined where nobody asks it. */
  readonly keycloak: { readonly url: string } | undefined
  /** Path of the kubeconfig. */
  readonly kubeconfig: string
  /** Address that invokes the function `reconcile`. */
  readonly reconcileUrl: string
  /** It ends after the first ticks. */
  readonly isOnce: boolean
}

/** Three lines and a blank one. */
export function renderIntroduction(place: Place, paint: Paint): string[] {
  const { kubernetes, dynamodb, keycloak, kubeconfig, reconcileUrl, isOnce } = place
  const people = keycloak ? `, people in Keycloak at ${keycloak.url}` : ''
  const lease = dynamodb ? `, leases in DynamoDB at ${dynamodb.url}` : ''
  const pace = isOnce ? 'one tick of each' : 'ticks every 5 and 10 minutes, until Ctrl-C'
  return [
    `${paint.strong('fencepost')}  ${LOOPS} against Kubernetes at ${kubernetes.url}${people}${lease}; ${pace}`,
    `  ${paint.faint('look')}     export KUBECONFIG=${kubeconfig}; kubectl get bgs,bge,ccfg -A; kubectl get fences`,
    `  ${paint.faint('by hand')}  curl -d '{"loop":"status-sync","dryRun":true}' ${reconcileUrl}`,
    '',
  ]
}

const LOOPS = 'cleanup, status-sync and config-check'

/** Two lines and a blank one, for a run that freezes a function. */
export function renderZombieIntroduction(
  { kubernetes, dynamodb, kubeconfig }: Pick<Place, 'kubernetes' | 'dynamodb' | 'kubeconfig'>,
  paint: Paint,
): string[] {
  const lease = dynamodb ? `, its lease in DynamoDB at ${dynamodb.url}` : ''
  return [
    `${paint.strong('fencepost')}  a frozen function against the fence of Kubernetes at ${kubernetes.url}${lease}; half a minute`,
    `  ${paint.faint('look')}     export KUBECONFIG=${kubeconfig}; kubectl get fences; kubectl get debugsessions -A`,
    '',
  ]
}
