import { once } from 'node:events'
import { type AddressInfo, createServer, type Server } from 'node:net'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { PortError, settlePorts } from '../../../../infra/local/world/ports.ts'

const FREE = { kubernetes: 0, dynamodb: 0, keycloak: 0, lambda: 0, http: 0 }

let occupier: Server
let taken: number

beforeEach(async () => {
  occupier = createServer().listen(0, '127.0.0.1')
  await once(occupier, 'listening')
  taken = (occupier.address() as AddressInfo).port
})

afterEach(async () => {
  occupier.close()
  await once(occupier, 'close')
})

describe('settled ports', () => {
  it('are all different, free, and above 0', async () => {
    const ports = Object.values(await settlePorts(FREE, ['kubernetes', 'dynamodb', 'keycloak', 'lambda', 'http']))

    expect(new Set(ports).size).toBe(5)
    expect(ports.every(port => port > 0)).toBe(true)
    occupier.close()
    await once(occupier, 'close')
    occupier = createServer().listen(ports[0], '127.0.0.1')
    await once(occupier, 'listening')
  })

  it('are not looked at for servers that are not started', async () => {
    await expect(settlePorts({ ...FREE, dynamodb: taken }, ['kubernetes'])).resolves.toMatchObject({ dynamodb: taken })
  })

  it('name a taken one and the way to change it', async () => {
    await expect(settlePorts({ ...FREE, lambda: taken }, ['kubernetes', 'lambda'])).rejects.toEqual(
      new PortError(
        `port ${taken} for invocations of functions is taken; choose another with --lambda-port or LAMBDA_PORT, or 0 for a free one`,
      ),
    )
  })

  it('are refused when two servers ask for the same', async () => {
    occupier.close()
    await once(occupier, 'close')

    await expect(settlePorts({ ...FREE, lambda: taken, http: taken }, ['lambda', 'http'])).rejects.toThrow(
      `port ${taken} for HTTP functions is taken; choose another with --http-port or HTTP_PORT`,
    )
    occupier = createServer().listen(0)
    await once(occupier, 'listening')
  })
})
