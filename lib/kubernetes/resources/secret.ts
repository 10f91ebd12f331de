// Secrets, read by name and one key at a time. A value goes to whoever asked and nowhere else: no message carries one, and a
// Secret is never listed.

import * as z from 'zod'
import { type KubernetesApi, pathOf, type Resource } from '../api.ts'

/** How Secrets are addressed. */
export const SECRETS: Resource = { group: '', version: 'v1', kind: 'Secret', plural: 'secrets', namespaced: true }

/** The key that upstream reads where a reference names none. */
export const DEFAULT_SECRET_KEY = 'value'

/** One key of one Secret. */
export interface SecretRef {
  readonly name: string
  readonly namespace: string
  /** Absent: the default of whoever reads it. */
  readonly key?: string | undefined
}

/** A reference as foreign objects carry it. */
export const secretRefField = z
  .object({ name: z.string().min(1), namespace: z.string().min(1), key: z.string().min(1).nullish() })
  .transform((ref): SecretRef => ({ name: ref.name, namespace: ref.namespace, key: ref.key ?? undefined }))

/**
 * What reading a key gave.
 *
 * `missing`      there is no such Secret
 * `forbidden`    the function may not read it
 * `key-missing`  the Secret does not have the key, or it is empty
 */
export type SecretReading =
  | { readonly kind: 'value'; readonly value: string }
  | { readonly kind: 'missing' | 'forbidden' | 'key-missing' }

/**
 * Reads one key of a Secret as text.
 *
 * @param key used where the reference names none.
 * @throws as `KubernetesApi.request`, 403 and 404 apart.
 */
export async function readSecretKey(
  api: KubernetesApi,
  ref: SecretRef,
  signal: AbortSignal,
  key: string = DEFAULT_SECRET_KEY,
): Promise<SecretReading> {
  const path = pathOf(SECRETS, { namespace: ref.namespace, name: ref.name })
  const { status, body } = await api.request({ method: 'GET', path, repeat: 'read', signal }, [403, 404])
  if (status === 404) return { kind: 'missing' }
  if (status === 403) return { kind: 'forbidden' }
  const { data } = body as { data?: Readonly<Record<string, unknown>> | null }
  const encoded = data?.[ref.key ?? key]
  const value = typeof encoded === 'string' ? Buffer.from(encoded, 'base64').toString('utf8') : ''
  return value === '' ? { kind: 'key-missing' } : { kind: 'value', value }
}
