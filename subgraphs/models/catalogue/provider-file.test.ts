import { mkdtempSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, it } from '@jest/globals'
import { ConfigError, parseConfig } from '../../../platform/config.ts'
import { type ModelsConfig, modelsConfig } from '../config.ts'
import { configuredFallbacks, fileProviders, readProviderFile } from './provider-file.ts'

const folder = mkdtempSync(join(tmpdir(), 'providers-'))

function configOf(yaml: string, environment: Record<string, string> = {}) {
  const file = join(folder, 'providers.yaml')
  writeFileSync(file, yaml)
  return parseConfig(modelsConfig, { JAN_PROVIDER_CONFIGS_FILE: file, ...environment })
}
const providersOf = async (config: ModelsConfig) => fileProviders(await readProviderFile(config), config)
const fallbacksOf = async (config: ModelsConfig) =>
  configuredFallbacks(await readProviderFile(config), config)
const read = (yaml: string, environment?: Record<string, string>) => providersOf(configOf(yaml, environment))

describe('the file of providers', () => {
  it('is the example that is shipped: its sets can be read', async () => {
    const example = join(import.meta.dirname, '../../../config/providers.example.yaml')
    const [own, cloud] = ['default', 'cloud'].map((JAN_PROVIDER_CONFIG_SET) =>
      providersOf(parseConfig(modelsConfig, { JAN_PROVIDER_CONFIGS_FILE: example, JAN_PROVIDER_CONFIG_SET })),
    )
    expect(await own).toMatchObject([
      { vendor: 'vllm', endpoints: [{ url: 'http://127.0.0.1:8101/v1' }], apiKey: null },
    ])
    expect(await cloud).toMatchObject([
      { name: 'OpenRouter' },
      { endpoints: [{ weight: 3 }, { weight: 1 }, { priority: 2, maxConcurrency: 64 }] },
    ])
    const config = parseConfig(modelsConfig, { JAN_PROVIDER_CONFIGS_FILE: example })
    expect((await fallbacksOf(config)).get('my-model')).toEqual(['my-smaller-model'])
  })

  it('takes variables of the environment, which cannot change its structure', async () => {
    // biome-ignore lint/suspicious/noTemplateCurlyInString: the file's own syntax
    const yaml = 'providers: { default: [{ name: A, base_url: "http://a/v1", api_key: "${KEY}" }] }'
    expect(await read(yaml, { KEY: 'x", vendor: "y' })).toMatchObject([
      { apiKey: 'x", vendor: "y', vendor: 'custom' },
    ])
  })

  it('bounds the calls at once of an endpoint, or of each endpoint of a provider', async () => {
    const endpoints = '[{ url: "http://a/v1", max_concurrency: 2 }, { url: "http://b/v1" }]'
    const provider = (more: string) => `providers: { default: [{ name: A, endpoints: ${endpoints}${more} }] }`
    const bounds = async (yaml: string) =>
      (await read(yaml)).flatMap((one) => one.endpoints.map(({ maxConcurrency }) => maxConcurrency))
    expect(await bounds(provider(''))).toEqual([2, undefined])
    expect(await bounds(provider(', max_concurrency: 8'))).toEqual([2, 8])
    expect(
      await bounds('providers: { default: [{ name: A, url: "http://a", max_concurrency: 0 }] }'),
    ).toEqual([0])
    await expect(read(provider(', max_concurrency: -1'))).rejects.toThrow(/default\[0\] max_concurrency/)
  })

  it('names models that may answer in the place of others; MODEL_FALLBACKS goes before it', async () => {
    const yaml = 'providers: { default: [] }\nfallbacks: { big: [medium, small], other: [one] }'
    expect(Object.fromEntries(await fallbacksOf(configOf(yaml)))).toEqual({
      big: ['medium', 'small'],
      other: ['one'],
    })
    const own = configOf(yaml, { MODEL_FALLBACKS: 'big=tiny, big=mini, mine=yours' })
    expect(Object.fromEntries(await fallbacksOf(own))).toEqual({
      big: ['tiny', 'mini'],
      other: ['one'],
      mine: ['yours'],
    })
    expect((await fallbacksOf(parseConfig(modelsConfig, {}))).size).toBe(0)
    await expect(fallbacksOf(configOf('providers: {}\nfallbacks: { big: 3 }'))).rejects.toThrow(
      /fallbacks.big/,
    )
  })

  it('is refused with the name of its variable and the place of the fault', async () => {
    await expect(read('providers: { other: [] }')).rejects.toThrow(
      /^JAN_PROVIDER_CONFIGS_FILE: .*no set 'default'/,
    )
    await expect(read('providers: { default: [{ vendor: x, url: "http://a" }] }')).rejects.toThrow(
      /default\[0\] name/,
    )
    await expect(read('providers: { default: [{ name: x, url: "ftp://a" }] }')).rejects.toThrow(ConfigError)
    await expect(read('{{{')).rejects.toThrow(ConfigError)
  })
})
