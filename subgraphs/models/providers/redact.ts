/** What of an endpoint must not reach a client. */
export interface SecretsOfEndpoint {
  readonly apiKey: string | null
  readonly hostname: string
}

const hidden = '[redacted]'
const maxMessageLength = 1000

/** Things that look like credentials or like addresses inside a private network. */
const sensitive = [
  /\b(?:sk|pk|gsk|hf|xai|key|api)[-_][A-Za-z0-9_*-]{6,}/g,
  /\bAIza[A-Za-z0-9_-]{10,}/g,
  /\bBearer\s+\S+/gi,
  /\b[a-z][a-z0-9+.-]*:\/\/[^\s/@]+@\S+/gi,
  /\b(?:https?:\/\/)?(?:localhost|127\.\d+\.\d+\.\d+|10\.\d+\.\d+\.\d+|192\.168\.\d+\.\d+|172\.(?:1[6-9]|2\d|3[01])\.\d+\.\d+)(?::\d+)?(?:\/\S*)?/gi,
  /\b(?:https?:\/\/)?[a-z0-9-]+(?:\.[a-z0-9-]+)*\.(?:internal|local|svc|lan|cluster)\b(?::\d+)?(?:\/\S*)?/gi,
]

/** A provider's message made fit for clients: no credentials, no internal hosts, no control characters, bounded length. */
export function redact(message: string, { apiKey, hostname }: SecretsOfEndpoint): string {
  const withoutKey = apiKey ? message.replaceAll(apiKey, hidden) : message
  const withoutKnown = withoutKey.replace(hostPattern(hostname), hidden)
  const clean = sensitive.reduce((text, pattern) => text.replace(pattern, hidden), withoutKnown)
  // biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what is removed
  const printable = clean.replace(/[\u0000-\u001f\u007f]+/g, ' ').trim()
  return printable.length > maxMessageLength ? `${printable.slice(0, maxMessageLength)}…` : printable
}

/** A name without dots (`http://model:8000`) may be an ordinary word too: it only counts where it stands as an address. */
function hostPattern(hostname: string): RegExp {
  const name = hostname.replace(/[^\w-]/g, '\\$&')
  return hostname.includes('.') ? new RegExp(name, 'g') : new RegExp(`//${name}\\b|\\b${name}:\\d+`, 'g')
}
