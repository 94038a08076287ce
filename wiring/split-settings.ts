import { z } from 'zod'
import { type Environment, parseConfig } from '../platform/config.ts'

/** What only the processes of a split platform read. */
export const splitConfig = z.object({
  SUBGRAPH_URLS: z.string().transform((text, issues) => {
    const urls = new Map<string, string>()
    for (const entry of text.split(',').filter((part) => part.trim() !== '')) {
      const [, name, url] = /^\s*([a-z]+)=(https?:\/\/\S+?)\/*\s*$/.exec(entry) ?? []
      if (name && url) urls.set(name, url)
      else issues.addIssue(`'${entry}' should be a subgraph and its URL, as accounts=http://accounts:4001`)
    }
    return urls
  }),
})

/** Where each subgraph of a split platform answers: `SUBGRAPH_URLS=accounts=http://…,models=http://…`. @throws ConfigError */
export function subgraphUrls(environment: Environment): ReadonlyMap<string, string> {
  return parseConfig(splitConfig, environment).SUBGRAPH_URLS
}
