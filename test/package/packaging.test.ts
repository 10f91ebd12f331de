import { readFile, writeFile } from 'node:fs/promises'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { copyService, type ServiceCopy } from './service.ts'

let copy: ServiceCopy

beforeAll(async () => {
  copy = await copyService()
})
afterAll(() => copy?.remove())

describe('packaging', () => {
  it('refuses a timeout that would let a crash cost two ticks, with the numbers and the mending', async () => {
    const { exitCode, output } = await declare({ 'timeout: 120': 'timeout: 290' })
    expect(exitCode).toBe(1)
    expect(output).toContain(
      'cleanup: timeout 290 s + tail 15 s + skew 5 s = 310 s is more than CLEANUP_INTERVAL, the period of 300 s',
    )
    expect(output).toContain('set the timeout to at most 280 s')
  })

  it('refuses an environment variable that is not a setting', async () => {
    const { exitCode, output } = await declare({ 'LEASE_TABLE:': 'LEESE_TABLE:' })
    expect(exitCode).toBe(1)
    expect(output).toContain('cleanup: LEESE_TABLE: no such setting in lib/config.ts')
  })
})

describe('settings in the shell', () => {
  const shell = { LEADER_ELECT_ID: 'mine', ENABLE_LEADER_ELECTION: 'false' }

  it('reach a function that runs locally, over what is declared', async () => {
    const status = ['invoke', 'local', '-f', 'reconcile', '--data', '{"loop":"cleanup","action":"status"}']
    const { exitCode, output } = await copy.serverless(status, shell)
    expect(exitCode).toBe(0)
    expect(output).toContain('lease mine-cleanup in memory')
  })

  it('never reach what is deployed', async () => {
    const { template } = await copy.pack({}, shell)
    const { Variables } = template.Resources.CleanupLambdaFunction.Properties.Environment
    expect(Variables.LEADER_ELECT_ID).toBe('fencepost')
    expect(Variables).not.toHaveProperty('ENABLE_LEADER_ELECTION')
  })
})

/** Packages the copy with its declaration changed, and changes it back. */
async function declare(change: Record<string, string>) {
  const file = `${copy.root}/serverless.yml`
  const before = await readFile(file, 'utf8')
  const after = Object.entries(change).reduce((text, [from, to]) => text.replaceAll(from, to), before)
  await writeFile(file, after)
  const ran = await copy.serverless(['package', '--package', 'refused'])
  await writeFile(file, before)
  return ran
}
