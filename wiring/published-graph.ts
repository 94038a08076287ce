import { readFileSync } from 'node:fs'
import type { CommittedPlans } from '../gateway/index.ts'

/** The graph as it is committed in `schema/`. */
export interface PublishedGraph {
  readonly supergraphSdl: string
  /** How the platform's own operations run over it. */
  readonly plans: CommittedPlans
}

export function publishedGraph(): PublishedGraph {
  return { supergraphSdl: read('supergraph.graphql'), plans: JSON.parse(read('plans.json')) }
}

function read(name: string): string {
  return readFileSync(new URL(`../schema/${name}`, import.meta.url), 'utf8')
}
