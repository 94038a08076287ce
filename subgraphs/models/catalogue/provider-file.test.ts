import { mkdtempSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, it } from '@jest/globals'
import { ConfigError, parseConfig } from '../../../platform/config.ts'
import { modelsConfig } from '../config.ts'
import { fileProviders } from './provider-file.ts'

const folder = mkdtempSync(join(tmpdir(), 'providers-'))

function read(yaml: string, environment: Record<string, string> = {}) {
  const file = join(folder, 'providers.yaml')
  writeFileSync(file, yaml)
  return fileProviders(parseConfig(modelsConfig, { JAN_PROVIDER_CONFIGS_FILE: file, ...environment }))
}

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
      { endpoints: [{ weight: 3 }, { weight: 1 }, { priority: 2 }] },
    ])
  })

  it('takes variables of the environment, which cannot change its structure', () => {
    // biome-ignore lint/suspicious/noTemplateCurlyInString: the file's own syntax
    const yaml = 'providers: { default: [{ name: A, base_url: "http://a/v1", api_key: "${KEY}" }] }'
    expect(read(yaml, { KEY: 'x", vendor: "y' })).toMatchObject([
      { apiKey: 'x", vendor: "y', vendor: 'custom' },
    ])
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
