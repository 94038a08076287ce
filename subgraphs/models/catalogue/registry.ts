import type { CatalogEntry, Provider, ProviderModel } from '../entities.ts'
import type { ModelCapabilities } from '../providers/index.ts'
import type { CatalogueRows } from '../sources/catalogue-source.ts'
import { aliasesFor } from './aliases.ts'

/** A model at one provider. */
export interface Offer {
  readonly provider: Provider
  /** The provider's own id of the model. */
  readonly modelId: string
}

/** A model as the platform offers it, whoever answers. */
export interface ListedModel {
  readonly id: string
  readonly displayName: string
  readonly description: string | null
  readonly ownedBy: string
  readonly createdAt: Date
  readonly category: string
  readonly categoryOrder: number
  readonly modelOrder: number
  readonly contextLength: number | null
  readonly capabilities: ModelCapabilities
  readonly isDevelopment: boolean
  readonly aliasOf: ListedModel | null
  /** At least one, in the order in which they are tried. */
  readonly offers: readonly [Offer, ...Offer[]]
  readonly instructModelId: string | null
  readonly entry: CatalogEntry | null
}

/** What the registry is told by the configuration. */
export interface RegistryOptions {
  readonly aliases: ReadonlyMap<string, string>
  /** By a model's id the models that may answer in its place, in their order. */
  readonly fallbacks: ReadonlyMap<string, readonly string[]>
  /** `fallback`: only where there is nothing else. */
  readonly development: 'always' | 'fallback' | 'never'
}

/** Every model that can be asked now, in memory: choosing one costs no statement. Built anew at every change. */
export class ModelRegistry {
  readonly #byId: ReadonlyMap<string, ListedModel>
  readonly #listed: readonly ListedModel[]
  readonly #providers: ReadonlyMap<string, Provider>
  readonly #modelCounts: ReadonlyMap<string, number>
  readonly #fallbacks: ReadonlyMap<string, readonly string[]>
  /** By each name of a model, the platform's or a provider's own, the ids of those that are called so: switched off or not. */
  readonly #idsByName: ReadonlyMap<string, ReadonlySet<string>>

  constructor({ providers, models, entries }: CatalogueRows, options: RegistryOptions) {
    const { aliases, fallbacks, development } = options
    const active = providers
      .filter(({ isActive, source }) => isActive && (source !== 'builtin' || development !== 'never'))
      .sort((one, other) => precedence(one) - precedence(other))
    const byKey = new Map(active.map((provider) => [provider.key, provider]))
    const entryOf = new Map(entries.map((entry) => [entry.modelId, entry]))
    const listedBy = Map.groupBy(
      models.filter(({ isActive }) => isActive),
      ({ providerKey }) => providerKey,
    )
    // In the order of the providers, whichever of them sent its list first.
    const offered = active.flatMap(({ key }) => listedBy.get(key) ?? [])
    const own = [...Map.groupBy(offered, ({ modelId }) => modelId)]
      .map(([id, rows]) => listedModel(id, rows, byKey, entryOf.get(id) ?? null))
      .filter(({ entry }) => entry?.isActive !== false)
      .sort(byPlace)
    const visible =
      development === 'fallback' && own.some(({ isDevelopment }) => !isDevelopment)
        ? own.filter(({ isDevelopment }) => !isDevelopment)
        : own
    const others = aliasesFor(visible, own, aliases)
    this.#listed = [...visible, ...others]
    // A development model that is not listed still answers to its own name.
    this.#byId = new Map([...own, ...others].map((model) => [model.id, model]))
    this.#providers = new Map(active.map((provider) => [provider.publicId, provider]))
    this.#fallbacks = fallbacks
    this.#idsByName = idsByName(models)
    this.#modelCounts = new Map([...listedBy].map(([key, rows]) => [key, rows.length]))
  }

  /** The models of `/v1/models`, by category and place, aliases last. */
  get models(): readonly ListedModel[] {
    return this.#listed
  }

  get providers(): readonly Provider[] {
    return [...this.#providers.values()]
  }

  model(id: string): ListedModel | null {
    return this.#byId.get(id) ?? null
  }

  /** The ids of the models that may answer in a model's place; those of its own name go before those of what it stands for. */
  fallbacksOf({ id, aliasOf }: ListedModel): readonly string[] {
    return this.#fallbacks.get(id) ?? (aliasOf ? this.fallbacksOf(aliasOf) : [])
  }

  provider(id: string): Provider | null {
    return this.#providers.get(id) ?? null
  }

  /** The ids of the models that any provider or the platform calls by a name: those that are switched off, too. */
  idsNamed(name: string): readonly string[] {
    return [...(this.#idsByName.get(name) ?? [])]
  }

  modelCount({ key }: Provider): number {
    return this.#modelCounts.get(key) ?? 0
  }
}

function idsByName(models: readonly ProviderModel[]): Map<string, Set<string>> {
  const ids = new Map<string, Set<string>>()
  for (const { modelId, originalId } of models)
    for (const name of [modelId, originalId]) ids.set(name, (ids.get(name) ?? new Set()).add(modelId))
  return ids
}

function listedModel(
  id: string,
  rows: readonly ProviderModel[],
  providers: ReadonlyMap<string, Provider>,
  entry: CatalogEntry | null,
): ListedModel {
  const offers = rows.flatMap((row) => {
    const provider = providers.get(row.providerKey)
    return provider ? [{ provider, modelId: row.originalId }] : []
  })
  const [first, ...rest] = offers
  const row = rows[0]
  if (!first || !row) throw new Error(`the model ${id} has no provider`)
  return {
    id,
    displayName: entry?.displayName ?? row.displayName,
    description: entry?.description ?? null,
    ownedBy: row.ownedBy,
    createdAt: row.modelCreatedAt,
    category: row.category === '' ? first.provider.name : row.category,
    categoryOrder: row.categoryOrder,
    modelOrder: row.modelOrder,
    contextLength: entry?.contextLength ?? row.contextLength ?? null,
    capabilities: capabilitiesOf(entry ?? row),
    isDevelopment: offers.every(({ provider }) => provider.source === 'builtin'),
    aliasOf: null,
    offers: [first, ...rest],
    instructModelId: row.instructModelId ?? null,
    entry,
  }
}

/** What is known to be so or not; the rest is left out. */
export function capabilitiesOf(row: CatalogEntry | ProviderModel): ModelCapabilities {
  const known = {
    images: row.supportsImages,
    embeddings: row.supportsEmbeddings,
    reasoning: row.supportsReasoning,
    audio: row.supportsAudio,
    video: row.supportsVideo,
    tools: row.supportsTools,
  }
  return Object.fromEntries(
    Object.entries(known).filter(([, value]) => value !== null && value !== undefined),
  )
}

/** Among providers that are equal here the one stored first is first. What somebody configured goes before what was found, and both before what is built in. */
function precedence({ source }: Provider): number {
  return source === 'builtin' ? 2 : source === 'discovered' ? 1 : 0
}

/** Contract 2.5: by category, then place; 0 is last. */
function byPlace(one: ListedModel, other: ListedModel): number {
  return (
    place(one.categoryOrder) - place(other.categoryOrder) ||
    one.category.localeCompare(other.category) ||
    place(one.modelOrder) - place(other.modelOrder) ||
    one.id.localeCompare(other.id)
  )
}

const place = (order: number) => (order === 0 ? Number.MAX_SAFE_INTEGER : order)
