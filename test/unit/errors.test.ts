import { describe, expect, it } from 'vitest'
import {
  AbortedError,
  errorCode,
  errorMessage,
  LeaseLostError,
  OutcomeUnknownError,
  PermanentError,
  TransientError,
} from '../../lib/errors.ts'

const SECRET = 'Authorization: Bearer never-in-a-message'

/** An error class of a library. */
class SdkError extends Error {
  override readonly name = 'SdkError'
}

describe('an error of ours', () => {
  it.each<[string, Error, string]>([
    ['TransientError', new TransientError('Throttled', 'too fast'), 'Throttled'],
    ['PermanentError', new PermanentError('NotFound', 'too fast'), 'NotFound'],
    ['LeaseLostError', new LeaseLostError('too fast'), 'LeaseLost'],
    ['OutcomeUnknownError', new OutcomeUnknownError('too fast'), 'OutcomeUnknown'],
    ['AbortedError', new AbortedError('too fast'), 'Aborted'],
  ])('%s tells its name, code and message', (name, error, code) => {
    expect(error.name).toBe(name)
    expect(errorCode(error)).toBe(code)
    expect(errorMessage(error)).toBe('too fast')
  })

  it('keeps its cause out of its message', () => {
    const error = new TransientError('Unavailable', 'no answer', { cause: new Error(SECRET) })
    expect(errorMessage(error)).toBe('no answer')
    expect(error.cause).toBeInstanceOf(Error)
  })

  it('tells how long the server asked to wait only when it did', () => {
    expect(new TransientError('Throttled', 'x', { retryAfterMs: 3_000 }).retryAfterMs).toBe(3_000)
    expect(new TransientError('Throttled', 'x', { retryAfterMs: 0 }).retryAfterMs).toBe(0)
    expect(new TransientError('Throttled', 'x').retryAfterMs).toBeUndefined()
  })
})

describe('anything else that was thrown', () => {
  it.each<[string, unknown, string, string]>([
    ['an Error', new Error(SECRET), 'Error', 'unexpected Error (Error)'],
    ['a TypeError', new TypeError(SECRET), 'TypeError', 'unexpected TypeError (TypeError)'],
    ['a library’s error', new SdkError(SECRET), 'SdkError', 'unexpected SdkError (SdkError)'],
    [
      'a system error',
      Object.assign(new Error(SECRET), { code: 'ECONNRESET' }),
      'ECONNRESET',
      'unexpected Error (ECONNRESET)',
    ],
    [
      'an error whose code is a number',
      Object.assign(new Error(SECRET), { code: 7 }),
      'Error',
      'unexpected Error (Error)',
    ],
    ['an error caused by a secret', new Error(SECRET, { cause: SECRET }), 'Error', 'unexpected Error (Error)'],
    [
      'many errors at once',
      new AggregateError([new Error(SECRET)], SECRET),
      'AggregateError',
      'unexpected AggregateError (AggregateError)',
    ],
    [
      'an error that calls itself ours',
      Object.assign(new Error(SECRET), { name: 'PermanentError' }),
      'PermanentError',
      'unexpected PermanentError (PermanentError)',
    ],
    ['a text', SECRET, 'Unknown', 'something that is not an Error was thrown'],
    [
      'an object with a message',
      { message: SECRET, code: SECRET },
      'Unknown',
      'something that is not an Error was thrown',
    ],
    ['null', null, 'Unknown', 'something that is not an Error was thrown'],
    ['nothing', undefined, 'Unknown', 'something that is not an Error was thrown'],
  ])('%s is told by class and code alone', (_title, thrown, code, message) => {
    expect(errorCode(thrown)).toBe(code)
    expect(errorMessage(thrown)).toBe(message)
  })
})
