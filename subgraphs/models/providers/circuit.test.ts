import { beforeEach, describe, expect, it } from '@jest/globals'
import { AppError } from '../../../platform/errors.ts'
import { Circuit, type CircuitCall, notNow } from './circuit.ts'
import { ProviderFailure } from './provider-failure.ts'

const fault = new ProviderFailure('provider_error', 'broken', { next: 'same', isFault: true })
const refusal = new AppError('invalid_parameter', 'no')
const left = new DOMException('left', 'AbortError')
const limited = (restMs: number) =>
  new ProviderFailure('provider_rate_limited', 'slow down', { next: 'same', isFault: false, restMs })

let now: number
let changes: boolean[]
let circuit: Circuit
beforeEach(() => {
  now = 1_000
  changes = []
  circuit = new Circuit({ faults: 3, openMs: 100, now: () => now, onChange: (open) => changes.push(open) })
})

function begin(): CircuitCall {
  const call = circuit.begin()
  if (!call) throw new Error('The circuit let nothing through.')
  return call
}
function end(...outcomes: unknown[]): void {
  for (const outcome of outcomes) begin().ended(outcome)
}

describe('a circuit', () => {
  it('opens after its number of faults, and says for how long', () => {
    end(fault, fault)
    expect(circuit.state).toEqual({ kind: 'ready' })
    end(fault)
    expect(circuit.state).toEqual({ kind: 'open', waitMs: 100 })
    expect(circuit.begin()).toBeNull()
    expect(changes).toEqual([true])
  })

  it('forgets its faults at a good answer, and at nothing else', () => {
    end(fault, fault, null, fault, fault)
    expect(circuit.state.kind).toBe('ready')
    end(refusal, left, limited(0), fault)
    expect(circuit.state.kind).toBe('open')
  })

  it('is not opened by refusals and by clients that leave', () => {
    end(refusal, left, refusal, left, refusal, left)
    expect(circuit.state.kind).toBe('ready')
  })

  it('never opens where that is switched off', () => {
    circuit = new Circuit({ faults: 0, openMs: 100 })
    end(...Array.from({ length: 50 }, () => fault))
    expect(circuit.state.kind).toBe('ready')
  })
})

describe('an open circuit', () => {
  beforeEach(() => {
    end(fault, fault, fault)
    now += 100
  })

  it('lets one call try after its time, and the others wait for that one', () => {
    const probe = begin()
    expect(circuit.begin()).toBeNull()
    expect(circuit.state).toEqual({ kind: 'open', waitMs: 100 })
    probe.ended(null)
    expect(circuit.state.kind).toBe('ready')
    expect(changes).toEqual([true, false])
    end(fault, fault)
    expect(circuit.state.kind).toBe('ready')
  })

  it('lets another one try where the answer to the first takes long', () => {
    const slow = begin()
    now += 100
    end(null)
    expect(circuit.state.kind).toBe('ready')
    slow.ended(null)
    expect(changes).toEqual([true, false])
  })

  it('opens again where the call fails, twice as long each time, up to a minute', () => {
    for (const waitMs of [200, 400, 800]) {
      end(fault)
      expect(circuit.state).toEqual({ kind: 'open', waitMs })
      now += waitMs
    }
    for (let more = 0; more < 20; more += 1) {
      end(fault)
      now += 60_000
    }
    expect(circuit.state.kind).toBe('ready')
    expect(changes).toEqual([true])
  })

  it('lets the next one try where the client of the first left', () => {
    end(left)
    expect(circuit.state.kind).toBe('ready')
    expect(changes).toEqual([true])
    end(null)
    expect(changes).toEqual([true, false])
  })

  it('lets the others in as soon as an answer begins; until one ends well the next fault opens it again', () => {
    const probe = begin()
    probe.begun()
    expect(circuit.state.kind).toBe('ready')
    const other = begin()
    probe.ended(fault)
    expect(circuit.state).toEqual({ kind: 'open', waitMs: 200 })
    other.ended(null)
    expect(circuit.state.kind).toBe('open')
    expect(changes).toEqual([true, false, true])
  })

  it('is closed by a refusal: whoever refuses is there', () => {
    end(refusal)
    expect(circuit.state.kind).toBe('ready')
  })
})

describe('calls that began before a circuit opened', () => {
  it('neither keep it open nor close it', () => {
    const [early, late] = [begin(), begin()]
    end(fault, fault, fault)
    early.ended(fault)
    expect(circuit.state).toEqual({ kind: 'open', waitMs: 100 })
    late.ended(null)
    expect(circuit.state.kind).toBe('open')
  })
})

describe('an endpoint that asks to be left alone', () => {
  it('rests so long, at most an hour, and is whole after it', () => {
    end(limited(500))
    expect(circuit.state).toEqual({ kind: 'resting', waitMs: 500, isRateLimit: true })
    expect(circuit.begin()).toBeNull()
    now += 500
    expect(circuit.state.kind).toBe('ready')
    end(limited(86_400_000))
    now += 3_600_000
    expect(circuit.state.kind).toBe('ready')
  })

  it('keeps the longest of the times that it said', () => {
    const [one, other] = [begin(), begin()]
    one.ended(limited(500))
    other.ended(limited(20))
    expect(circuit.state).toMatchObject({ waitMs: 500 })
  })
})

describe('what is told where nobody may be asked', () => {
  it('is 503 with the shortest wait, and 429 where a rate limit stands in the way', () => {
    const open = { kind: 'open', waitMs: 8_200 } as const
    const resting = { kind: 'resting', waitMs: 20_000, isRateLimit: true } as const
    expect(notNow([open, { kind: 'open', waitMs: 12_000 }])).toMatchObject({ status: 503, retryAfter: 9 })
    expect(notNow([open, resting])).toMatchObject({ status: 429, retryAfter: 9 })
    expect(notNow([{ ...resting, isRateLimit: false }])).toMatchObject({ status: 503, retryAfter: 20 })
    expect(notNow([])).toMatchObject({ status: 503, retryAfter: undefined })
  })
})
