import {
  ConfigError,
  type Environment,
  type PlatformConfig,
  parseConfig,
  platformConfig,
} from '../platform/config.ts'
import type { Subgraph } from '../platform/subgraph.ts'

/** The whole configuration, checked: the platform's slice, and each subgraph's own under its name. */
export interface Settings {
  readonly platform: PlatformConfig
  readonly subgraphs: Readonly<Record<string, unknown>>
  readonly publicUrl: string
  /** Where `/v1/files` is found from outside. */
  readonly filesUrl: string
}

/** The embedded server takes 60 connections; some are for the instance lock, notifications and whoever looks at it. */
const embeddedPoolLimit = 50

/** The platform's own slice alone: enough to start PostgreSQL before the subgraphs are loaded. @throws ConfigError */
export function readPlatformSettings(environment: Environment): PlatformConfig {
  const platform = parseConfig(platformConfig, environment)
  if (platform.DATABASE_URL && !platform.JAN_SECRET) {
    throw new ConfigError(
      'JAN_SECRET: must be set together with DATABASE_URL, the same in every process (openssl rand -hex 32 makes one)',
    )
  }
  if (!platform.DATABASE_URL && platform.DATABASE_POOL_SIZE > embeddedPoolLimit) {
    throw new ConfigError(
      `DATABASE_POOL_SIZE: the embedded database serves at most ${embeddedPoolLimit}; set DATABASE_URL for more`,
    )
  }
  return platform
}

/**
 * Parses the slice of every subgraph that runs here, so that all of their broken variables are told of at once.
 * @throws ConfigError with a line for each
 */
export function loadSettings(environment: Environment, subgraphs: readonly Subgraph[]): Settings {
  const faults: string[] = []
  const attempt = <T>(parse: () => T): T | undefined => {
    try {
      return parse()
    } catch (error) {
      if (!(error instanceof ConfigError)) throw error
      faults.push(error.message)
      return undefined
    }
  }
  const platform = attempt(() => readPlatformSettings(environment))
  const own = subgraphs.map(
    ({ name, config }) => [name, attempt(() => parseConfig(config, environment))] as const,
  )
  if (!platform || faults.length > 0) throw new ConfigError(faults.join('\n'))
  const publicUrl = platform.PUBLIC_URL ?? `http://localhost:${platform.PORT}`
  const { MEDIA_LOCAL_STORAGE_BASE_URL, MEDIA_PUBLIC_URL } = platform
  return {
    platform,
    subgraphs: Object.fromEntries(own),
    publicUrl,
    filesUrl: MEDIA_LOCAL_STORAGE_BASE_URL ?? `${MEDIA_PUBLIC_URL ?? publicUrl}/v1/files`,
  }
}
