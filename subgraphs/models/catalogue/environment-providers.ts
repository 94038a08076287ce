import type { ModelsConfig } from '../config.ts'
import { type ConfiguredProvider, singleEndpoint } from './configured-provider.ts'

interface KnownService {
  readonly key: string
  readonly vendor: string
  readonly name: string
  readonly url: string | undefined
  readonly apiKey: string | undefined
}

/** The providers that the environment names: those with an address of their own, and known services with a key. */
export function environmentProviders(config: ModelsConfig): ConfiguredProvider[] {
  const llms = [...addressed(config), ...services(config)].flatMap((service) =>
    configured(service, 'llm', {}),
  )
  return [...llms, ...configured(images(config), 'image', imageDefaults)]
}

/** It is the one that is asked for images unless a request names another. */
const imageDefaults = { default_provider_image_generate: true, default_provider_image_edit: true }

function configured(
  { key, vendor, name, url, apiKey }: KnownService,
  category: ConfiguredProvider['category'],
  metadata: ConfiguredProvider['metadata'],
): ConfiguredProvider[] {
  if (url === undefined) return []
  return [
    {
      source: 'environment',
      sourceKey: `environment:${key}`,
      name,
      vendor,
      endpoints: singleEndpoint(url),
      apiKey: apiKey ?? null,
      category,
      metadata,
      models: [],
    },
  ]
}

function images(config: ModelsConfig): KnownService {
  return {
    key: 'images',
    vendor: 'custom',
    name: 'Images',
    url: withVersion(config.IMAGE_PROVIDER_URL),
    apiKey: config.IMAGE_PROVIDER_API_KEY,
  }
}

function addressed(config: ModelsConfig): KnownService[] {
  return [
    {
      key: 'vllm',
      vendor: 'vllm',
      name: 'vLLM',
      url: withVersion(config.VLLM_PROVIDER_URL),
      apiKey: config.VLLM_INTERNAL_KEY,
    },
    {
      key: 'remote',
      vendor: 'custom',
      name: 'Remote',
      url: withVersion(config.REMOTE_LLM_PROVIDER_URL),
      apiKey: config.REMOTE_API_KEY,
    },
  ]
}

/** A service counts as configured once its key is there. */
function services(config: ModelsConfig): KnownService[] {
  const service = (vendor: string, name: string, url: string, apiKey: string | undefined): KnownService => ({
    key: vendor,
    vendor,
    name,
    url: apiKey === undefined ? undefined : url,
    apiKey,
  })
  return [
    service('openai', 'OpenAI', config.OPENAI_BASE_URL ?? 'https://api.openai.com/v1', config.OPENAI_API_KEY),
    service('openrouter', 'OpenRouter', 'https://openrouter.ai/api/v1', config.OPENROUTER_API_KEY),
    service('groq', 'Groq', 'https://api.groq.com/openai/v1', config.GROQ_API_KEY),
    service('mistral', 'Mistral', 'https://api.mistral.ai/v1', config.MISTRAL_API_KEY),
    service(
      'google',
      'Google Gemini',
      'https://generativelanguage.googleapis.com/v1beta/openai',
      config.GEMINI_API_KEY,
    ),
    service('togetherai', 'Together AI', 'https://api.together.xyz/v1', config.TOGETHER_API_KEY),
    service('deepinfra', 'DeepInfra', 'https://api.deepinfra.com/v1/openai', config.DEEPINFRA_API_KEY),
    service('perplexity', 'Perplexity', 'https://api.perplexity.ai', config.PERPLEXITY_API_KEY),
  ]
}

/** An address without a path means the usual one. */
function withVersion(url: string | undefined): string | undefined {
  return url !== undefined && new URL(url).pathname === '/' ? `${url}/v1` : url
}
