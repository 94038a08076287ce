/** What stands for every value beyond the first ones. */
export const otherValue = 'other'

/**
 * Keeps a label to few values: what comes from outside, as a model's name does, must not make a time series each time.
 * @param most how many different ones are let through
 */
export function fewValues(most = 200): (value: string) => string {
  const known = new Set<string>()
  return (value) => {
    if (known.has(value)) return value
    if (known.size >= most) return otherValue
    known.add(value)
    return value
  }
}
