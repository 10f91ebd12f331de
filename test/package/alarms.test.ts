import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest'
import { MINUTE_MS, systemClock } from '../../lib/time.ts'
import { startSandbox } from '../support/invoke.ts'
import { startWorld, type World } from '../support/world.ts'
import { copyService, type Node, type Packaged, type ServiceCopy } from './service.ts'

const LIMIT_MS = 180_000
const TOPIC = 'arn:aws:sns:eu-central-1:123456789012:alarms'
const PERIOD_MS = 5 * MINUTE_MS

let copy: ServiceCopy
/** As it comes; and as another installation, with other intervals and with a topic. */
let plain: Packaged
let other: Packaged

beforeAll(async () => {
  copy = await copyService()
  plain = await copy.pack()
  other = await copy.pack({
    installation: 'edge',
    cleanupInterval: '10m',
    cleanupSchedule: 'cron(0/10 * * * ? *)',
    statusSyncInterval: '20m',
    statusSyncSchedule: 'cron(0/20 * * * ? *)',
    configCheckInterval: '1h',
    configCheckSchedule: 'cron(0 0/1 * * ? *)',
    alarmTopic: TOPIC,
  })
}, LIMIT_MS)
afterAll(() => copy?.remove())

function propertiesOf({ template }: Packaged, type: string): Record<string, Node> {
  const found = Object.entries(template.Resources).filter(([, { Type }]) => Type === type)
  return Object.fromEntries(found.map(([id, { Properties }]) => [id, Properties]))
}

const alarmsOf = (packaged: Packaged): Node[] => Object.values(propertiesOf(packaged, 'AWS::CloudWatch::Alarm'))

/** What an alarm looks at: `namespace metric name=value …`. */
function subjectOf({ Namespace, MetricName, Dimensions }: Node): string {
  const dimensions = Dimensions.map(
    ({ Name, Value }: Node) => `${Name}=${typeof Value === 'string' ? Value : target(Value)}`,
  )
  return [Namespace, MetricName, ...dimensions].join(' ')
}

function target(value: Node): string {
  return value.Ref ?? value['Fn::GetAtt'].join('.')
}

/** Functions that a rule starts, by the name in their handler: each is a loop. */
function loopsOf(packaged: Packaged): string[] {
  const functions = propertiesOf(packaged, 'AWS::Lambda::Function')
  return Object.values(propertiesOf(packaged, 'AWS::Events::Rule')).map(
    ({ Targets }) => functions[Targets[0].Arn['Fn::GetAtt'][0]].Handler.match(/^dist\/(.+)\.handler$/)[1],
  )
}

/** Every subject that must have an alarm, from the functions and queues that there are. */
function subjectsOf(packaged: Packaged, installation: string): string[] {
  return [
    ...loopsOf(packaged).map(loop => `Fencepost TicksCompleted service=${installation} loop=${loop}`),
    ...Object.keys(propertiesOf(packaged, 'AWS::Lambda::Function')).map(id => `AWS/Lambda Errors FunctionName=${id}`),
    ...Object.keys(propertiesOf(packaged, 'AWS::SQS::Queue')).map(
      id => `AWS/SQS ApproximateNumberOfMessagesVisible QueueName=${id}.QueueName`,
    ),
  ]
}

const isSilence = ({ MetricName }: Node) => MetricName === 'TicksCompleted'

function silenceOf(packaged: Packaged, loop = 'cleanup'): Node {
  return alarmsOf(packaged).find(alarm => isSilence(alarm) && subjectOf(alarm).endsWith(` loop=${loop}`))
}

/** The alarm of a loop's function that fails. */
function errorsOf(packaged: Packaged, loop: string): Node {
  const functions = propertiesOf(packaged, 'AWS::Lambda::Function')
  const id = Object.keys(functions).find(one => functions[one].Handler === `dist/${loop}.handler`)
  return alarmsOf(packaged).find(({ Dimensions }) => Dimensions[0].Value.Ref === id)
}

describe('the alarms', () => {
  it('are one for each loop that completes nothing, one for each function that fails, one for each queue with messages', () => {
    expect(loopsOf(plain)).toEqual(['cleanup', 'status-sync', 'config-check'])
    expect(alarmsOf(plain).map(subjectOf).sort()).toEqual(subjectsOf(plain, 'fencepost').sort())
    expect(alarmsOf(other).map(subjectOf).sort()).toEqual(subjectsOf(other, 'edge').sort())
  })

  it('would be missed, were there one function more', () => {
    const more = { ...plain, template: structuredClone(plain.template) }
    Object.assign(more.template.Resources, { MoreLambdaFunction: plain.template.Resources.CleanupLambdaFunction })
    expect(alarmsOf(more).map(subjectOf).sort()).not.toEqual(subjectsOf(more, 'fencepost').sort())
  })

  it.each([
    ['cleanup', 300, 600],
    ['status-sync', 600, 1_200],
    ['config-check', 600, 3_600],
  ])(
    'tell after three periods of %s, of %i s or of %i s, without a completed tick, and take no word of a loop for none',
    (loop, ...seconds) => {
      for (const [packaged, Period] of [
        [plain, seconds[0]],
        [other, seconds[1]],
      ] as const)
        expect(silenceOf(packaged, loop)).toMatchObject({
          Statistic: 'Sum',
          ComparisonOperator: 'LessThanThreshold',
          Threshold: 1,
          Period,
          EvaluationPeriods: 3,
          DatapointsToAlarm: 3,
          TreatMissingData: 'breaching',
        })
    },
  )

  it('tell of one error in a loop’s period, so that a loop that fails in each stays alarmed', () => {
    for (const loop of loopsOf(other)) {
      expect(errorsOf(other, loop)).toMatchObject({ Statistic: 'Sum', EvaluationPeriods: 1 })
      expect(errorsOf(other, loop).Period).toBe(silenceOf(other, loop).Period)
    }
  })

  it('tell of one error or message, and take no word for good news', () => {
    for (const alarm of alarmsOf(plain).filter(one => !isSilence(one)))
      expect(alarm).toMatchObject({
        ComparisonOperator: 'GreaterThanOrEqualToThreshold',
        Threshold: 1,
        TreatMissingData: 'notBreaching',
      })
  })

  it('tell the topic that is given both of trouble and of its end, and nobody without one', () => {
    for (const alarm of alarmsOf(other)) expect(alarm).toMatchObject({ AlarmActions: [TOPIC], OKActions: [TOPIC] })
    for (const alarm of alarmsOf(plain)) {
      expect(alarm).not.toHaveProperty('AlarmActions')
      expect(alarm).not.toHaveProperty('OKActions')
    }
  })

  it('are named after service and stage, each by a name of its own', () => {
    const names = alarmsOf(plain).map(({ AlarmName }) => AlarmName)
    expect(names.every(name => name.startsWith('fencepost-dev-'))).toBe(true)
    expect(new Set(names).size).toBe(names.length)
  })
})

describe('packaging', () => {
  it.each(['cleanupInterval', 'statusSyncInterval', 'configCheckInterval'])(
    'refuses the parameter %s when it is no duration, with its name',
    async parameter => {
      const words = ['package', '--package', 'refused', `--param=${parameter}=often`]
      const { exitCode, output } = await copy.serverless(words)
      expect(exitCode).toBe(1)
      expect(output).toContain(`${parameter}=often: expected a duration such as 5m`)
    },
  )
})

describe('the metric that the silence of a loop is told by', () => {
  let world: World

  beforeAll(async () => {
    world = await startWorld(['cleanup'])
  })
  afterAll(() => world?.close())

  /** What the functions write in CloudWatch's embedded metric format meanwhile, as the subjects of alarms. */
  async function metricsOf(work: () => Promise<unknown>): Promise<string[]> {
    const written: string[] = []
    const write = vi.spyOn(process.stdout, 'write').mockImplementation(chunk => written.push(String(chunk)) > 0)
    try {
      await work()
    } finally {
      write.mockRestore()
    }
    return written
      .join('')
      .split('\n')
      .filter(line => line.includes('CloudWatchMetrics'))
      .flatMap(line => subjects(JSON.parse(line)))
  }

  function subjects(record: Node): string[] {
    return record._aws.CloudWatchMetrics.flatMap(({ Namespace, Dimensions: [names], Metrics }: Node) =>
      Metrics.map(({ Name }: Node) =>
        subjectOf({
          Namespace,
          MetricName: Name,
          Dimensions: names.map((name: string) => ({ Name: name, Value: record[name] })),
        }),
      ),
    )
  }

  const due = () => Math.floor(systemClock.wallMs() / PERIOD_MS) * PERIOD_MS
  const sandbox = () => startSandbox(world.environment('kubernetes'), systemClock)
  const alarmed = () => subjectOf(silenceOf(plain))

  it('is what a completed tick writes, by the same name and dimensions', async () => {
    expect(await metricsOf(() => sandbox().tick(due()))).toContain(alarmed())
  })

  it('is not written by a tick that is skipped as done already, nor by one that is skipped as suspended', async () => {
    const functions = sandbox()
    const atMs = due()
    await metricsOf(() => functions.tick(atMs))
    const skipped = alarmed().replace('TicksCompleted', 'TicksSkipped')
    const again = await metricsOf(() => functions.tick(atMs))
    expect(again).toContain(skipped)
    expect(again).not.toContain(alarmed())

    await functions.reconcile({ loop: 'cleanup', action: 'suspend' })
    const suspended = await metricsOf(() => functions.reconcile({ loop: 'cleanup' }))
    expect(suspended).toContain(alarmed().replace('TicksCompleted', 'RunsSkipped'))
    await functions.reconcile({ loop: 'cleanup', action: 'resume' })
    expect(suspended).not.toContain(alarmed())
  })

  it('is not kept quiet by a run by hand, which counts as one', async () => {
    const metrics = await metricsOf(() => sandbox().reconcile({ loop: 'cleanup' }))
    expect(metrics).toContain(alarmed().replace('TicksCompleted', 'RunsCompleted'))
    expect(metrics).not.toContain(alarmed())
  })

  it('has the installation’s name in the functions’ environment', () => {
    for (const { Environment } of Object.values(propertiesOf(other, 'AWS::Lambda::Function')))
      expect(silenceOf(other).Dimensions).toContainEqual({
        Name: 'service',
        Value: Environment.Variables.LEADER_ELECT_ID,
      })
  })
})
