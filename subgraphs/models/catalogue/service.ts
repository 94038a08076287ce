import { requireActor } from '../../../platform/actor.ts'
import type { RequestContext } from '../../../platform/context.ts'
import {
  type Connection,
  invalidCursor,
  type Page,
  type PageArguments,
  toConnection,
  toPage,
} from '../../../platform/pagination.ts'
import type { CatalogEntry, Provider } from '../entities.ts'
import type { ModelCapability } from '../schema.generated.ts'
import { isOpenTo, openModel } from './access.ts'
import type { LiveCatalogue } from './live-catalogue.ts'
import type { EndpointHealth } from './provider-clients.ts'
import type { ListedModel } from './registry.ts'

/** A page of something that is all in memory. */
export interface CountedConnection<Row> extends Connection<Row> {
  readonly totalCount: number
}

/** Which catalogue entries are wanted. */
export interface CatalogFilter extends PageArguments {
  readonly capability?: ModelCapability | null
  readonly family?: string | null
}

/** What may be known of models and providers. Everybody who is signed in may; where providers are is for administrators. */
export function catalogueService({ actor }: RequestContext, catalogue: LiveCatalogue) {
  const mine = () => {
    const known = requireActor(actor)
    return catalogue.registry.models.filter((model) => isOpenTo(model, known))
  }
  const model = (id: string) => openModel(catalogue.registry, id, requireActor(actor))
  return {
    model,

    all: (): ListedModel[] => mine(),

    page: (args: PageArguments): CountedConnection<ListedModel> =>
      pageOf(mine(), toPage(args), ({ id }) => id),

    /** By any name of the model. */
    entry: (id: string): CatalogEntry | null => model(id)?.entry ?? null,

    entries({ capability, family, ...args }: CatalogFilter): CountedConnection<CatalogEntry> {
      const wanted = mine()
        .flatMap(({ entry, aliasOf }) => (entry && aliasOf === null ? [entry] : []))
        .filter((entry) => !capability || entry[supports[capability]] === true)
        .filter((entry) => !family || entry.family === family)
      return pageOf(wanted, toPage(args), ({ modelId }) => modelId)
    },

    provider(id: string): Provider | null {
      requireActor(actor)
      return catalogue.registry.provider(id)
    },

    providers(): readonly Provider[] {
      requireActor(actor)
      return catalogue.registry.providers
    },

    endpoints: (provider: Provider): readonly EndpointHealth[] => catalogue.clients.health(provider),

    modelCount: (provider: Provider): number => catalogue.registry.modelCount(provider),

    /** Null for everybody but administrators. */
    forAdmins: <Value>(value: Value): Value | null => (actor?.isAdmin ? value : null),
  }
}

/** The catalogue service of one request. */
export type CatalogueService = ReturnType<typeof catalogueService>

const supports = {
  IMAGES: 'supportsImages',
  EMBEDDINGS: 'supportsEmbeddings',
  REASONING: 'supportsReasoning',
  AUDIO: 'supportsAudio',
  VIDEO: 'supportsVideo',
  TOOLS: 'supportsTools',
  BROWSER: 'supportsBrowser',
} as const satisfies Record<ModelCapability, keyof CatalogEntry>

/** @throws AppError `invalid_cursor` */
function pageOf<Row>(rows: readonly Row[], page: Page, idOf: (row: Row) => string): CountedConnection<Row> {
  const after = page.after === null ? -1 : rows.findIndex((row) => idOf(row) === page.after)
  if (page.after !== null && after === -1) throw invalidCursor(page.after)
  const start = after + 1 + page.offset
  const rest = rows.slice(start, start + page.limit + 1)
  return { ...toConnection(rest, page, idOf), totalCount: rows.length }
}
