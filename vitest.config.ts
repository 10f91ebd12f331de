import { defineConfig } from 'vitest/config'

// One worker process per core; every server a test starts listens on 127.0.0.1, port 0, and is closed by that test.
export default defineConfig({
  test: {
    include: ['test/**/*.test.ts'],
    exclude: ['test/real/**', 'node_modules/**'],
    testTimeout: 120_000,
    hookTimeout: 60_000,
  },
})
