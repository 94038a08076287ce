import { mkdtempSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, it } from '@jest/globals'
import { ConfigError, parseConfig } from '../../../platform/config.ts'
import { modelsConfig } from '../config.ts'
import { configuredFallbacks, fileProviders } from './provider-file.ts'

const folder = mkdtempSync(join(tmpdir(), 'providers-'))

function configOf(yaml: string, environment: Record<string, string> = {}) {
  const file = join(folder, 'providers.yaml')
  writeFileSync(file, yaml)
  return parseConfig(modelsConfig, { JAN_PROVIDER_CONFIGS_FILE: file, ...environment })
}
const read = (yaml: string, environment?: Record<string, string>) =>
  fileProviders(configOf(yaml, environment))

describe('the file of providers', () => {
  it('is the example that is shipped: its sets can be read', () => {
    const example = join(import.meta.dirname, '../../../config/providers.example.yaml')
    const sets = ['default', 'cloud'].map((JAN_PROVIDER_CONFIG_SET) =>
      fileProviders(
        parseConfig(modelsConfig, { JAN_PROVIDER_CONFIGS_FILE: example, JAN_PROVIDER_CONFIG_SET }),
      ),
    )
    expect(sets[0]).toMatchObject([
      { vendor: 'vllm', endpoints: [{ url: 'http://127.0.0.1:8101/v1' }], apiKey: null },
    ])
    expect(sets[1]).toMatchObject([
      { name: 'OpenRouter' },
      { endpoints: [{ weight: 3 }, { weight: 1 }, { priority: 2, maxConcurrency: 64 }] },
    ])
    const config = parseConfig(modelsConfig, { JAN_PROVIDER_CONFIGS_FILE: example })
    expect(configuredFallbacks(config).get('my-model')).toEqual(['my-smaller-model'])
  })

  it('takes variables of the environment, which cannot change its structure', () => {
    // biome-ignore lint/suspicious/noTemplateCurlyInString: the file's own syntax
    const yaml = 'providers: { default: [{ name: A, base_url: "http://a/v1", api_key: "${KEY}" }] }'
    expect(read(yaml, { KEY: 'x", vendor: "y' })).toMatchObject([
      { apiKey: 'x", vendor: "y', vendor: 'custom' },
    ])
  })

  it('bounds the calls at once of an endpoint, or of each endpoint of a provider', () => {
    const endpoints = '[{ url: "http://a/v1", max_concurrency: 2 }, { url: "http://b/v1" }]'
    const provider = (more: string) => `providers: { default: [{ name: A, endpoints: ${endpoints}${more} }] }`
    const bounds = (yaml: string) =>
      read(yaml).flatMap((one) => one.endpoints.map(({ maxConcurrency }) => maxConcurrency))
    expect(bounds(provider(''))).toEqual([2, undefined])
    expect(bounds(provider(', max_concurrency: 8'))).toEqual([2, 8])
    expect(bounds('providers: { default: [{ name: A, url: "http://a", max_concurrency: 0 }] }')).toEqual([0])
    expect(() => read(provider(', max_concurrency: -1'))).toThrow(/default\[0\] max_concurrency/)
  })

  it('names models that may answer in the place of others; MODEL_FALLBACKS goes before it', () => {
    const yaml = 'providers: { default: [] }\nfallbacks: { big: [medium, small], other: [one] }'
    expect(Object.fromEntries(configuredFallbacks(configOf(yaml)))).toEqual({
      big: ['medium', 'small'],
      other: ['one'],
    })
    const own = configOf(yaml, { MODEL_FALLBACKS: 'big=tiny, big=mini, mine=yours' })
    expect(Object.fromEntries(configuredFallbacks(own))).toEqual({
      big: ['tiny', 'mini'],
      other: ['one'],
      mine: ['yours'],
    })
    expect(configuredFallbacks(parseConfig(modelsConfig, {})).size).toBe(0)
    expect(() => configuredFallbacks(configOf('providers: {}\nfallbacks: { big: 3 }'))).toThrow(
      /fallbacks.big/,
    )
  })

  it('is refused with the name of its variable and the place of the fault', () => {
    expect(() => read('providers: { other: [] }')).toThrow(/^JAN_PROVIDER_CONFIGS_FILE: .*no set 'default'/)
    expect(() => read('providers: { default: [{ vendor: x, url: "http://a" }] }')).toThrow(
      /default\[0\] name/,
    )
    expect(() => read('providers: { default: [{ name: x, url: "ftp://a" }] }')).toThrow(ConfigError)
    expect(() => read('{{{')).toThrow(ConfigError)
  })
})
