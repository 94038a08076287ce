/** What a person is told once everything answers. */
export interface BannerFacts {
  readonly publicUrl: string
  readonly explore: boolean
  /** What subgraphs have to say: which models there are, a key that was made. */
  readonly notices: readonly string[]
}

/** A short text: where things are, and a first call that works when pasted. */
export function banner({ publicUrl, explore, notices }: BannerFacts): string {
  const places = [
    ['REST', `${publicUrl}/v1`],
    ['GraphQL', `${publicUrl}/graphql${explore ? '   (Apollo Sandbox; offline: /graphql/graphiql)' : ''}`],
    ['Swagger', `${publicUrl}/api/swagger/index.html`],
  ]
  return [
    '',
    '  Jan Graph is ready.',
    '',
    ...places.map(([name, url]) => `  ${name?.padEnd(8)} ${url}`),
    ...notices.flatMap((notice) => ['', ...notice.split('\n').map((line) => `  ${line}`)]),
    '',
    '  Say hello:',
    '',
    `  TOKEN=$(curl -s -X POST ${publicUrl}/llm/auth/guest-login | sed 's/.*"access_token":"\\([^"]*\\)".*/\\1/')`,
    `  curl ${publicUrl}/v1/chat/completions -H "Authorization: Bearer $TOKEN" -H "Content-Type: application/json" \\`,
    `    -d '{"model":"jan-v1-4b","messages":[{"role":"user","content":"Hello!"}]}'`,
    '',
    '',
  ].join('\n')
}
