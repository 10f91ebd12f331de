// coordination.k8s.io/v1 Lease. Coordinated leader election (strategy, preferredHolder) is switched off, as by default upstream:
// the two fields are dropped.
import type { FieldError, JsonObject } from '../errors.ts'
import { decodeNative, type Shape } from '../schema/native.ts'
import { AGE, NAME } from './columns.ts'
import { defineKind } from './kind.ts'
import { type KubeObject, OBJECT_META } from './metadata.ts'

const LEASE: Shape = {
  go: 'struct',
  name: 'Lease',
  fields: {
    apiVersion: { go: 'drop' },
    kind: { go: 'drop' },
    metadata: { ...OBJECT_META, always: {} },
    spec: {
      go: 'struct',
      name: 'LeaseSpec',
      always: {},
      fields: {
        holderIdentity: { go: 'string', keep: true },
        leaseDurationSeconds: { go: 'int32', keep: true },
        acquireTime: { go: 'MicroTime' },
        renewTime: { go: 'MicroTime' },
        leaseTransitions: { go: 'int32', keep: true },
        strategy: { go: 'drop' },
        preferredHolder: { go: 'drop' },
      },
    },
  },
}

function validateSpec(object: KubeObject): FieldError[] {
  const { leaseDurationSeconds, leaseTransitions } = object.spec as JsonObject
  const errors: FieldError[] = []
  if (typeof leaseDurationSeconds === 'number' && leaseDurationSeconds <= 0) {
    errors.push({
      type: 'Invalid',
      field: 'spec.leaseDurationSeconds',
      value: leaseDurationSeconds,
      detail: 'must be greater than 0',
    })
  }
  if (typeof leaseTransitions === 'number' && leaseTransitions < 0) {
    errors.push({
      type: 'Invalid',
      field: 'spec.leaseTransitions',
      value: leaseTransitions,
      detail: 'must be greater than or equal to 0',
    })
  }
  return errors
}

/** Leases: a PUT creates a missing one; a PUT of an existing one must name its resourceVersion. */
export const LEASES = defineKind({
  group: 'coordination.k8s.io',
  version: 'v1',
  kind: 'Lease',
  plural: 'leases',
  createsOnUpdate: true,
  columns: [
    NAME,
    { name: 'Holder', type: 'string', cell: object => (object.spec as JsonObject).holderIdentity ?? '' },
    AGE,
  ],
  decode: body => decodeNative(body, LEASE),
  validate: validateSpec,
  validateUpdate: validateSpec,
})
