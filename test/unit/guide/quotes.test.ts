import { readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { parse, parseAllDocuments } from 'yaml'
import { problemsOf } from '../../../infra/build/check.ts'
import { withParts } from '../../../infra/build/docs.ts'
import { HOUR_MS } from '../../../lib/time.ts'
import { startGuide } from './harness.ts'
import { FILES, fenced, PLACES, textAtPlace } from './quotes.ts'

const GUIDE = 'docs/your-own-loop.md'
const guide = readFileSync(GUIDE, 'utf8')

/** The guide's own function file is the cleanup's with other names. */
const FUNCTION = readFileSync('functions/cleanup.ts', 'utf8')
  .replace('One tick of the cleanup loop', 'One tick of the loop that expires ConfigMaps')
  .replace('loops/cleanup.ts', 'loops/expire-configmaps.ts')
  .replace('{ cleanup }', '{ expireConfigmaps }')
  .replace('scheduled(cleanup)', 'scheduled(expireConfigmaps)')
  .trimEnd()

describe('the guide', () => {
  it('quotes the files that the tests run, as they read at the place where it puts them', async () => {
    const quotes = FILES.map(file => [file, fenced(file, textAtPlace(file))])
    const parts = Object.fromEntries([...quotes, ['function', fenced('.ts', FUNCTION)]])
    // `npx vitest run test/unit/guide -u` writes them anew.
    await expect(withParts(guide, parts)).toMatchFileSnapshot(`../../../${GUIDE}`)
  })

  it('would be found out of step', () => {
    const changed = withParts(guide, { 'plan.ts': fenced('plan.ts', `${textAtPlace('plan.ts')}\n// and more`) })
    expect(changed).not.toBe(guide)
  })

  it('says of each file where it goes', () => {
    for (const place of Object.values(PLACES)) expect(guide).toContain(`\`${place}\``)
  })
})

const FENCE = 'fencepost-expire-configmaps'
const VIRTUAL_USER = `fencepost:${FENCE}`
/** What nobody asks the API for, since it is checked with every write; and the Fence is read only when it can't be raised. */
const UNUSED_HERE = [
  `impersonate /users ${VIRTUAL_USER}`,
  'impersonate authentication.k8s.io/userextras/fencepost.dev/holder any',
  'impersonate authentication.k8s.io/userextras/fencepost.dev/token any',
  `get fencepost.dev/fences ${FENCE}`,
]

describe('the manifests of the guide', () => {
  it('gives exactly the verbs that the loop uses, a second look after a conflict among them', async () => {
    const running = await startGuide()
    try {
      await running.create(['due'], '1h', 2 * HOUR_MS)
      running.world.kubernetes.clearRequests()
      running.world.kubernetes.intercept = ({ method }) => {
        if (method !== 'DELETE') return undefined
        running.world.kubernetes.intercept = undefined
        return { status: 409, body: { kind: 'Status', reason: 'Conflict', code: 409 } }
      }
      expect(await running.tick()).toMatchObject({ kind: 'completed', counts: { changed: 1 } })
      const usedAs = (isVirtual: boolean) => {
        const own = running.world.kubernetes.requests.filter(({ user }) => (user === VIRTUAL_USER) === isVirtual)
        return [...new Set(own.map(({ method, path }) => rightOf(method, path)))]
      }
      expect(usedAs(true)).toEqual(rightsFor(VIRTUAL_USER))
      expect([...usedAs(false), ...UNUSED_HERE].sort()).toEqual(
        rightsFor('fencepost:function:fencepost-expire-configmaps'),
      )
    } finally {
      await running.close()
    }
  })

  it('gives the manual function the same rights', () => {
    expect(rightsFor('fencepost:function:fencepost-reconcile')).toEqual(
      rightsFor('fencepost:function:fencepost-expire-configmaps'),
    )
  })

  it('has a Lease without spec and without annotations, under the name that its Role knows', () => {
    const lease = parse(textAtPlace('lease.yaml'))
    expect(lease).toEqual({
      apiVersion: 'coordination.k8s.io/v1',
      kind: 'Lease',
      metadata: { name: 'fencepost-expire-configmaps', namespace: 'fencepost-system', labels: expect.any(Object) },
    })
  })
})

describe('the fence of the guide', () => {
  const objects = parseAllDocuments(textAtPlace('fence.yaml')).map(document => document.toJS())

  it('has a Fence without spec and without annotations, of the same name as the Lease', () => {
    expect(objects[0]).toEqual({
      apiVersion: 'fencepost.dev/v1',
      kind: 'Fence',
      metadata: { name: parse(textAtPlace('lease.yaml')).metadata.name, labels: expect.any(Object) },
    })
  })

  it('has rules for all that the virtual user may write', () => {
    const writable = rightsFor(VIRTUAL_USER).map(right => right.split(' ')[1])
    const [{ apiGroups, resources }] = parse(textAtPlace('rule.yaml'))
    expect(resources.map((resource: string) => `${apiGroups[0]}/${resource}`)).toEqual(writable)
  })
})

describe('the function of the guide', () => {
  const service = parse(textAtPlace('function.yml').replace('*destinations', '{}'), { logLevel: 'silent' })
  const declared = service['expire-configmaps']
  const declaration = {
    name: 'expire-configmaps',
    timeoutSeconds: declared.timeout,
    maximumEventAgeSeconds: declared.maximumEventAge,
    schedules: ['cron(0/10 * * * ? *)'],
    environment: {},
    vpc: { subnetIds: [], securityGroupIds: [] },
  }

  it('is refused at packaging as long as no setting is its period', () => {
    expect(problemsOf(declaration)).toEqual([
      "expire-configmaps: it has a schedule, but no setting of lib/config.ts is the period of expire-configmaps; name the function as its loop, and give the setting periodOf: 'expire-configmaps'",
    ])
  })

  it('has time limits that fit a period of 10 min', () => {
    const asCleanup = { ...declaration, name: 'cleanup', environment: { CLEANUP_INTERVAL: '10m' } }
    expect(problemsOf(asCleanup)).toEqual([])
  })
})

/** `verb group/resource name`, as a rule of a role would allow a request; a name where rules of ours have names. */
function rightOf(method: string, path: string): string {
  const [, group = '', resource, name] =
    /^\/(?:api|apis\/([^/]+))\/[^/]+(?:\/namespaces\/[^/]+)?\/([^/]+)(?:\/([^/]+))?$/.exec(path) ?? []
  const verbs: Record<string, string> = { GET: name ? 'get' : 'list', PUT: 'update', PATCH: 'patch', DELETE: 'delete' }
  return `${verbs[method]} ${group}/${resource} ${resource === 'leases' || resource === 'fences' ? name : 'any'}`
}

function rightsFor(user: string): string[] {
  const manifests = ['rights.yaml', 'fence.yaml'].flatMap(file =>
    parseAllDocuments(textAtPlace(file)).map(document => document.toJS()),
  )
  return manifests
    .filter(({ subjects = [] }) => subjects.some(({ name }: { name: string }) => name === user))
    .map(({ roleRef }) =>
      manifests.find(({ kind, metadata }) => kind === roleRef.kind && metadata.name === roleRef.name),
    )
    .flatMap(({ rules }) => rules)
    .flatMap(({ apiGroups: [group], resources, resourceNames: [name] = ['any'], verbs }) =>
      resources.flatMap((resource: string) => verbs.map((verb: string) => `${verb} ${group}/${resource} ${name}`)),
    )
    .sort()
}
