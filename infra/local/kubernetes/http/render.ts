// Objects, lists and tables as JSON texts. A stored object is sent as it lies in the store, without parsing it.
import type { JsonObject } from '../errors.ts'
import { NAME } from '../kinds/columns.ts'
import { apiVersionOf, type Kind } from '../kinds/kind.ts'
import type { KubeObject } from '../kinds/metadata.ts'
import type { Page } from '../store/pages.ts'
import type { Entry } from '../store/store.ts'
import { fromEntry } from '../verbs/api.ts'
import type { Accepted } from './reply.ts'

const headOf = (kind: Kind) =>
  `{"kind":${JSON.stringify(kind.kind)},"apiVersion":${JSON.stringify(apiVersionOf(kind))},`

/** One object, complete. */
export const objectJson = (kind: Kind, object: KubeObject): string => headOf(kind) + JSON.stringify(object).slice(1)

/** One stored object, complete. */
export const entryJson = (kind: Kind, entry: Entry): string =>
  kind.fromStored === undefined ? headOf(kind) + entry.body : objectJson(kind, fromEntry(kind, entry))

// Items of built-in lists carry no kind, those of custom ones do.
function itemJson(kind: Kind, entry: Entry): string {
  if (kind.custom) return headOf(kind) + entry.body
  return kind.fromStored === undefined ? `{${entry.body}` : JSON.stringify(fromEntry(kind, entry))
}

function listMetadata(kind: Kind, page: Page): JsonObject {
  const metadata: JsonObject = { resourceVersion: String(page.revision) }
  if (kind.custom || page.continueToken !== '') metadata.continue = page.continueToken
  if (page.remaining !== undefined) metadata.remainingItemCount = page.remaining
  return metadata
}

/** A page as a list, a table or metadata only. */
export function pageJson(kind: Kind, page: Page, accepted: Accepted, includeObject: string, nowMs: number): string {
  const metadata = listMetadata(kind, page)
  if (accepted.as === undefined) {
    const head = { kind: kind.listKind, apiVersion: apiVersionOf(kind), metadata }
    return `${JSON.stringify(head).slice(0, -1)},"items":[${page.entries.map(entry => itemJson(kind, entry)).join(',')}]}`
  }
  if (metadata.continue === '') delete metadata.continue
  const objects = page.entries.map(entry => fromEntry(kind, entry))
  if (accepted.as === 'Table') return tableJson(kind, objects, metadata, includeObject, nowMs)
  return JSON.stringify({
    kind: 'PartialObjectMetadataList',
    apiVersion: 'meta.k8s.io/v1',
    metadata,
    items: objects.map(metadataOnly),
  })
}

/** One object in the accepted form; a table of one row for tables. */
export function oneJson(kind: Kind, entry: Entry, accepted: Accepted, includeObject: string, nowMs: number): string {
  if (accepted.as === undefined) return entryJson(kind, entry)
  const object = fromEntry(kind, entry)
  if (accepted.as === 'PartialObjectMetadata') return JSON.stringify(metadataOnly(object))
  return tableJson(kind, [object], { resourceVersion: object.metadata.resourceVersion }, includeObject, nowMs)
}

const metadataOnly = ({ metadata }: KubeObject) => ({
  kind: 'PartialObjectMetadata',
  apiVersion: 'meta.k8s.io/v1',
  metadata,
})

function tableJson(
  kind: Kind,
  objects: KubeObject[],
  metadata: JsonObject,
  includeObject: string,
  nowMs: number,
): string {
  const columns = kind.columns.length === 0 ? [NAME] : kind.columns
  const shown = (object: KubeObject): unknown => {
    if (includeObject === 'None') return null
    return includeObject === 'Object'
      ? { kind: kind.kind, apiVersion: apiVersionOf(kind), ...object }
      : metadataOnly(object)
  }
  return JSON.stringify({
    kind: 'Table',
    apiVersion: 'meta.k8s.io/v1',
    metadata,
    columnDefinitions: columns.map(({ name, type, format = '', description = '', priority = 0 }) => ({
      name,
      type,
      format,
      description,
      priority,
    })),
    rows: objects.map(object => ({
      cells: columns.map(column => column.cell(object, nowMs) ?? null),
      object: shown(object),
    })),
  })
}
