// What was started and has to be ended, the last one first. Nothing keeps the next from being ended.

/** Ends one thing. */
export type Cleanup = () => Promise<void> | void

/** Things to end. */
export interface Cleanups {
  /** `name` is how people know it, e.g. `the embedded DynamoDB`. */
  add(name: string, end: Cleanup): void
  /** Ends everything; gives a sentence for each that could not be. */
  run(): Promise<string[]>
}

/** Starts with nothing to end. */
export function openCleanups(): Cleanups {
  const entries: { name: string; end: Cleanup }[] = []
  return {
    add: (name, end) => void entries.push({ name, end }),
    async run() {
      const failures: string[] = []
      for (const { name, end } of entries.splice(0).reverse())
        try {
          await end()
        } catch (error) {
          failures.push(`${name}: ${(error as Error).message}`)
        }
      return failures
    },
  }
}
