// Loaded into the serverless CLI before anything else: when the process that started it is gone, however it ended, so is
// this one. Worker threads load it as well and have nothing to do.

import { isMainThread } from 'node:worker_threads'

if (isMainThread && process.channel) {
  process.on('disconnect', () => process.exit(1))
  process.channel.unref()
}
