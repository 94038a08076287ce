import { readFileSync } from 'node:fs'
import { z } from 'zod'
import { ConfigError } from '../../../platform/config.ts'
import type { ModelsConfig } from '../config.ts'
import { type ConfiguredProvider, singleEndpoint } from './configured-provider.ts'
import type { ProviderEndpointRow } from './rows.ts'

const variable = 'JAN_PROVIDER_CONFIGS_FILE'

const address = z.url({ protocol: /^https?$/, error: 'should be an http or https URL' })
const concurrency = z.number().int().min(0).optional()
const fileProvider = z.object({
  name: z.string().min(1),
  vendor: z.string().default('custom'),
  base_url: address.optional(),
  url: address.optional(),
  endpoints: z
    .array(
      z.object({
        url: address,
        weight: z.number().min(1).default(1),
        priority: z.number().min(0).default(1),
        max_concurrency: concurrency,
      }),
    )
    .optional(),
  max_concurrency: concurrency,
  api_key: z.string().nullish(),
  category: z.enum(['llm', 'image']).default('llm'),
  enabled: z.boolean().default(true),
  metadata: z.record(z.string(), z.unknown()).default({}),
  models: z.array(z.string()).default([]),
})
const providerFile = z.object({
  providers: z.record(z.string(), z.array(z.unknown()).nullable()),
  fallbacks: z.record(z.string(), z.array(z.string().min(1))).nullish(),
})

/** The file of providers (config/providers.example.yaml shows its form), as it was read. */
export interface ProviderFile {
  readonly path: string
  readonly file: z.output<typeof providerFile>
}

/**
 * Reads the file that is named; null where none is. `${NAME}` and `${NAME:-default}` in it stand for variables.
 * @throws ConfigError that names the variable and the place
 */
export async function readProviderFile(config: ModelsConfig): Promise<ProviderFile | null> {
  const path = config.JAN_PROVIDER_CONFIGS_FILE
  if (!config.JAN_PROVIDER_CONFIGS || path === undefined) return null
  return { path, file: checked(providerFile, await readYaml(path, config), path) }
}

/**
 * The providers of the chosen set of the file; one whose address comes out empty is left out.
 * @throws ConfigError as `readProviderFile`
 */
export function fileProviders(read: ProviderFile | null, config: ModelsConfig): ConfiguredProvider[] {
  if (!read) return []
  const { path, file } = read
  const set = file.providers[config.JAN_PROVIDER_CONFIG_SET]
  if (set === undefined) {
    throw new ConfigError(`${variable}: ${path} has no set '${config.JAN_PROVIDER_CONFIG_SET}'`)
  }
  return (set ?? []).flatMap((entry, index) =>
    configured(entry, `${path}: ${config.JAN_PROVIDER_CONFIG_SET}[${index}]`),
  )
}

/** By a model's id the models that may answer in its place: the file's, and over them those of `MODEL_FALLBACKS`. */
export function configuredFallbacks(
  read: ProviderFile | null,
  config: ModelsConfig,
): ReadonlyMap<string, readonly string[]> {
  const fromFile = Object.entries(read?.file.fallbacks ?? {})
  return new Map([...fromFile, ...config.MODEL_FALLBACKS])
}

function configured(entry: unknown, place: string): ConfiguredProvider[] {
  const provider = checked(fileProvider, withoutBlanks(entry), place)
  const url = provider.base_url ?? provider.url
  const endpoints = endpointsOf(
    provider.endpoints ?? (url === undefined ? [] : singleEndpoint(url)),
    provider,
  )
  if (!provider.enabled || endpoints.length === 0) return []
  return [
    {
      source: 'file',
      sourceKey: `file:${provider.name}`,
      name: provider.name,
      vendor: provider.vendor.toLowerCase(),
      endpoints,
      apiKey: provider.api_key ?? null,
      category: provider.category,
      metadata: provider.metadata,
      models: provider.models,
    },
  ]
}

/** An endpoint's own bound goes before the provider's, which is for each of its endpoints. */
function endpointsOf(
  endpoints: readonly (ProviderEndpointRow & { max_concurrency?: number | undefined })[],
  provider: z.output<typeof fileProvider>,
): ProviderEndpointRow[] {
  return endpoints.map(({ max_concurrency: own, ...endpoint }) => {
    const maxConcurrency = own ?? provider.max_concurrency
    return maxConcurrency === undefined ? endpoint : { ...endpoint, maxConcurrency }
  })
}

async function readYaml(path: string, config: ModelsConfig): Promise<unknown> {
  // most starts have no such file, and need none of the parser's seventy modules
  const { parse } = await import('yaml')
  try {
    return expanded(parse(readFileSync(path, 'utf8')), config)
  } catch (cause) {
    throw new ConfigError(`${variable}: ${path} could not be read: ${(cause as Error).message}`)
  }
}

/** Puts variables in place in every text, after parsing: a value can't change the file's structure. */
function expanded(value: unknown, environment: Readonly<Record<string, unknown>>): unknown {
  if (typeof value === 'string') {
    return value.replace(/\$\{([A-Z_a-z]\w*)(?::-([^}]*))?\}/g, (_, name: string, fallback = '') =>
      String(environment[name] ?? fallback),
    )
  }
  if (Array.isArray(value)) return value.map((entry) => expanded(entry, environment))
  if (typeof value !== 'object' || value === null) return value
  return Object.fromEntries(Object.entries(value).map(([key, entry]) => [key, expanded(entry, environment)]))
}

/** An unset variable leaves an empty text: that is no value. */
function withoutBlanks(entry: unknown): unknown {
  if (typeof entry !== 'object' || entry === null) return entry
  return Object.fromEntries(Object.entries(entry).filter(([, value]) => value !== ''))
}

function checked<Schema extends z.ZodType>(schema: Schema, value: unknown, place: string): z.output<Schema> {
  const result = schema.safeParse(value)
  if (result.success) return result.data
  const [issue] = result.error.issues
  throw new ConfigError(
    `${variable}: ${place} ${issue?.path.join('.') ?? ''}: ${issue?.message ?? 'is wrong'}`,
  )
}
