import { describe, expect, it } from 'vitest'
import { manualEvent, parseEvent, scheduledEvent } from '../../../lib/runtime/event.ts'
import { T } from '../reconcilers/cleanup/fixtures.ts'

/** Why an event is refused, without the words that begin every refusal. */
function refusalOf(read: () => unknown): string {
  try {
    read()
  } catch (error) {
    expect(error).toMatchObject({ name: 'PermanentError', code: 'InvalidEvent' })
    return (error as Error).message.replace(/^the event is not usable: /, '')
  }
  return 'it is not refused'
}

const INSTANT = 'expected an RFC 3339 instant such as 2026-11-21T07:05:00Z'
const TOLD = `time: ${INSTANT}: a scheduled function is told which tick it is for; a one-off goes to the function "reconcile"`

describe('a scheduled event', () => {
  it.each<[string, object]>([
    [
      'an EventBridge rule',
      {
        version: '0',
        id: 'x',
        'detail-type': 'Scheduled Event',
        source: 'aws.events',
        time: '2026-09-01T08:00:00Z',
        resources: [],
        detail: {},
      },
    ],
    ['a Scheduler', { scheduledTime: '2026-09-01T08:00:00Z' }],
    ['a Scheduler, in another zone', { scheduledTime: '2026-09-01T10:00:00+02:00' }],
    ['both, the Scheduler’s word first', { time: '2020-01-01T00:00:00Z', scheduledTime: '2026-09-01T08:00:00Z' }],
    ['a clock with milliseconds', { time: '2026-09-01T08:00:00.000Z' }],
  ])('of %s gives its time', (_title, event) => {
    expect(parseEvent(scheduledEvent, event)).toEqual({ scheduledAtMs: T })
  })

  it.each<[string, unknown, string]>([
    ['has no time', {}, TOLD],
    ['has no time, but other fields', { loop: 'cleanup' }, TOLD],
    ['has a day for a time', { time: '2026-09-01' }, `time: ${INSTANT}`],
    ['has no such day', { time: '2026-02-30T08:00:00Z' }, `time: ${INSTANT}`],
    ['has a time without a zone', { time: '2026-09-01T08:00:00' }, `time: ${INSTANT}`],
    ['has a number for a time', { time: 1_788_249_600 }, `time: ${INSTANT}`],
    ['has null for a time', { time: null }, `time: ${INSTANT}`],
    [
      'has a placeholder that nobody filled',
      { scheduledTime: '<aws.scheduler.scheduled-time>' },
      `scheduledTime: ${INSTANT}`,
    ],
    ['has two bad times', { time: 'x', scheduledTime: 'y' }, `time: ${INSTANT}; scheduledTime: ${INSTANT}`],
    ['is null', null, 'event: Invalid input: expected object, received null'],
    ['is missing', undefined, 'event: Invalid input: expected object, received undefined'],
    ['is a text', '2026-09-01T08:00:00Z', 'event: Invalid input: expected object, received string'],
    ['is a list', [], 'event: Invalid input: expected object, received array'],
  ])('that %s is refused', (_title, event, expected) => {
    expect(refusalOf(() => parseEvent(scheduledEvent, event))).toBe(expected)
  })
})

describe('a manual event', () => {
  const schema = manualEvent(['cleanup', 'status-sync'])
  const SECONDS = 'waitSeconds: expected seconds from 0 to 900'
  const ACTION = 'action: expected run, status, suspend, resume, release or hold'

  it.each<[string, object, object]>([
    ['of a loop runs it', { loop: 'cleanup' }, { loop: 'cleanup', action: 'run' }],
    ['may hold upstream’s lease', { loop: 'cleanup', action: 'hold' }, { loop: 'cleanup', action: 'hold' }],
    ['may ask for the lease', { loop: 'status-sync', action: 'status' }, { loop: 'status-sync', action: 'status' }],
    [
      'may have every field of a run',
      { loop: 'cleanup', action: 'run', names: ['a', 'b.c'], namespace: 'team', dryRun: true, waitSeconds: 900 },
      { loop: 'cleanup', action: 'run', names: ['a', 'b.c'], namespace: 'team', dryRun: true, waitSeconds: 900 },
    ],
  ])('%s', (_title, event, read) => {
    expect(parseEvent(schema, event)).toEqual(read)
  })

  it.each<[string, unknown, string]>([
    ['no loop', {}, 'loop: expected one of cleanup, status-sync'],
    ['another loop', { loop: 'backup' }, 'loop: expected one of cleanup, status-sync'],
    ['another action', { loop: 'cleanup', action: 'delete' }, ACTION],
    ['null for an action', { loop: 'cleanup', action: null }, ACTION],
    ['no names at all', { loop: 'cleanup', names: [] }, 'names: expected at least one name'],
    ['101 names', { loop: 'cleanup', names: Array(101).fill('a') }, 'names: expected at most 100 names'],
    [
      'a name that is none',
      { loop: 'cleanup', names: ['a', 'B'] },
      'names.1: expected the name of a Kubernetes object',
    ],
    [
      'a path for a name',
      { loop: 'cleanup', names: ['../leases'] },
      'names.0: expected the name of a Kubernetes object',
    ],
    [
      'a name of 254 characters',
      { loop: 'cleanup', names: ['a'.repeat(254)] },
      'names.0: expected at most 253 characters',
    ],
    [
      'one name that is not in a list',
      { loop: 'cleanup', names: 'a' },
      'names: Invalid input: expected array, received string',
    ],
    [
      'a namespace that is none',
      { loop: 'cleanup', namespace: 'a/b' },
      'namespace: expected the name of a Kubernetes object',
    ],
    [
      'a namespace of 64 characters',
      { loop: 'cleanup', namespace: 'a'.repeat(64) },
      'namespace: expected at most 63 characters',
    ],
    ['a text for dryRun', { loop: 'cleanup', dryRun: 'true' }, 'dryRun: expected true or false'],
    ['a text for waitSeconds', { loop: 'cleanup', waitSeconds: '10' }, SECONDS],
    ['a negative waitSeconds', { loop: 'cleanup', waitSeconds: -1 }, SECONDS],
    ['901 waitSeconds', { loop: 'cleanup', waitSeconds: 901 }, SECONDS],
    ['an unknown field', { loop: 'cleanup', force: true }, 'event: Unrecognized key: "force"'],
    ['a misspelt field', { loop: 'cleanup', dryrun: true }, 'event: Unrecognized key: "dryrun"'],
    [
      'several wrong ones, all named',
      { loop: 'x', dryRun: 1, waitSeconds: -1 },
      `loop: expected one of cleanup, status-sync; dryRun: expected true or false; ${SECONDS}`,
    ],
  ])('with %s is refused', (_title, event, expected) => {
    expect(refusalOf(() => parseEvent(schema, event))).toBe(expected)
  })

  it.each(
    (['status', 'suspend', 'resume', 'release', 'hold'] as const).flatMap(action =>
      Object.entries({ names: ['a'], namespace: 'team', dryRun: true, waitSeconds: 1 }).map(
        ([field, value]) => [action, field, value] as const,
      ),
    ),
  )('for %s is refused with %s, which belongs to a run', (action, field, value) => {
    const event = { loop: 'cleanup', action, [field]: value }
    expect(refusalOf(() => parseEvent(schema, event))).toBe(`${field}: belongs to the action run, not to ${action}`)
  })
})
