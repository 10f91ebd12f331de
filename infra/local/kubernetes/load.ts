// Seeding: objects stored as a create would, then their status as an update of it would. For samples and tests.
import { ApiError, invalid, type JsonObject } from './errors.ts'
import { type Api, commit, type Target } from './verbs/api.ts'
import { create } from './verbs/create.ts'
import { decodeBody } from './verbs/decode.ts'
import { establish } from './verbs/establish.ts'

const LOADER = { username: 'system:loader', groups: [], extra: {} }

/**
 * Stores objects in their order; a creationTimestamp they bring is kept.
 * @throws Error – naming the first object that is refused, with the API's refusal as cause
 */
export function loadObjects(api: Api, objects: readonly object[]): void {
  for (const object of objects) {
    const body = object as JsonObject & { metadata?: { name?: string; namespace?: string; creationTimestamp?: string } }
    try {
      load(api, body)
    } catch (error) {
      if (!(error instanceof ApiError)) throw error
      const what = `${body.kind} ${body.metadata?.namespace ?? ''}/${body.metadata?.name ?? ''}`
      throw new Error(`cannot load ${what}: ${error.message}`, { cause: error })
    }
  }
}

function load(api: Api, body: JsonObject & { metadata?: { namespace?: string; creationTimestamp?: string } }): void {
  const kind = api.registry.ofObject(String(body.apiVersion), String(body.kind))
  if (kind === undefined) throw new ApiError(404, 'NotFound', `no kind ${body.kind} is served at ${body.apiVersion}`)
  const namespace = kind.namespaced ? (body.metadata?.namespace ?? 'default') : ''
  const decoded = decodeBody(kind, body, 'Ignore', '')
  const target: Target = { kind, namespace, name: '', part: undefined }
  const status = structuredClone(decoded.object.status)
  const { object } = create(api, target, decoded, LOADER, true)
  const named = { ...target, name: object.metadata.name ?? '' }
  if (body.metadata?.creationTimestamp !== undefined)
    object.metadata.creationTimestamp = body.metadata.creationTimestamp
  if (kind.custom && kind.hasStatus && status !== undefined) {
    object.status = status
    const errors = kind.validateUpdate(object, object, 'status')
    if (errors.length > 0) throw invalid(kind.group, kind.kind, named.name, errors)
  }
  commit(api, named, object)
  if (kind.plural === 'customresourcedefinitions') establish(api, kind, object)
}
