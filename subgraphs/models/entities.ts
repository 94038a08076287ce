import { defineEntity, p } from '@mikro-orm/postgresql'
import type { ProviderEndpointRow, ProviderSourceKind, SupportedParameters } from './catalogue/rows.ts'

const moment = () => p.datetime().columnType('timestamptz(3)')

const ProviderSchema = defineEntity({
  name: 'Provider',
  tableName: 'provider',
  properties: {
    key: p.bigint('string').primary().autoincrement(),
    publicId: p.text(),
    sourceKey: p.text(),
    source: p.text().$type<ProviderSourceKind>(),
    name: p.text(),
    vendor: p.text(),
    endpoints: p.json<ProviderEndpointRow[]>().columnType('json'),
    apiKeySealed: p.text().nullable(),
    apiKeyHint: p.text().nullable(),
    category: p.text(),
    metadata: p.json<Record<string, unknown>>().columnType('json'),
    isActive: p.boolean(),
    lastSyncedAt: moment().nullable(),
    createdAt: moment(),
    updatedAt: moment(),
  },
})

/** A provider's row. `sourceKey` says where it was configured, so that a restart finds it again. */
export class Provider extends ProviderSchema.class {}
ProviderSchema.setClass(Provider)

const ProviderModelSchema = defineEntity({
  name: 'ProviderModel',
  tableName: 'provider_model',
  properties: {
    key: p.bigint('string').primary().autoincrement(),
    publicId: p.text(),
    providerKey: p.bigint('string'),
    modelId: p.text(),
    originalId: p.text(),
    displayName: p.text(),
    ownedBy: p.text(),
    modelCreatedAt: moment(),
    category: p.text(),
    categoryOrder: p.integer(),
    modelOrder: p.integer(),
    pricing: p.json<unknown>().columnType('json').nullable(),
    contextLength: p.integer().nullable(),
    maxCompletionTokens: p.integer().nullable(),
    family: p.text().nullable(),
    supportsImages: p.boolean().nullable(),
    supportsEmbeddings: p.boolean().nullable(),
    supportsReasoning: p.boolean().nullable(),
    supportsAudio: p.boolean().nullable(),
    supportsVideo: p.boolean().nullable(),
    supportsTools: p.boolean().nullable(),
    instructModelId: p.text().nullable(),
    isActive: p.boolean(),
    isListed: p.boolean(),
    createdAt: moment(),
    updatedAt: moment(),
  },
})

/** What one provider offers: its own id of a model, and the id under which the platform offers it. */
export class ProviderModel extends ProviderModelSchema.class {}
ProviderModelSchema.setClass(ProviderModel)

const CatalogEntrySchema = defineEntity({
  name: 'CatalogEntry',
  tableName: 'catalog_entry',
  properties: {
    key: p.bigint('string').primary().autoincrement(),
    modelId: p.text(),
    displayName: p.text().nullable(),
    description: p.text().nullable(),
    supportedParameters: p.json<SupportedParameters>().columnType('json'),
    architecture: p.json<Record<string, unknown>>().columnType('json'),
    tags: p.json<string[]>().columnType('json'),
    notes: p.text().nullable(),
    contextLength: p.integer().nullable(),
    isModerated: p.boolean().nullable(),
    isActive: p.boolean(),
    extras: p.json<unknown>().columnType('json').nullable(),
    status: p.text().$type<'init' | 'filled' | 'updated'>(),
    family: p.text().nullable(),
    isExperimental: p.boolean(),
    requiresFeatureFlag: p.text().nullable(),
    supportsImages: p.boolean().nullable(),
    supportsEmbeddings: p.boolean().nullable(),
    supportsReasoning: p.boolean().nullable(),
    supportsInstruct: p.boolean().nullable(),
    supportsAudio: p.boolean().nullable(),
    supportsVideo: p.boolean().nullable(),
    supportsTools: p.boolean().nullable(),
    supportsBrowser: p.boolean().nullable(),
    lastSyncedAt: moment().nullable(),
    createdAt: moment(),
    updatedAt: moment(),
  },
})

/** What is known of a model, whoever offers it. */
export class CatalogEntry extends CatalogEntrySchema.class {}
CatalogEntrySchema.setClass(CatalogEntry)
