// The scenarios of the embedded servers, word for word, on real ones. Each is described in a suite of its own: its hooks are
// for it alone.

import { inject } from 'vitest'
import { describeWith } from './world/left-out.ts'

const { kubernetes, dynamodb } = inject('realServers')
const leftOut = [kubernetes, dynamodb].filter(server => typeof server === 'string')
const both = leftOut.length === 0 ? kubernetes : leftOut.join('; ')
/** Where all sessions are the tests' own. */
const withSessions = typeof both === 'string' || both.sessions === true ? both : both.sessions

describeWith(both, 'contention on real servers', () => import('../scenario/contention.test.ts'))
describeWith(withSessions, 'calls on real servers', () => import('../scenario/calls.test.ts'))
describeWith(withSessions, 'kills on real servers', () => import('../scenario/kill.test.ts'))
