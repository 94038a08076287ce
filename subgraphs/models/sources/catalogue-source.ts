import type { EntityManager, SubgraphDatabase } from '../../../platform/db.ts'
import { randomDigits } from '../../../platform/ids.ts'
import type { ConfiguredProvider } from '../catalogue/configured-provider.ts'
import type { ProviderSourceKind } from '../catalogue/rows.ts'
import { CatalogEntry, Provider, ProviderModel } from '../entities.ts'
import type { ProviderModel as ListedByProvider } from '../providers/index.ts'

/** Everything that the registry is built from: models that are switched off, too. */
export interface CatalogueRows {
  readonly providers: readonly Provider[]
  readonly models: readonly ProviderModel[]
  readonly entries: readonly CatalogEntry[]
}

/** A provider to be stored, its key sealed. */
export interface ProviderToStore extends Omit<ConfiguredProvider, 'apiKey' | 'models'> {
  readonly apiKeySealed: string | null
  /** The last four characters, for people to recognise it by. */
  readonly apiKeyHint: string | null
}

/** The SQL of providers, their models and the catalogue. */
export interface CatalogueSource {
  load(): Promise<CatalogueRows>
  /** Stores a provider, new or changed, and switches it on. Gives its row's key. */
  storeProvider(provider: ProviderToStore): Promise<string>
  /** Switches off the providers of these sources that are not among `kept` source keys. Says whether there were any. */
  deactivateOthers(sources: readonly ProviderSourceKind[], kept: readonly string[]): Promise<boolean>
  /** Stores what a provider lists. What it no longer lists stays, marked so. */
  storeModels(providerKey: string, models: readonly ListedByProvider[]): Promise<void>
}

export function catalogueSource(database: SubgraphDatabase): CatalogueSource {
  return {
    async load() {
      const em = database.fork()
      const providers = await em.find(Provider, {}, { orderBy: { key: 'asc' } })
      const models = await em.find(ProviderModel, { isListed: true }, { orderBy: { key: 'asc' } })
      const entries = await em.find(CatalogEntry, {}, { orderBy: { modelId: 'asc' } })
      return { providers, models, entries }
    },

    async storeProvider(provider) {
      const [row] = await database
        .fork()
        .execute<{ key: string }[]>(upsertProvider, [
          `prov_${randomDigits(16)}`,
          provider.sourceKey,
          provider.source,
          provider.name,
          provider.vendor,
          JSON.stringify(provider.endpoints),
          provider.apiKeySealed,
          provider.apiKeyHint,
          provider.category,
          JSON.stringify(provider.metadata),
        ])
      return String(row?.key)
    },

    async deactivateOthers(sources, kept) {
      const changed = await database
        .fork()
        .nativeUpdate(
          Provider,
          { source: { $in: [...sources] }, isActive: true, sourceKey: { $nin: [...kept] } },
          { isActive: false, updatedAt: new Date() },
        )
      return changed > 0
    },

    async storeModels(providerKey, models) {
      const rows = JSON.stringify(models.map(modelRow))
      await database.fork().transactional(async (em) => {
        await em.execute(upsertEntries, [rows])
        await em.execute(upsertModels, [rows, providerKey])
        await markUnlisted(em, providerKey, models)
        await em.execute('update models.provider set last_synced_at = now() where key = ?', [providerKey])
      })
    },
  }
}

async function markUnlisted(em: EntityManager, providerKey: string, models: readonly ListedByProvider[]) {
  await em.execute(
    `update models.provider_model set is_listed = false, updated_at = now()
     where provider_key = ? and is_listed and original_id not in (select value from json_array_elements_text(?::json))`,
    [providerKey, JSON.stringify(models.map(({ id }) => id))],
  )
}

function modelRow({
  id,
  name,
  description,
  created,
  ownedBy,
  contextLength,
  capabilities,
}: ListedByProvider) {
  return {
    public_id: `pm_${randomDigits(16)}`,
    id,
    name: name ?? null,
    description: description ?? null,
    created: created ?? null,
    owned_by: ownedBy ?? null,
    context_length: contextLength !== undefined && contextLength < 2 ** 31 ? contextLength : null,
    ...capabilities,
  }
}

const upsertProvider = `
  insert into models.provider
    (public_id, source_key, source, name, vendor, endpoints, api_key_sealed, api_key_hint, category, metadata)
  values (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
  on conflict (source_key) do update set
    name = excluded.name, vendor = excluded.vendor, endpoints = excluded.endpoints,
    api_key_sealed = excluded.api_key_sealed, api_key_hint = excluded.api_key_hint, category = excluded.category,
    metadata = excluded.metadata, is_active = true, updated_at = now()
  returning key`

const listed = `
  json_to_recordset(?::json) as listed(public_id text, id text, name text, description text, created bigint,
    owned_by text, context_length int, images boolean, embeddings boolean, reasoning boolean, audio boolean,
    video boolean, tools boolean)`

/** Rows in order of id, so that two processes that sync at once wait for each other instead of locking each other out. */
const upsertModels = `
  insert into models.provider_model
    (public_id, provider_key, model_id, original_id, display_name, owned_by, model_created_at, context_length,
     supports_images, supports_embeddings, supports_reasoning, supports_audio, supports_video, supports_tools)
  select listed.public_id, provider.key, id, id, coalesce(listed.name, id), coalesce(owned_by, provider.vendor),
    coalesce(to_timestamp(listed.created), now()), context_length, images, embeddings, reasoning, audio, video, tools
  from models.provider provider, ${listed}
  where provider.key = ?
  order by id
  on conflict (provider_key, original_id) do update set
    display_name = excluded.display_name, owned_by = excluded.owned_by, context_length = excluded.context_length,
    supports_images = excluded.supports_images, supports_embeddings = excluded.supports_embeddings,
    supports_reasoning = excluded.supports_reasoning, supports_audio = excluded.supports_audio,
    supports_video = excluded.supports_video, supports_tools = excluded.supports_tools,
    is_listed = true, updated_at = now()`

/** What a person has changed (`updated`) is left alone. */
const upsertEntries = `
  insert into models.catalog_entry
    (model_id, display_name, description, supported_parameters, architecture, tags, context_length, status,
     supports_images, supports_embeddings, supports_reasoning, supports_audio, supports_video, supports_tools,
     last_synced_at)
  select distinct on (id) id, listed.name, description, '{"names":[],"default":{}}'::json, '{}'::json, '[]'::json, context_length,
    case when coalesce(name, description) is null and context_length is null then 'init' else 'filled' end,
    images, embeddings, reasoning, audio, video, tools, now()
  from ${listed}
  order by id
  on conflict (model_id) do update set
    display_name = coalesce(excluded.display_name, catalog_entry.display_name),
    description = coalesce(excluded.description, catalog_entry.description),
    context_length = coalesce(excluded.context_length, catalog_entry.context_length),
    status = case when excluded.status = 'filled' then 'filled' else catalog_entry.status end,
    supports_images = coalesce(excluded.supports_images, catalog_entry.supports_images),
    supports_embeddings = coalesce(excluded.supports_embeddings, catalog_entry.supports_embeddings),
    supports_reasoning = coalesce(excluded.supports_reasoning, catalog_entry.supports_reasoning),
    supports_audio = coalesce(excluded.supports_audio, catalog_entry.supports_audio),
    supports_video = coalesce(excluded.supports_video, catalog_entry.supports_video),
    supports_tools = coalesce(excluded.supports_tools, catalog_entry.supports_tools),
    last_synced_at = now(), updated_at = now()
  where catalog_entry.status <> 'updated'`
