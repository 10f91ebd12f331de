// Which kinds are served: the built-ins and those of the stored CustomResourceDefinitions. The registry follows the definitions;
// it keeps no objects.
import { customKinds, type Definition } from './custom.ts'
import { CONFIG_MAPS, SECRETS } from './data.ts'
import { DEFINITIONS } from './definitions.ts'
import { CORE_EVENTS, EVENTS } from './event.ts'
import { apiVersionOf, type Kind } from './kind.ts'
import { LEASES } from './lease.ts'
import { NAMESPACES } from './namespace.ts'
import { BINDINGS, POLICIES } from './policy.ts'

const BUILT_IN = [CONFIG_MAPS, CORE_EVENTS, NAMESPACES, SECRETS, EVENTS, POLICIES, BINDINGS, DEFINITIONS, LEASES]

/** The kinds served at this moment. */
export class Registry {
  readonly #kinds = new Map<string, Kind>()

  constructor() {
    for (const kind of BUILT_IN) {
      this.#kinds.set(`${apiVersionOf(kind)}/${kind.plural}`, kind)
    }
  }

  /** Serves a definition's versions, in place of what it defined before. */
  define(definition: Definition): void {
    this.undefine(definition)
    for (const kind of customKinds(definition)) this.#kinds.set(`${apiVersionOf(kind)}/${kind.plural}`, kind)
  }

  /** Stops serving a definition. */
  undefine({ group, names }: Definition): void {
    for (const [key, kind] of this.#kinds) {
      if (kind.custom && kind.group === group && kind.plural === names.plural) this.#kinds.delete(key)
    }
  }

  /** The kind of a plural at a version, if served. */
  find(group: string, version: string, plural: string): Kind | undefined {
    return this.#kinds.get(`${apiVersionOf({ group, version })}/${plural}`)
  }

  /** The kind of an object, if served. */
  ofObject(apiVersion: string, kind: string): Kind | undefined {
    return [...this.#kinds.values()].find(one => apiVersionOf(one) === apiVersion && one.kind === kind)
  }

  /** The other kinds that show the same objects. */
  equivalents(kind: Kind): Kind[] {
    return [...this.#kinds.values()].filter(one => one !== kind && one.collection === kind.collection)
  }

  /** All kinds of a group and version. */
  at(group: string, version: string): Kind[] {
    return [...this.#kinds.values()].filter(kind => kind.group === group && kind.version === version)
  }

  /** The named groups in the order they came to be served, each with its versions, the preferred one first. */
  groups(): Map<string, string[]> {
    const groups = new Map<string, string[]>()
    for (const { group, version } of this.#kinds.values()) {
      const versions = groups.get(group) ?? []
      if (!versions.includes(version)) versions.push(version)
      groups.set(group, versions)
    }
    groups.delete('')
    for (const versions of groups.values()) versions.sort((one, other) => comparable(other) - comparable(one))
    return groups
  }

  /** Whether a group and version is served by built-ins, where unknown paths answer differently. */
  isBuiltIn(group: string): boolean {
    return [...this.#kinds.values()].some(kind => kind.group === group && !kind.custom)
  }
}

/** Stable before beta before alpha, then the higher number; every other name is below. */
function comparable(version: string): number {
  const [, major, stage, minor = '0'] = /^v(\d+)(?:(alpha|beta)(\d+))?$/.exec(version) ?? []
  if (major === undefined) return -1
  const rank = stage === undefined ? 2 : stage === 'beta' ? 1 : 0
  return rank * 1e8 + Number(major) * 1e4 + Number(minor)
}
