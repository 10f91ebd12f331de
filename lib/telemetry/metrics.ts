// The Metrics port and its powertools implementation: CloudWatch embedded metric format, one JSON line per flush.
// Counters live as long as an invocation. Dimensions are few and bounded (service, loop), never an object's name.

import { Metrics as EmbeddedMetrics, MetricUnit } from '@aws-lambda-powertools/metrics'

/** Where counters and durations go. */
export interface Metrics {
  /** Adds to a counter; `name` is a CamelCase plural such as `SessionsExpired`. Default 1. */
  count(name: string, amount?: number): void
  /** Records a duration in ms. */
  duration(name: string, ms: number): void
  /** Writes what was collected since the last flush; nothing when there is nothing. */
  flush(): void
}

/** Opens the metrics of one loop. */
export function openMetrics(service: string, loop: string): Metrics {
  const metrics = new EmbeddedMetrics({ namespace: 'Fencepost', serviceName: service, defaultDimensions: { loop } })
  return {
    count: (name, amount = 1) => metrics.addMetric(name, MetricUnit.Count, amount),
    duration: (name, ms) => metrics.addMetric(name, MetricUnit.Milliseconds, ms),
    flush: () => {
      if (metrics.hasStoredMetrics()) metrics.publishStoredMetrics()
    },
  }
}
