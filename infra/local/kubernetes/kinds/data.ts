// v1 Secret and ConfigMap: maps of keys. Of the typed secrets only kubernetes.io/tls is judged by its content.
import type { FieldError, JsonObject } from '../errors.ts'
import { decodeNative, type Shape } from '../schema/native.ts'
import { AGE, NAME } from './columns.ts'
import { defineKind } from './kind.ts'
import { type KubeObject, OBJECT_META } from './metadata.ts'
import { configKeyErrors } from './names.ts'

const text: Shape = { go: 'string' }
const bytes: Shape = { go: 'map', of: { go: '[]uint8' } }
const common: Record<string, Shape> = {
  apiVersion: { go: 'drop' },
  kind: { go: 'drop' },
  metadata: { ...OBJECT_META, always: {} },
  immutable: { go: 'bool', keep: true },
}
const SECRET: Shape = {
  go: 'struct',
  name: 'Secret',
  fields: { ...common, data: bytes, stringData: { go: 'map', of: text }, type: text },
}
const CONFIG_MAP: Shape = {
  go: 'struct',
  name: 'ConfigMap',
  fields: { ...common, data: { go: 'map', of: text }, binaryData: bytes },
}

const mapOf = (object: KubeObject, key: string) => (object[key] ?? {}) as Record<string, string>
const count = (object: KubeObject, ...keys: string[]) =>
  keys.reduce((sum, key) => sum + Object.keys(mapOf(object, key)).length, 0)

function keyErrors(object: KubeObject, part: string): FieldError[] {
  return Object.keys(mapOf(object, part)).flatMap(key =>
    configKeyErrors(key).map(
      (detail): FieldError => ({ type: 'Invalid', field: `${part}[${key}]`, value: key, detail }),
    ),
  )
}

function immutableErrors(object: KubeObject, old: KubeObject, parts: string[]): FieldError[] {
  if (old.immutable !== true) return []
  const detail = 'field is immutable when `immutable` is set'
  const errors: FieldError[] = object.immutable === true ? [] : [{ type: 'Forbidden', field: 'immutable', detail }]
  for (const part of parts) {
    if (JSON.stringify(mapOf(object, part)) !== JSON.stringify(mapOf(old, part)))
      errors.push({ type: 'Forbidden', field: part, detail })
  }
  return errors
}

function mergeStringData(object: KubeObject): void {
  const plain = Object.entries(mapOf(object, 'stringData')).map(([key, value]) => [
    key,
    Buffer.from(value).toString('base64'),
  ])
  if (plain.length > 0) object.data = { ...mapOf(object, 'data'), ...Object.fromEntries(plain) }
  delete object.stringData
  object.type ??= 'Opaque'
}

function secretErrors(object: KubeObject): FieldError[] {
  const needed = object.type === 'kubernetes.io/tls' ? ['tls.crt', 'tls.key'] : []
  const missing = needed.filter(key => mapOf(object, 'data')[key] === undefined)
  return [
    ...keyErrors(object, 'data'),
    ...missing.map((key): FieldError => ({ type: 'Required', field: `data[${key}]` })),
  ]
}

function configMapErrors(object: KubeObject): FieldError[] {
  const twice = Object.keys(mapOf(object, 'data')).filter(key => key in mapOf(object, 'binaryData'))
  return [
    ...keyErrors(object, 'data'),
    ...twice.map(
      (key): FieldError => ({
        type: 'Invalid',
        field: `data[${key}]`,
        value: key,
        detail: 'duplicate of key present in binaryData',
      }),
    ),
    ...keyErrors(object, 'binaryData'),
  ]
}

/** Secrets. stringData is written into data; the type is fixed at creation. */
export const SECRETS = defineKind({
  group: '',
  version: 'v1',
  kind: 'Secret',
  plural: 'secrets',
  updatesUnconditionally: true,
  columns: [
    NAME,
    { name: 'Type', type: 'string', cell: object => object.type },
    { name: 'Data', type: 'string', cell: object => count(object, 'data') },
    AGE,
  ],
  fieldLabels: ['type'],
  field: object => (object as JsonObject).type as string,
  decode: body => {
    const decoded = decodeNative(body, SECRET)
    mergeStringData(decoded.object as KubeObject)
    return decoded
  },
  validate: secretErrors,
  validateUpdate: (object, old) => [
    ...(object.type === old.type
      ? []
      : [{ type: 'Invalid', field: 'type', value: object.type, detail: 'field is immutable' } as FieldError]),
    ...immutableErrors(object, old, ['data']),
    ...secretErrors(object),
  ],
})

/** ConfigMaps. */
export const CONFIG_MAPS = defineKind({
  group: '',
  version: 'v1',
  kind: 'ConfigMap',
  plural: 'configmaps',
  shortNames: ['cm'],
  updatesUnconditionally: true,
  columns: [NAME, { name: 'Data', type: 'string', cell: object => count(object, 'data', 'binaryData') }, AGE],
  decode: body => decodeNative(body, CONFIG_MAP),
  validate: configMapErrors,
  validateUpdate: (object, old) => [
    ...immutableErrors(object, old, ['data', 'binaryData']),
    ...configMapErrors(object),
  ],
})
