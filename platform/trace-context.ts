const wellFormed = /^(?!ff)[\da-f]{2}-(?!0{32})[\da-f]{32}-(?!0{16})[\da-f]{16}-[\da-f]{2}(?=-|$)/

/** The `traceparent` of a request, to be sent on as it came (W3C Trace Context); null for none, or one that is malformed. */
export function traceparentOf(
  headers: Readonly<Record<string, string | string[] | undefined>>,
): string | null {
  const { traceparent } = headers
  return typeof traceparent === 'string' && traceparent.length <= 512 && wellFormed.test(traceparent)
    ? traceparent
    : null
}

/** The id of the whole trace, for the log. */
export function traceIdOf(traceparent: string): string {
  return traceparent.slice(3, 35)
}
