// Child processes of tests: real processes that run product code, talk over IPC, and never outlive the test.

import { type ChildProcess, fork } from 'node:child_process'
import { fileURLToPath } from 'node:url'

/** A child that answers messages one by one. */
export interface Child {
  readonly process: ChildProcess
  /** Resolves with the next message that was not taken yet; rejects when the child ends first. */
  next<T>(): Promise<T>
  send(message: object): void
  /** Ends it as `kill -9` does, or with another signal, and resolves with its exit code (null after a signal). */
  kill(signal?: NodeJS.Signals): Promise<number | null>
}

/** Starts a TypeScript file of `test/support` as a child process. */
export function startChild(file: string, environment: Record<string, string>): Child {
  const path = fileURLToPath(new URL(file, import.meta.url))
  const child = fork(path, [], {
    execArgv: ['--import', 'tsx'],
    env: {
      PATH: process.env.PATH,
      HOME: process.env.HOME,
      AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED: 'true',
      ...environment,
    },
    stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
  })
  const arrived: unknown[] = []
  const waiting: { resolve: (message: unknown) => void; reject: (error: Error) => void }[] = []
  const exited = new Promise<number | null>(resolve => {
    child.on('exit', code => {
      for (const { reject } of waiting.splice(0)) reject(new Error(`${file} ended with ${code} before it answered`))
      resolve(code)
    })
  })
  child.on('message', message => {
    const taker = waiting.shift()
    if (taker) taker.resolve(message)
    else arrived.push(message)
  })
  return {
    process: child,
    next: <T>() =>
      new Promise<T>((resolve, reject) => {
        if (arrived.length > 0) resolve(arrived.shift() as T)
        else waiting.push({ resolve: resolve as (message: unknown) => void, reject })
      }),
    send: message => void child.send(message),
    kill: (signal = 'SIGKILL') => {
      child.kill(signal)
      return exited
    },
  }
}
