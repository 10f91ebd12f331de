// Secrets as a look reads them. That one is missing is certain, and a verdict on the cluster; that we may not read one, or that the API
// server doesn't answer, says nothing about the cluster and fails this object instead.

import { PermanentError } from '../../../errors.ts'
import type { KubernetesApi } from '../../../kubernetes/api.ts'
import { DEFAULT_SECRET_KEY, readSecretKey, type SecretRef } from '../../../kubernetes/resources/secret.ts'
import { type Failure, failed } from '../rules/look.ts'

/** A value out of a Secret. */
export interface Value {
  readonly kind: 'value'
  readonly value: string
}

/** What a look reads with. */
export interface Reading {
  readonly api: KubernetesApi
  readonly signal: AbortSignal
}

/** A Secret's name for messages. */
export function describeSecret({ namespace, name }: SecretRef): string {
  return `Secret ${namespace}/${name}`
}

/**
 * Reads what a reference leads to.
 *
 * @param key used where it names none.
 * @throws PermanentError – Forbidden. As `KubernetesApi.request`.
 */
export async function readRef(
  { api, signal }: Reading,
  ref: SecretRef,
  key: string = DEFAULT_SECRET_KEY,
): Promise<Value | Failure> {
  const reading = await readSecretKey(api, ref, signal, key)
  if (reading.kind === 'value') return reading
  if (reading.kind === 'missing') return failed('SecretMissing', `${describeSecret(ref)} does not exist.`)
  if (reading.kind === 'key-missing')
    return failed('SecretKeyMissing', `${describeSecret(ref)} has nothing under key "${ref.key ?? key}".`)
  throw new PermanentError(
    'Forbidden',
    `${describeSecret(ref)} may not be read (HTTP 403); let fencepost get Secrets in namespace ${ref.namespace}`,
  )
}

/**
 * Reads what a reference leads to, if there is one.
 * @throws as `readRef`.
 */
export async function readIfAny(reading: Reading, ref: SecretRef | undefined, key?: string): Promise<Value | Failure> {
  return ref ? await readRef(reading, ref, key) : { kind: 'value', value: '' }
}
