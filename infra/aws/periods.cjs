// The loops' periods in seconds, from the parameters <loop>Interval: what alarms count by.

const path = require('node:path')
const { loadTypeScript } = require('../build/bundle.cjs')

const secondsOf =
  parameter =>
  async ({ resolveVariable }) => {
    const { parseDuration } = loadTypeScript(path.join(__dirname, '../../lib/time.ts'))
    const text = String(await resolveVariable(`param:${parameter}`))
    const ms = parseDuration(text)
    if (ms === undefined) throw new Error(`${parameter}=${text}: expected a duration such as 5m`)
    return ms / 1_000
  }

module.exports = {
  cleanup: secondsOf('cleanupInterval'),
  statusSync: secondsOf('statusSyncInterval'),
  configCheck: secondsOf('configCheckInterval'),
}
