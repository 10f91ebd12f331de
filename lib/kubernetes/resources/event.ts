// Event of events.k8s.io/v1: how a change is told to people who watch an object. Its name is fixed by what it tells, so
// that telling it twice leaves one Event.

import { createHash } from 'node:crypto'
import { toMicroTime } from '../../time.ts'
import type { NamedObject, Resource, Target } from '../api.ts'

/** How Events are addressed. */
export const EVENTS: Resource = {
  group: 'events.k8s.io',
  version: 'v1',
  kind: 'Event',
  plural: 'events',
  namespaced: true,
}

/** Where Events about cluster-scoped objects are written; API servers demand it. */
const CLUSTER_EVENT_NAMESPACE = 'default'
const NAME_LIMIT = 253
const NOTE_LIMIT = 1_024
const DIGEST_LENGTH = 16

/** What an Event tells. */
export interface EventContent {
  /** The object as it was judged. */
  readonly regarding: Target
  /** The resourceVersion the change gave it; default: the one that was judged. */
  readonly resourceVersion?: string
  readonly type: 'Normal' | 'Warning'
  /** CamelCase, at most 128 characters. */
  readonly reason: string
  /** What was done, CamelCase, at most 128 characters. */
  readonly action: string
  /** For people; cut at 1024 characters. */
  readonly note: string
  /** Epoch ms. */
  readonly eventAtMs: number
  /** The loop that tells it, e.g. `fencepost-cleanup`; also its instance, since a function has no lasting one. */
  readonly reporter: string
}

/** Builds an Event: one and the same object for the same content. */
export function toEvent(content: EventContent): NamedObject {
  const { resource, namespace, name, uid } = content.regarding
  return {
    apiVersion: `${EVENTS.group}/${EVENTS.version}`,
    kind: EVENTS.kind,
    metadata: { name: eventName(content), namespace: namespace ?? CLUSTER_EVENT_NAMESPACE },
    eventTime: toMicroTime(content.eventAtMs),
    reportingController: content.reporter,
    reportingInstance: content.reporter,
    type: content.type,
    reason: content.reason,
    action: content.action,
    note: content.note.slice(0, NOTE_LIMIT),
    regarding: {
      apiVersion: resource.group === '' ? resource.version : `${resource.group}/${resource.version}`,
      kind: resource.kind,
      ...(namespace !== undefined && { namespace }),
      name,
      uid,
      resourceVersion: content.resourceVersion ?? content.regarding.resourceVersion,
    },
  }
}

/** `<object>.<digest of uid, judged resourceVersion and reason>`, a DNS subdomain. */
function eventName({ regarding, reason }: EventContent): string {
  const digest = createHash('sha256')
    .update(JSON.stringify([regarding.uid, regarding.resourceVersion, reason]))
    .digest('hex')
    .slice(0, DIGEST_LENGTH)
  const stem = regarding.name.slice(0, NAME_LIMIT - DIGEST_LENGTH - 1).replace(/[^a-z0-9]+$/, '')
  return `${stem}.${digest}`
}
