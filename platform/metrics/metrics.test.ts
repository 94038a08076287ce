import { describe, expect, it } from '@jest/globals'
import { deferredMetrics } from './deferred-metrics.ts'
import { fewValues } from './few-values.ts'
import { prometheusMetrics } from './prometheus.ts'

describe('what is counted before there is a reader', () => {
  it('is told with what is counted afterwards', async () => {
    const metrics = deferredMetrics()
    const answers = metrics.counter({ name: 'answers_total', help: 'Answers.', labels: ['status'] })
    const open = metrics.gauge({ name: 'open', help: 'Open.', labels: [] })
    const seconds = metrics.histogram({ name: 'seconds', help: 'Time.', labels: ['of'], buckets: [1, 2] })
    answers.add({ status: '200' })
    open.add({}, 3)
    seconds.observe({ of: 'a' }, 1.5)
    const prometheus = prometheusMetrics()
    metrics.attach(prometheus)
    answers.add({ status: '200' }, 2)
    open.add({}, -1)
    const late = metrics.gauge({ name: 'late', help: 'Late.', labels: [] })
    late.set({}, 7)
    const text = await prometheus.text()
    for (const line of [
      '# TYPE answers_total counter',
      'answers_total{status="200"} 3',
      'open 2',
      'seconds_bucket{le="1",of="a"} 0',
      'seconds_bucket{le="2",of="a"} 1',
      'seconds_count{of="a"} 1',
      'late 7',
    ])
      expect(text.split('\n')).toContain(line)
  })

  it('is bounded where nobody ever comes to read', async () => {
    const metrics = deferredMetrics()
    const answers = metrics.counter({ name: 'answers_total', help: 'Answers.', labels: [] })
    for (let at = 0; at < 20_500; at += 1) answers.add({})
    const prometheus = prometheusMetrics()
    metrics.attach(prometheus)
    expect(await prometheus.text()).toContain('answers_total 20000\n')
  })
})

it('a label has few values, however many come from outside', () => {
  const label = fewValues(2)
  expect(['a', 'b', 'c', 'a', 'd'].map(label)).toEqual(['a', 'b', 'other', 'a', 'other'])
})
