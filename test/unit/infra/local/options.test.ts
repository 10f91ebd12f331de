import { describe, expect, it } from 'vitest'
import { HELP, PORT_SETTINGS, readOptions, serversOf, UsageError } from '../../../../infra/local/world/options.ts'

describe('the options', () => {
  it('run with the Kubernetes lease on free ports, for people, when nothing is asked for', () => {
    expect(readOptions([], {})).toEqual({
      isHelp: false,
      isJson: false,
      isVerbose: false,
      isOnce: false,
      isZombie: false,
      lease: 'kubernetes',
      ports: { kubernetes: 0, dynamodb: 0, keycloak: 0, lambda: 0, http: 0 },
    })
  })

  it('switch on what is asked for', () => {
    expect(readOptions(['--help', '--json', '--verbose', '--once', '--zombie'], {})).toMatchObject({
      isHelp: true,
      isJson: true,
      isVerbose: true,
      isOnce: true,
      isZombie: true,
    })
  })

  it('take the lease from the command line before the environment', () => {
    expect(readOptions([], { LEASE: 'dynamodb' }).lease).toBe('dynamodb')
    expect(readOptions(['--lease', 'kubernetes'], { LEASE: 'dynamodb' }).lease).toBe('kubernetes')
  })

  it.each(Object.entries(PORT_SETTINGS))('take the port of %s likewise', (server, { option, variable }) => {
    expect(readOptions([], { [variable]: '4001' }).ports).toMatchObject({ [server]: 4001 })
    expect(readOptions([`--${option}`, '4002'], { [variable]: '4001' }).ports).toMatchObject({ [server]: 4002 })
    expect(readOptions([`--${option}=65535`], {}).ports).toMatchObject({ [server]: 65_535 })
    expect(readOptions([], { [variable]: '' }).ports).toMatchObject({ [server]: 0 })
  })

  it.each([
    { args: ['--lease', 'redis'], message: '--lease=redis: expected kubernetes or dynamodb' },
    { env: { LEASE: 'redis' }, message: 'LEASE=redis: expected kubernetes or dynamodb' },
    {
      args: ['--lambda-port', '65536'],
      message: '--lambda-port=65536: expected a port from 1 to 65535, or 0 for a free one',
    },
    { args: ['--http-port=-1'], message: '--http-port=-1: expected a port from 1 to 65535, or 0 for a free one' },
    { env: { HTTP_PORT: '80a' }, message: 'HTTP_PORT=80a: expected a port from 1 to 65535, or 0 for a free one' },
    { args: ['--onec'], message: "Unknown option '--onec'; --help lists the options" },
    {
      args: ['now'],
      message: "Unexpected argument 'now'. This command does not take positional arguments; --help lists the options",
    },
    { args: ['--lease'], message: "Option '--lease <value>' argument missing; --help lists the options" },
  ])('refuse what can’t be used: $message', ({ args = [], env = {}, message }) => {
    expect(() => readOptions(args, env)).toThrow(new UsageError(message))
  })

  it('are all in the help, with their variables', () => {
    const names = Object.values(PORT_SETTINGS).flatMap(({ option, variable }) => [`--${option} `, variable])

    for (const name of [...names, '--once', '--zombie', '--lease', 'LEASE', '--json', '--verbose', '--help'])
      expect(HELP).toContain(name)
  })

  it('start an embedded DynamoDB only where the lease lives in one', () => {
    expect(serversOf('kubernetes')).not.toContain('dynamodb')
    expect(serversOf('dynamodb')).toContain('dynamodb')
  })
})
