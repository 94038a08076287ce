import type { ModelRegistry } from './registry.ts'

/** More names than these would not be read. */
const mostNamed = 3

/** For the banner: which models there are and from where, or how to get real ones. */
export function availableModels({ models }: ModelRegistry): string {
  const own = models.filter(({ aliasOf }) => aliasOf === null)
  const real = own.filter(({ isDevelopment }) => !isDevelopment)
  if (real.length === 0) {
    const standIn =
      own.length > 0 ? 'The built-in development model answers, without intelligence.' : 'No model answers.'
    return `${standIn}\nStart Ollama, Jan, LM Studio, llama.cpp or vLLM on this machine, or set OPENAI_API_KEY and the like, for real ones.`
  }
  const lines = [...Map.groupBy(real, ({ offers }) => offers[0].provider.name)].map(([provider, offered]) => {
    const named = offered.slice(0, mostNamed).map(({ id }) => id)
    const more = offered.length > mostNamed ? ` and ${offered.length - mostNamed} more` : ''
    return `Models from ${provider}: ${named.join(', ')}${more}`
  })
  const aliases = models.flatMap(({ id, aliasOf }) => (aliasOf ? [`${id} means ${aliasOf.id}`] : []))
  return [...lines, ...aliases].join('\n')
}
