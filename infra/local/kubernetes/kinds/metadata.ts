// ObjectMeta: its Go shape, what a create stamps into it, and how creates and updates of it are judged.
import { randomInt, randomUUID } from 'node:crypto'
import type { FieldError, JsonObject } from '../errors.ts'
import type { Shape } from '../schema/native.ts'
import { toTime } from '../schema/times.ts'
import { labelValueErrors, qualifiedErrors } from './names.ts'

/** An object's metadata after decoding. */
export interface Metadata extends JsonObject {
  name?: string
  generateName?: string
  namespace?: string
  uid?: string
  resourceVersion?: string
  generation?: number
  creationTimestamp?: string
  deletionTimestamp?: string
  deletionGracePeriodSeconds?: number
  labels?: Record<string, string>
  annotations?: Record<string, string>
  finalizers?: string[]
  ownerReferences?: JsonObject[]
}

/** A decoded object: metadata and whatever else its kind has; apiVersion and kind are not part of it. */
export interface KubeObject extends JsonObject {
  metadata: Metadata
}

const text: Shape = { go: 'string' }
const strings: Shape = { go: 'map', of: text }

/** The Go shape of ObjectMeta. managedFields and selfLink are accepted and dropped. */
export const OBJECT_META: Shape = {
  go: 'struct',
  name: 'ObjectMeta',
  fields: {
    name: text,
    generateName: text,
    namespace: text,
    selfLink: { go: 'drop' },
    uid: text,
    resourceVersion: text,
    generation: { go: 'int64' },
    creationTimestamp: { go: 'Time' },
    deletionTimestamp: { go: 'Time' },
    deletionGracePeriodSeconds: { go: 'int64', keep: true },
    labels: strings,
    annotations: strings,
    ownerReferences: {
      go: 'list',
      of: {
        go: 'struct',
        name: 'OwnerReference',
        fields: {
          apiVersion: { ...text, always: '' },
          kind: { ...text, always: '' },
          name: { ...text, always: '' },
          uid: { ...text, always: '' },
          controller: { go: 'bool', keep: true },
          blockOwnerDeletion: { go: 'bool', keep: true },
        },
      },
    },
    finalizers: { go: 'list', of: text },
    managedFields: { go: 'drop' },
  },
}

const SUFFIX_LETTERS = 'bcdfghjklmnpqrstvwxz2456789'

/** A name from a generateName: its first 58 characters and five random ones. */
export function generatedName(base: string): string {
  const suffix = Array.from({ length: 5 }, () => SUFFIX_LETTERS[randomInt(SUFFIX_LETTERS.length)]).join('')
  return `${base.slice(0, 58)}${suffix}`
}

/** What the server sets on create, whatever the client sent: identity and times; generation 1 where the kind counts it, else it is kept. */
export function stampCreated(metadata: Metadata, atMs: number, countsGenerations: boolean): void {
  metadata.uid = randomUUID()
  metadata.creationTimestamp = toTime(atMs)
  delete metadata.deletionTimestamp
  delete metadata.deletionGracePeriodSeconds
  if (countsGenerations) metadata.generation = 1
}

/** Field errors of an object's metadata, as on create. */
export function validateMetadata(metadata: Metadata, nameErrors: (name: string) => string[]): FieldError[] {
  const { name, generateName } = metadata
  const errors =
    generateName === undefined ? [] : invalid('generateName', generateName, nameErrors(maskTrailingDash(generateName)))
  if (name === undefined) {
    errors.push({ type: 'Required', field: 'metadata.name', detail: 'name or generateName is required' })
  } else errors.push(...invalid('name', name, nameErrors(name)))
  errors.push(...validateAttachments(metadata))
  for (const finalizer of metadata.finalizers ?? [])
    errors.push(...invalid('finalizers', finalizer, qualifiedErrors(finalizer)))
  return errors
}

const invalid = (field: string, value: unknown, details: string[]): FieldError[] =>
  details.map(detail => ({ type: 'Invalid', field: `metadata.${field}`, value, detail }))

function validateAttachments({ labels = {}, annotations = {}, ownerReferences = [] }: Metadata): FieldError[] {
  const errors: FieldError[] = []
  for (const [key, value] of Object.entries(labels)) {
    errors.push(...invalid('labels', key, qualifiedErrors(key)), ...invalid('labels', value, labelValueErrors(value)))
  }
  let size = 0
  for (const [key, value] of Object.entries(annotations)) {
    errors.push(...invalid('annotations', key, qualifiedErrors(key.toLowerCase())))
    size += Buffer.byteLength(key) + Buffer.byteLength(value)
  }
  if (size > 262_144) {
    errors.push({ type: 'TooLong', field: 'metadata.annotations', detail: 'may not be more than 262144 bytes' })
  }
  validateOwners(ownerReferences, errors)
  return errors
}

// A generateName may end in a dash although a name may not.
const maskTrailingDash = (name: string) => (name.length > 1 && name.endsWith('-') ? `${name.slice(0, -2)}a` : name)

function validateOwners(owners: JsonObject[], errors: FieldError[]): void {
  for (const owner of owners) {
    for (const [key, detail] of [
      ['apiVersion', 'version must not be empty'],
      ['kind', 'must not be empty'],
      ['name', 'must not be empty'],
      ['uid', 'must not be empty'],
    ] as const) {
      if (owner[key] === '')
        errors.push({ type: 'Invalid', field: `metadata.ownerReferences.${key}`, value: '', detail })
    }
    if (owner.apiVersion === 'v1' && owner.kind === 'Event') {
      const detail = '/v1, Kind=Event is disallowed from being an owner'
      errors.push({ type: 'Invalid', field: 'metadata.ownerReferences', value: owner, detail })
    }
  }
  const controllers = owners.filter(owner => owner.controller === true)
  const [first, second] = controllers
  if (first !== undefined && second !== undefined) {
    const detail = `Only one reference can have Controller set to true. Found "true" in references for ${first.kind}/${first.name} and ${second.kind}/${second.name}`
    errors.push({ type: 'Invalid', field: 'metadata.ownerReferences', value: owners, detail })
  }
}

/** What an update may not touch is put back, what the server owns is carried over from `old`. */
export function carryOver(metadata: Metadata, old: Metadata): void {
  metadata.uid ??= old.uid as string
  metadata.creationTimestamp = old.creationTimestamp as string
  if (old.generation === undefined) delete metadata.generation
  else metadata.generation = old.generation
  if (old.deletionTimestamp !== undefined) metadata.deletionTimestamp ??= old.deletionTimestamp
  if (old.deletionGracePeriodSeconds !== undefined)
    metadata.deletionGracePeriodSeconds ??= old.deletionGracePeriodSeconds
}

/** Field errors of changing `old`'s metadata into `metadata`; the server reports each twice, once by the store and once by the kind. */
export function validateMetadataUpdate(metadata: Metadata, old: Metadata): FieldError[] {
  const errors = validateAttachments(metadata)
  const added = (metadata.finalizers ?? []).filter(finalizer => !(old.finalizers ?? []).includes(finalizer))
  if (old.deletionTimestamp !== undefined && added.length > 0) {
    const detail = `no new finalizers can be added if the object is being deleted, found new finalizers []string{${added.map(one => JSON.stringify(one)).join(', ')}}`
    errors.push({ type: 'Forbidden', field: 'metadata.finalizers', detail })
  }
  for (const key of ['uid', 'deletionTimestamp', 'deletionGracePeriodSeconds'] as const) {
    if (metadata[key] !== old[key]) {
      errors.push({ type: 'Invalid', field: `metadata.${key}`, value: metadata[key], detail: 'field is immutable' })
    }
  }
  return [...errors, ...errors]
}
