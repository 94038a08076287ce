/**
 * The value of Content-Disposition for what a browser may show, and saves under `filename` (RFC 6266): a plain name for old
 * clients, and where that can't hold all of it the whole one beside it. No name can break out of it.
 */
export function inlineDisposition(filename: string | null): string {
  if (filename === null || filename === '') return 'inline'
  const whole = filename.toWellFormed()
  const plain = whole.replace(/[^\x20-\x7e]|["\\%]/gu, '_')
  const quoted = `inline; filename="${plain}"`
  return plain === whole ? quoted : `${quoted}; filename*=UTF-8''${extendedValue(whole)}`
}

/** RFC 8187: what `encodeURIComponent` leaves and that may not stand there is encoded too. */
function extendedValue(text: string): string {
  return encodeURIComponent(text).replace(
    /['()*]/g,
    (character) => `%${character.charCodeAt(0).toString(16).toUpperCase()}`,
  )
}
