/** Says how many images came and what each is, or gives null where there are none. Nothing is fetched. */
export function describeImages(urls: readonly string[]): string | null {
  if (urls.length === 0) return null
  const count = urls.length === 1 ? '1 image' : `${urls.length} images`
  return `You sent ${count}: ${urls.map(describeImage).join('; ')}.`
}

function describeImage(url: string): string {
  const data = /^data:([^;,]*)((?:;[^;,]*)*),(.*)$/s.exec(url)
  if (!data) return 'one by its address'
  const [, kind, parameters = '', payload = ''] = data
  const bytes = parameters.includes(';base64')
    ? Buffer.from(payload, 'base64')
    : Buffer.from(decoded(payload))
  const size = dimensions(bytes)
  return [
    kind || 'unknown kind',
    ...(size ? [`${size.width}x${size.height}`] : []),
    `${bytes.length} bytes`,
  ].join(', ')
}

/** The size in pixels of a PNG or GIF, from its header. */
function dimensions(bytes: Buffer): { width: number; height: number } | null {
  if (bytes.length >= 24 && bytes.toString('latin1', 1, 4) === 'PNG') {
    return { width: bytes.readUInt32BE(16), height: bytes.readUInt32BE(20) }
  }
  if (bytes.length >= 10 && bytes.toString('latin1', 0, 3) === 'GIF') {
    return { width: bytes.readUInt16LE(6), height: bytes.readUInt16LE(8) }
  }
  return null
}

function decoded(payload: string): string {
  try {
    return decodeURIComponent(payload)
  } catch {
    // Not percent-encoded after all: its bytes are what there is to count.
    return payload
  }
}
