import { z } from 'zod'
import { duration, flag, httpUrl, integer, list, optionalDuration } from '../../platform/config.ts'
import { imageSizes } from '../../platform/openai/image-request.ts'

const secret = () => z.string().optional()

/** `name=target` pairs. */
const pairs = () =>
  list().transform((entries, issues) => {
    const pairs = entries.map((entry) => entry.split('=').map((side) => side.trim()))
    const broken = pairs.findIndex(([name, target, ...rest]) => !name || !target || rest.length > 0)
    if (broken === -1) return pairs as [string, string][]
    issues.addIssue(`'${entries[broken]}' should be a pair such as jan-v1-4b=llama3.2`)
    return z.NEVER
  })

/** One target for a name: of several the last. */
const aliases = () => pairs().transform((entries) => new Map(entries))

/** All targets of a name, in their order. */
const fallbacks = () =>
  pairs().transform((entries) => {
    const byName = Map.groupBy(entries, ([name]) => name)
    return new Map([...byName].map(([name, own]) => [name, own.map(([, target]) => target)]))
  })

/** Addresses of runtimes, as `http://127.0.0.1:11434/v1`. */
const addresses = () =>
  list().transform((urls, issues) => {
    const broken = urls.find((url) => !/^https?:$/.test(URL.parse(url)?.protocol ?? ''))
    if (broken === undefined) return urls
    issues.addIssue(`'${broken}' should be a URL that begins with http:// or https://`)
    return z.NEVER
  })

/**
 * Contract 8.11, providers. Loose, because the file of providers may name any variable of the environment as
 * `${NAME:-default}`.
 */
export const modelsConfig = z.looseObject({
  VLLM_PROVIDER_URL: httpUrl(),
  VLLM_INTERNAL_KEY: secret(),
  REMOTE_LLM_PROVIDER_URL: httpUrl(),
  REMOTE_API_KEY: secret(),
  OPENAI_API_KEY: secret(),
  OPENAI_BASE_URL: httpUrl(),
  OPENROUTER_API_KEY: secret(),
  GROQ_API_KEY: secret(),
  MISTRAL_API_KEY: secret(),
  GEMINI_API_KEY: secret(),
  TOGETHER_API_KEY: secret(),
  DEEPINFRA_API_KEY: secret(),
  PERPLEXITY_API_KEY: secret(),
  JAN_PROVIDER_CONFIGS: flag(true),
  JAN_PROVIDER_CONFIGS_FILE: z.string().optional(),
  JAN_PROVIDER_CONFIG_SET: z.string().default('default'),
  MODEL_SYNC_ENABLED: flag(true),
  MODEL_SYNC_INTERVAL_MINUTES: integer(60, { min: 1, max: 10_080 }),
  MODEL_DISCOVERY: flag(true),
  MODEL_DISCOVERY_URLS: addresses(),
  MODEL_DISCOVERY_INTERVAL_SECONDS: integer(30, { min: 1, max: 86_400 }),
  MODEL_ALIASES: aliases(),
  MODEL_FALLBACKS: fallbacks(),
  CONVERSATION_TITLE_GENERATION_ENABLED: flag(false),
  CONVERSATION_TITLE_GENERATION_MODEL_ID: z.string().default('LFM2-8B-A1B'),
  IMAGE_PROVIDER_URL: httpUrl(),
  IMAGE_PROVIDER_API_KEY: secret(),
  IMAGE_GENERATION_ENABLED: flag(true),
  IMAGE_GENERATION_TIMEOUT: duration('120s'),
  IMAGE_DEFAULT_MODEL: z.string().default('z-image'),
  IMAGE_DEFAULT_SIZE: z.enum(imageSizes, `should be one of ${imageSizes.join(', ')}`).default('1024x1024'),
  IMAGE_MAX_N: integer(4, { min: 1, max: 10 }),
  DEVELOPMENT_MODEL: z
    .enum(['true', 'false'], 'should be true or false')
    .optional()
    .transform((value) => (value === undefined ? undefined : value === 'true')),
  DEVELOPMENT_MODEL_CHUNK_DELAY_MS: integer(0, { max: 10_000 }),
  HTTP_TIMEOUT: optionalDuration(),
  STREAM_TIMEOUT: optionalDuration(),
  STREAM_IDLE_TIMEOUT: optionalDuration(),
  PROVIDER_CONNECT_TIMEOUT: duration('5s'),
  PROVIDER_MAX_RETRIES: integer(2, { max: 10 }),
  PROVIDER_MAX_CONCURRENCY: integer(1_000, { max: 100_000 }),
  PROVIDER_QUEUE_LENGTH: integer(200, { max: 100_000 }),
  PROVIDER_QUEUE_TIMEOUT: duration('30s'),
  PROVIDER_BREAKER_FAULTS: integer(5, { max: 1_000 }),
  PROVIDER_BREAKER_COOLDOWN: duration('10s'),
  MEMORY_ENABLED: flag(false),
  MEMORY_EMBEDDING_MODEL_ID: z.string().default(''),
  MEMORY_EXTRACTION_MODEL_ID: z.string().default(''),
  MEMORY_TIMEOUT: duration('5s'),
  PROMPT_ORCHESTRATION_ENABLED: flag(false),
  PROMPT_ORCHESTRATION_MEMORY: flag(false),
  PROMPT_ORCHESTRATION_TEMPLATES: flag(false),
  PROMPT_ORCHESTRATION_TOOLS: flag(false),
})

/** The subgraph's settings, parsed. */
export type ModelsConfig = z.output<typeof modelsConfig>
