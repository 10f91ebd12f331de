import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest'
import { MINUTE_MS, systemClock } from '../../lib/time.ts'
import { startSandbox } from '../support/invoke.ts'
import { startWorld, type World } from '../support/world.ts'
import { copyService, type Node, type Packaged, type ServiceCopy } from './service.ts'

const LIMIT_MS = 180_000
const TOPIC = 'arn:aws:sns:eu-central-1:123456789012:alarms'
const PERIOD_MS = 5 * MINUTE_MS

let copy: ServiceCopy
/** As it comes; and as another installation, with another interval and with a topic. */
let plain: Packaged
let other: Packaged

beforeAll(async () => {
  copy = await copyService()
  plain = await copy.pack()
  other = await copy.pack({
    installation: 'edge',
    cleanupInterval: '10m',
    cleanupSchedule: 'cron(0/10 * * * ? *)',
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

function silenceOf(packaged: Packaged): Node {
  return alarmsOf(packaged).find(({ MetricName }) => MetricName === 'TicksCompleted')
}

describe('the alarms', () => {
  it('are one for each loop that completes nothing, one for each function that fails, one for each queue with messages', () => {
    expect(loopsOf(plain)).toEqual(['cleanup'])
    expect(alarmsOf(plain).map(subjectOf)).toEqual(subjectsOf(plain, 'fencepost'))
    expect(alarmsOf(other).map(subjectOf)).toEqual(subjectsOf(other, 'edge'))
  })

  it('would be missed, were there one function more', () => {
    const more = { ...plain, template: structuredClone(plain.template) }
    Object.assign(more.template.Resources, { MoreLambdaFunction: plain.template.Resources.CleanupLambdaFunction })
    expect(alarmsOf(more).map(subjectOf)).not.toEqual(subjectsOf(more, 'fencepost'))
  })

  it.each([
    ['5m', 300, () => plain],
    ['10m', 600, () => other],
  ])(
    'tell after three periods of %s without a completed tick, and take no word of a loop for none',
    (_, seconds, of) => {
      expect(silenceOf(of())).toMatchObject({
        Statistic: 'Sum',
        ComparisonOperator: 'LessThanThreshold',
        Threshold: 1,
        Period: seconds,
        EvaluationPeriods: 3,
        DatapointsToAlarm: 3,
        TreatMissingData: 'breaching',
      })
    },
  )

  it('tell of one error in a loop’s period, so that a loop that fails in each stays alarmed', () => {
    const isOfCleanup = ({ Dimensions }: Node) => Dimensions[0].Value.Ref === 'CleanupLambdaFunction'
    expect(alarmsOf(other).find(isOfCleanup)).toMatchObject({ Statistic: 'Sum', Period: 600, EvaluationPeriods: 1 })
    expect(silenceOf(other).Period).toBe(600)
  })

  it('tell of one error or message, and take no word for good news', () => {
    for (const alarm of alarmsOf(plain).filter(one => one !== silenceOf(plain)))
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
  it('refuses an interval that is no duration, with its name', async () => {
    const { exitCode, output } = await copy.serverless([
      'package',
      '--package',
      'refused',
      '--param=cleanupInterval=often',
    ])
    expect(exitCode).toBe(1)
    expect(output).toContain('cleanupInterval=often: expected a duration such as 5m')
  })
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
