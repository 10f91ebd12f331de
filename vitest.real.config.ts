import { defineConfig } from 'vitest/config'

// Tests on real servers, which are fetched, built and started once for all files. One file after the other: they share a
// cluster, and a scenario's loop acts on all sessions in it.
export default defineConfig({
  test: {
    include: ['test/real/**/*.test.ts'],
    globalSetup: ['test/real/setup.ts'],
    fileParallelism: false,
    env: {
      AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED: 'true',
      AWS_EC2_METADATA_DISABLED: 'true',
      AWS_ACCESS_KEY_ID: 'local',
      AWS_SECRET_ACCESS_KEY: 'local',
    },
    testTimeout: 60_000,
    hookTimeout: 60_000,
  },
})
