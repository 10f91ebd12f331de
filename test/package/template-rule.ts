// What a rule over the packaged template is, and how rules look around in it.

import type { Node, Template } from './service.ts'

/** One rule. */
export interface Rule {
  /** What holds. */
  readonly says: string
  /** Where it doesn't. */
  problems(template: Template): string[]
  /** What has to be in a template that can break it: a kubeconfig in a secret; default: everything else there is. */
  readonly needs?: 'secret'
  /** What would break it: a title, and the change to such a template. */
  readonly violations: readonly (readonly [title: string, plant: (resources: Node) => void])[]
}

/** The resources of one type, with their logical ids. */
export function ofType({ Resources }: Template, type: string): [id: string, properties: Node][] {
  return Object.entries(Resources).flatMap(([id, { Type, Properties }]) => (Type === type ? [[id, Properties]] : []))
}

/** The functions. */
export const functionsOf = (template: Template) => ofType(template, 'AWS::Lambda::Function')
