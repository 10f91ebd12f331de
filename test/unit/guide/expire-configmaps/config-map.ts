// ConfigMap, as far as its time to live goes. What is in it is never read, so that it can't end up in a log.

import * as z from 'zod'
import type { RawObject, Resource } from '../../../../lib/kubernetes/api.ts'
import { type Metadata, metadataField, readWith } from '../../../../lib/kubernetes/resources/fields.ts'
import { parseDuration } from '../../../../lib/time.ts'

/** How ConfigMaps are addressed. */
export const CONFIG_MAPS: Resource = {
  group: '',
  version: 'v1',
  kind: 'ConfigMap',
  plural: 'configmaps',
  namespaced: true,
}

/** Says how long a ConfigMap is kept after its creation: a duration such as `90m` or `7d`. */
export const TTL_ANNOTATION = 'example.test/ttl'

/** A ConfigMap as it was read. */
export interface ConfigMap {
  readonly metadata: Metadata
  /** Undefined: it is kept. */
  readonly ttlMs: number | undefined
}

const ttlField = z
  .string()
  .optional()
  .refine(text => text === undefined || parseDuration(text) !== undefined, 'is not a duration such as 90m')
  .transform(text => (text === undefined ? undefined : parseDuration(text)))

const annotationsField = z.object({ annotations: z.object({ [TTL_ANNOTATION]: ttlField }).optional() })

const schema = z
  .object({ metadata: annotationsField.and(metadataField) })
  .transform(({ metadata: { annotations, ...metadata } }) => ({ metadata, ttlMs: annotations?.[TTL_ANNOTATION] }))

/**
 * Reads a ConfigMap.
 * @throws PermanentError – InvalidResource, naming the field that can't be read.
 */
export function parseConfigMap(raw: RawObject): ConfigMap {
  return readWith(schema, CONFIG_MAPS.kind, raw)
}
