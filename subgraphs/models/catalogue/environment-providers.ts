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
  return [...addressed(config), ...services(config)].flatMap(({ key, vendor, name, url, apiKey }) =>
    url === undefined
      ? []
      : [
          {
            source: 'environment' as const,
            sourceKey: `environment:${key}`,
            name,
            vendor,
            endpoints: singleEndpoint(url),
            apiKey: apiKey ?? null,
            category: 'llm' as const,
            metadata: {},
            models: [],
          },
        ],
  )
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
