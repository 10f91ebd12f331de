// Table columns that several kinds share.
import { toAge } from '../schema/times.ts'
import type { Column } from './kind.ts'

/** The column every table starts with. */
export const NAME: Column = { name: 'Name', type: 'string', format: 'name', cell: object => object.metadata.name }

/** How long ago the object was created. */
export const AGE: Column = {
  name: 'Age',
  type: 'string',
  cell: (object, nowMs) => ageOf(object.metadata.creationTimestamp, nowMs),
}

/** An instant's age as kubectl prints it; `<unknown>` for none. */
export const ageOf = (time: unknown, nowMs: number): string =>
  typeof time === 'string' ? toAge(nowMs - Date.parse(time)) : '<unknown>'
