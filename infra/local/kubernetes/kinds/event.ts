// Events, served as events.k8s.io/v1 and as v1 over one collection; stored in the v1 form. They do not expire here (the real
// server drops them after an hour).
import type { FieldError, JsonObject } from '../errors.ts'
import { decodeNative, type Shape } from '../schema/native.ts'
import { ageOf, NAME } from './columns.ts'
import { defineKind } from './kind.ts'
import { type KubeObject, OBJECT_META } from './metadata.ts'
import { qualifiedErrors } from './names.ts'

const text: Shape = { go: 'string' }
const always: Shape = { go: 'string', always: '' }
const micro: Shape = { go: 'MicroTime', always: null }
const REFERENCE: Shape = {
  go: 'struct',
  name: 'ObjectReference',
  fields: {
    kind: text,
    namespace: text,
    name: text,
    uid: text,
    apiVersion: text,
    resourceVersion: text,
    fieldPath: text,
  },
}
const SOURCE: Shape = { go: 'struct', name: 'EventSource', always: {}, fields: { component: text, host: text } }
const SERIES: Shape = {
  go: 'struct',
  name: 'EventSeries',
  fields: { count: { go: 'int32', always: 0 }, lastObservedTime: micro },
}
const head: Record<string, Shape> = {
  apiVersion: { go: 'drop' },
  kind: { go: 'drop' },
  metadata: { ...OBJECT_META, always: {} },
}

const CORE: Shape = {
  go: 'struct',
  name: 'Event',
  fields: {
    ...head,
    involvedObject: { ...REFERENCE, always: {} },
    reason: text,
    message: text,
    source: SOURCE,
    firstTimestamp: { go: 'Time', always: null },
    lastTimestamp: { go: 'Time', always: null },
    count: { go: 'int32' },
    type: text,
    eventTime: micro,
    series: SERIES,
    action: text,
    related: REFERENCE,
    reportingComponent: always,
    reportingInstance: always,
  },
}
const EVENTS_V1: Shape = {
  go: 'struct',
  name: 'Event',
  fields: {
    ...head,
    eventTime: micro,
    series: SERIES,
    reportingController: text,
    reportingInstance: text,
    action: text,
    reason: text,
    regarding: { ...REFERENCE, always: {} },
    related: REFERENCE,
    note: text,
    type: text,
    deprecatedSource: SOURCE,
    deprecatedFirstTimestamp: { go: 'Time', always: null },
    deprecatedLastTimestamp: { go: 'Time', always: null },
    deprecatedCount: { go: 'int32' },
  },
}

const RENAMED: Record<string, string> = {
  reportingController: 'reportingComponent',
  regarding: 'involvedObject',
  note: 'message',
  deprecatedSource: 'source',
  deprecatedFirstTimestamp: 'firstTimestamp',
  deprecatedLastTimestamp: 'lastTimestamp',
  deprecatedCount: 'count',
}
const RENAMED_BACK = Object.fromEntries(Object.entries(RENAMED).map(([v1, core]) => [core, v1]))

const rename = (object: JsonObject, names: Record<string, string>) =>
  Object.fromEntries(Object.entries(object).map(([key, value]) => [names[key] ?? key, value])) as KubeObject

const toCore = (object: KubeObject): KubeObject => ({
  reportingComponent: '',
  reportingInstance: '',
  ...rename(object, RENAMED),
})

function fromCore(stored: KubeObject): KubeObject {
  const object = rename(stored, RENAMED_BACK)
  if (object.reportingController === '') delete object.reportingController
  if (object.reportingInstance === '') delete object.reportingInstance
  return object
}

const invalid = (field: string, detail: string, value: unknown = ''): FieldError => ({
  type: 'Invalid',
  field,
  value,
  detail,
})

function commonErrors(core: KubeObject, controllerField: string): FieldError[] {
  const namespace = core.metadata.namespace
  const about = ((core.involvedObject as JsonObject).namespace ?? '') as string
  const errors: FieldError[] = []
  const unlike = invalid('involvedObject.namespace', 'does not match event.namespace', about)
  if (core.eventTime === null) {
    if (about === '' ? namespace !== 'default' : namespace !== about) errors.push(unlike)
    return errors
  }
  if (about === '' && namespace !== 'default' && namespace !== 'kube-system') errors.push(unlike)
  const controller = core.reportingComponent as string
  if (controller === '') errors.push({ type: 'Required', field: controllerField })
  for (const detail of qualifiedErrors(controller)) errors.push(invalid(controllerField, detail, controller))
  for (const [key, most] of [
    ['reportingInstance', 128],
    ['action', 128],
    ['reason', 128],
  ] as const) {
    const value = (core[key] ?? '') as string
    if (value === '') errors.push({ type: 'Required', field: key })
    if (value.length > most) errors.push(invalid(key, `can have at most ${most} characters`))
  }
  if (((core.message ?? '') as string).length > 1024)
    errors.push(invalid('message', 'can have at most 1024 characters'))
  return errors
}

function strictErrors(core: KubeObject): FieldError[] {
  const errors: FieldError[] = []
  const series = core.series as JsonObject | undefined
  if (series !== undefined) {
    if ((series.count as number) < 2) errors.push(invalid('series.count', 'should be at least 2'))
    if (series.lastObservedTime === null) errors.push({ type: 'Required', field: 'series.lastObservedTime' })
  }
  if (core.eventTime === null) errors.push({ type: 'Required', field: 'eventTime' })
  if (core.type !== 'Normal' && core.type !== 'Warning')
    errors.push(invalid('type', `has invalid value: ${core.type ?? ''}`))
  for (const key of ['firstTimestamp', 'lastTimestamp'] as const)
    if (core[key] !== null) errors.push(invalid(key, 'needs to be unset'))
  if (core.count !== undefined) errors.push(invalid('count', 'needs to be unset'))
  if (Object.keys(core.source as JsonObject).length > 0) errors.push(invalid('source', 'needs to be unset'))
  return errors
}

const FROZEN = [
  'involvedObject',
  'reason',
  'message',
  'source',
  'firstTimestamp',
  'lastTimestamp',
  'count',
  'reportingComponent',
  'reportingInstance',
  'action',
  'related',
  'type',
  'eventTime',
]

function strictUpdateErrors(core: KubeObject, old: KubeObject): FieldError[] {
  const changed = FROZEN.filter(key => JSON.stringify(core[key]) !== JSON.stringify(old[key]))
  return changed.map(key => invalid(key, 'field is immutable', core[key] ?? ''))
}

const LABELS: Record<string, (core: KubeObject) => unknown> = {
  ...Object.fromEntries(
    ['kind', 'namespace', 'name', 'uid', 'apiVersion', 'resourceVersion', 'fieldPath'].map(key => [
      `involvedObject.${key}`,
      (core: KubeObject) => (core.involvedObject as JsonObject)[key],
    ]),
  ),
  reason: core => core.reason,
  reportingComponent: core => core.reportingComponent,
  source: core => (core.source as JsonObject).component ?? core.reportingComponent,
  type: core => core.type,
}

const common = {
  kind: 'Event',
  plural: 'events',
  shortNames: ['ev'],
  createsOnUpdate: true,
  updatesUnconditionally: true,
  invalidGroup: '',
  columns: [
    {
      name: 'Last Seen',
      type: 'string',
      cell: (object: KubeObject, nowMs: number) => ageOf(lastSeen(toCore(object)), nowMs),
    },
    { name: 'Type', type: 'string', cell: (object: KubeObject) => object.type ?? '' },
    { name: 'Reason', type: 'string', cell: (object: KubeObject) => object.reason ?? '' },
    { name: 'Object', type: 'string', cell: (object: KubeObject) => aboutOf(toCore(object)) },
    {
      name: 'Subobject',
      type: 'string',
      priority: 1,
      cell: (object: KubeObject) => (toCore(object).involvedObject as JsonObject).fieldPath ?? '',
    },
    { name: 'Source', type: 'string', priority: 1, cell: (object: KubeObject) => sourceOf(toCore(object)) },
    { name: 'Message', type: 'string', cell: (object: KubeObject) => String(toCore(object).message ?? '').trim() },
    {
      name: 'First Seen',
      type: 'string',
      priority: 1,
      cell: (object: KubeObject, nowMs: number) => ageOf(firstSeen(toCore(object)), nowMs),
    },
    { name: 'Count', type: 'string', priority: 1, cell: (object: KubeObject) => countOf(toCore(object)) },
    { ...NAME, priority: 1 },
  ],
}

const lastSeen = (core: KubeObject) =>
  (core.series as JsonObject | undefined)?.lastObservedTime ?? core.lastTimestamp ?? core.eventTime
const firstSeen = (core: KubeObject) => core.firstTimestamp ?? core.eventTime
const countOf = (core: KubeObject) => (core.series as JsonObject | undefined)?.count ?? core.count ?? 1
const sourceOf = (core: KubeObject) => {
  const { component = core.reportingComponent, host = core.reportingInstance } = core.source as JsonObject
  return [component, host].filter(part => part !== '').join(', ')
}
const aboutOf = (core: KubeObject) => {
  const { kind = '', name = '' } = core.involvedObject as { kind?: string; name?: string }
  return `${kind.toLowerCase()}/${name}`
}

// The same labels under the names of events.k8s.io.
const V1_LABELS = Object.fromEntries(
  Object.entries(LABELS).map(([label, read]) => [
    label === 'reportingComponent' ? 'reportingController' : label.replace('involvedObject', 'regarding'),
    read,
  ]),
)

const ALL_LABELS = { ...LABELS, ...V1_LABELS }

/** Events as v1: the old form, hardly judged. */
export const CORE_EVENTS = defineKind({
  ...common,
  group: '',
  version: 'v1',
  fieldLabels: Object.keys(LABELS),
  indexedLabels: Object.keys(ALL_LABELS),
  field: (object, label) => String(ALL_LABELS[label]?.(object) ?? ''),
  decode: body => decodeNative(body, CORE),
  validate: object => commonErrors(object, 'reportingComponent'),
  validateUpdate: object => commonErrors(object, 'reportingComponent'),
})

/** Events as events.k8s.io/v1: judged strictly; only series and metadata may change. */
export const EVENTS = defineKind({
  ...common,
  group: 'events.k8s.io',
  version: 'v1',
  fieldLabels: Object.keys(V1_LABELS),
  indexedLabels: Object.keys(ALL_LABELS),
  field: (object, label) => String(ALL_LABELS[label]?.(toCore(object)) ?? ''),
  decode: body => decodeNative(body, EVENTS_V1),
  validate: object => [...commonErrors(toCore(object), 'reportingController'), ...strictErrors(toCore(object))],
  validateUpdate: (object, old) => strictUpdateErrors(toCore(object), toCore(old)),
  toStored: toCore,
  fromStored: fromCore,
})
