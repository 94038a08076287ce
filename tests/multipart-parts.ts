/** The JSON bodies of a whole `multipart/mixed` answer whose boundary is `graphql`. */
export function multipartParts(text: string): unknown[] {
  const [body, rest] = text.split('\r\n--graphql--')
  if (body === undefined || rest === undefined) throw new Error('the closing boundary is missing')
  return body
    .split('\r\n--graphql')
    .filter((part) => part.trim() !== '')
    .map((part) => JSON.parse(part.slice(part.indexOf('\r\n\r\n') + 4)))
}
