// A small loop for tests of the tick: numbered objects on pages of two, each of which is raised to `done`.

import * as z from 'zod'
import type { Action, Application, Applied, Page, Reconciler } from '../../lib/tick/reconciler.ts'

/** One object of the loop. */
export interface Item {
  readonly name: string
  state: string
}

type Cursor = { after?: string | undefined }

/** What a test can bend. */
export interface CountingOptions {
  readonly items: Item[]
  /** Called before each apply; may throw or wait. */
  readonly onApply?: (name: string, application: Application) => Promise<void> | void
  /** Called before each page is read. */
  readonly onObserve?: (after: string | undefined, signal: AbortSignal) => Promise<void> | void
  readonly broken?: readonly string[]
  /** Keeps how many whole passes there were. */
  readonly remembers?: boolean
}

/** Makes the loop; `observedFrom` keeps where each pass began. */
export function countingReconciler(options: CountingOptions) {
  const { items, onApply, onObserve, broken = [], remembers = false } = options
  const observedFrom: (string | undefined)[] = []
  const reconciler: Reconciler<Item, Action, Cursor, number> = {
    name: 'counting',
    checkpoint: {
      version: 1,
      schema: z.object({ after: z.string().optional() }),
      ...(remembers && { memory: z.number() }),
    },
    async *observe({ from, memory = 0, scope, signal }) {
      observedFrom.push(from?.after)
      let after = from?.after
      for (;;) {
        await onObserve?.(after, signal)
        const rest = items.filter(({ name }) => after === undefined || name > after)
        const page: Page<Item, Cursor> = {
          cursor: { after },
          items: rest.slice(0, 2).filter(({ name }) => !scope.names || scope.names.includes(name)),
          broken:
            after === undefined
              ? broken.map(object => ({ object, code: 'InvalidResource', message: 'is broken' }))
              : [],
        }
        yield page
        after = rest[1]?.name
        if (after === undefined || rest.length <= 2) return remembers ? memory + 1 : undefined
      }
    },
    plan: page =>
      page.items
        .filter(({ state }) => state === 'due')
        .map(({ name }) => ({ object: name, from: 'due', to: 'done', reason: 'wasDue', note: '' })),
    async apply(action, application): Promise<Applied> {
      await onApply?.(action.object, application)
      const item = items.find(({ name }) => name === action.object)
      if (item?.state !== 'due') return 'unchanged'
      item.state = 'done'
      return 'changed'
    },
  }
  return { reconciler, observedFrom, items }
}

/** `count` due objects named `item-00`, `item-01`, … */
export function dueItems(count: number): Item[] {
  return Array.from({ length: count }, (_, i) => ({ name: `item-${String(i).padStart(2, '0')}`, state: 'due' }))
}
