import { existsSync, readFileSync } from 'node:fs'
import { isIP } from 'node:net'
import { parseEnv } from 'node:util'
import { z } from 'zod'
import { type AllowedHost, parseAllowedHost } from './guarded-fetch/allowed-hosts.ts'
import { type Environment, nameAsGiven, underOwnNames } from './jan-server-settings.ts'

/** A broken setting: its message names the variable and says what it should be. Ends the start. */
export class ConfigError extends Error {
  override name = 'ConfigError'
}

export type { Environment }

/** Reads `process.env` over `.env` of the working folder, if there is one. Empty values count as unset. */
export function readEnvironment(file = '.env'): Environment {
  const fromFile = existsSync(file) ? parseEnv(readFileSync(file, 'utf8')) : {}
  const merged = Object.entries({ ...fromFile, ...process.env }).filter(([, value]) => value !== '')
  return Object.freeze(underOwnNames(Object.fromEntries(merged)))
}

/** An owner's part of the configuration: a zod object whose keys are the names of environment variables. */
export type ConfigSlice = z.ZodObject

/**
 * Parses one owner's slice out of the environment.
 * @throws ConfigError that names every broken variable of the slice
 */
export function parseConfig<Slice extends ConfigSlice>(
  slice: Slice,
  environment: Environment,
): z.output<Slice> {
  const result = slice.safeParse(environment)
  if (result.success) return result.data
  const faults = result.error.issues.map(
    (issue) => `${nameAsGiven(issue.path.join('.'), environment)}: ${issue.message}`,
  )
  throw new ConfigError(faults.join('\n'))
}

/** `true`, `1`, `yes`, `on` and their opposites. */
export const flag = (fallback: boolean) =>
  z
    .string()
    .optional()
    .transform((value, issues) => {
      if (value === undefined) return fallback
      if (/^(true|1|yes|on)$/i.test(value)) return true
      if (/^(false|0|no|off)$/i.test(value)) return false
      issues.addIssue(`'${value}' should be true or false`)
      return z.NEVER
    })

/** The same, with no value while the variable is unset. */
export const optionalFlag = () =>
  z
    .string()
    .optional()
    .transform((value, issues) => {
      if (value === undefined) return undefined
      const parsed = flag(false).safeParse(value)
      if (parsed.success) return parsed.data
      issues.addIssue(`'${value}' should be true or false`)
      return z.NEVER
    })

const unitMs = { ms: 1, s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000 } as const

/** A span of time such as `300ms`, `30s`, `5m`, `2160h`; a bare number is seconds. The value is in milliseconds. */
export const duration = (fallback: string) =>
  z
    .string()
    .default(fallback)
    .transform((value, issues) => {
      const match = /^(\d+(?:\.\d+)?)(ms|s|m|h|d)?$/.exec(value)
      if (match) return Number(match[1]) * unitMs[(match[2] ?? 's') as keyof typeof unitMs]
      issues.addIssue(`'${value}' should be a span of time such as 30s, 5m or 2h`)
      return z.NEVER
    })

/** The same, with no value while the variable is unset. */
export const optionalDuration = () =>
  z
    .string()
    .optional()
    .transform((value, issues) => {
      if (value === undefined) return undefined
      const parsed = duration('0s').safeParse(value)
      if (parsed.success) return parsed.data
      issues.addIssue(`'${value}' should be a span of time such as 30s, 5m or 2h`)
      return z.NEVER
    })

/** A whole number within `min` and `max`. */
export const integer = (fallback: number, { min = 0, max = Number.MAX_SAFE_INTEGER } = {}) =>
  z
    .string()
    .default(String(fallback))
    .transform((value, issues) => {
      const number = Number(value)
      if (/^\d+$/.test(value) && number >= min && number <= max) return number
      issues.addIssue(`'${value}' should be a whole number from ${min} to ${max}`)
      return z.NEVER
    })

const port = (fallback: number) => integer(fallback, { min: 1, max: 65_535 })

/** An http or https URL, without a slash at its end. */
export const httpUrl = () =>
  z
    .string()
    .optional()
    .transform((value, issues) => {
      if (value === undefined) return undefined
      if (/^https?:$/.test(URL.parse(value)?.protocol ?? '')) return value.replace(/\/+$/, '')
      issues.addIssue(`'${value}' should be a URL that begins with http:// or https://`)
      return z.NEVER
    })

/** A comma-separated list; blanks around the entries do not count. */
export const list = () =>
  z
    .string()
    .default('')
    .transform((value) =>
      value
        .split(',')
        .map((entry) => entry.trim())
        .filter(Boolean),
    )

const proxyNames = new Set(['loopback', 'linklocal', 'uniquelocal'])

/** Addresses or networks of proxies, as `10.0.0.0/8`; `loopback`, `linklocal` and `uniquelocal` stand for theirs. */
const proxies = () =>
  list().transform((entries, issues) => {
    const broken = entries.find((entry) => !proxyNames.has(entry) && !isNetwork(entry))
    if (broken === undefined) return entries
    issues.addIssue(`'${broken}' should be an address or a network such as 10.0.0.0/8`)
    return z.NEVER
  })

function isNetwork(entry: string): boolean {
  const [address = '', bits] = entry.split('/')
  const version = isIP(address)
  if (version === 0) return false
  return bits === undefined || (/^\d{1,3}$/.test(bits) && Number(bits) <= (version === 4 ? 32 : 128))
}

/** Hosts, networks and ports that `OUTBOUND_ALLOW_HOSTS` opens. */
const allowedHosts = () =>
  list().transform((entries, issues) =>
    entries.flatMap((entry): AllowedHost[] => {
      const allowed = parseAllowedHost(entry)
      if (allowed) return [allowed]
      issues.addIssue(`'${entry}' should be a host, host:port or a network such as 10.0.0.0/8`)
      return []
    }),
  )

/** What every process reads, whichever part of the platform it runs. */
export const platformConfig = z.object({
  ENVIRONMENT: z
    .enum(['development', 'production', 'test'], 'should be development, production or test')
    .default('development'),
  HOST: z.string().default('127.0.0.1'),
  PORT: port(8000),
  PUBLIC_URL: httpUrl(),
  JAN_DATA_DIR: z.string().default('./data'),
  JAN_SECRET: z.string().min(16, 'should have at least 16 characters').optional(),
  DATABASE_URL: z
    .string()
    .regex(/^postgres(ql)?:\/\//, 'should be a PostgreSQL URL such as postgres://user:password@host:5432/jan')
    .optional(),
  DATABASE_POOL_SIZE: integer(10, { min: 2, max: 200 }),
  AUTO_MIGRATE: flag(true),
  LOG_LEVEL: z
    .enum(
      ['trace', 'debug', 'info', 'warn', 'error', 'fatal', 'silent'],
      'should be one of trace, debug, info, warn, error, fatal, silent',
    )
    .default('info'),
  LOG_FORMAT: z.enum(['json', 'pretty'], 'should be json or pretty').optional(),
  ENABLE_SWAGGER: flag(true),
  CORS_ALLOWED_ORIGINS: list(),
  MAX_BODY_BYTES: integer(32 * 1024 * 1024, { min: 1024 }),
  MEDIA_STORAGE_BACKEND: z.enum(['local', 's3'], 'should be local or s3').optional(),
  MEDIA_LOCAL_STORAGE_PATH: z.string().optional(),
  MEDIA_LOCAL_STORAGE_BASE_URL: httpUrl(),
  MEDIA_PUBLIC_URL: httpUrl(),
  MEDIA_S3_ENDPOINT: httpUrl(),
  MEDIA_S3_PUBLIC_ENDPOINT: httpUrl(),
  MEDIA_S3_REGION: z.string().default('us-east-1'),
  MEDIA_S3_BUCKET: z.string().optional(),
  MEDIA_S3_ACCESS_KEY_ID: z.string().optional(),
  MEDIA_S3_SECRET_ACCESS_KEY: z.string().optional(),
  MEDIA_S3_USE_PATH_STYLE: optionalFlag(),
  MEDIA_S3_CREATE_BUCKET: flag(false),
  MEDIA_PROXY_DOWNLOAD: flag(true),
  MEDIA_MAX_BYTES: integer(20 * 1024 * 1024, { min: 1 }),
  MEDIA_MAX_UPLOAD_BYTES: z
    .string()
    .regex(/^[1-9]\d{0,14}$/, 'should be a whole number of bytes')
    .optional()
    .transform((value) => (value === undefined ? undefined : Number(value))),
  TRUSTED_PROXIES: proxies(),
  OUTBOUND_ALLOW_HOSTS: allowedHosts(),
  PERSISTED_OPERATIONS_FILE: z.string().optional(),
  PERSISTED_OPERATIONS_ONLY: flag(false),
  SHUTDOWN_GRACE: duration('30s'),
  METRICS_PORT: z
    .string()
    .optional()
    .transform((value, issues) => {
      if (value === undefined) return undefined
      if (/^\d{1,5}$/.test(value) && Number(value) <= 65_535) return Number(value)
      issues.addIssue(`'${value}' should be a port, or 0 for none`)
      return z.NEVER
    }),
  METRICS_HOST: z.string().default('127.0.0.1'),
  OTEL_ENABLED: flag(false),
  OTEL_SERVICE_NAME: z.string().default('jan-graph'),
  OTEL_EXPORTER_OTLP_ENDPOINT: httpUrl().transform((url) => url ?? 'http://localhost:4318'),
  DIRECT_PORTS: flag(false),
  HTTP_PORT: port(8080),
  RESPONSE_API_PORT: port(8082),
  MEDIA_API_PORT: port(8285),
  MCP_TOOLS_HTTP_PORT: port(8091),
  MEMORY_TOOLS_HTTP_PORT: port(8090),
  MEMORY_TOOLS_API_KEY: z.string().min(16, 'should have at least 16 characters').optional(),
  RATE_LIMIT_PROFILE: z
    .enum(['off', 'documented', 'gateway'], 'should be off, documented or gateway')
    .optional(),
  RATE_LIMIT_TIER: z
    .enum(['free', 'starter', 'pro', 'enterprise'], 'should be one of free, starter, pro, enterprise')
    .default('pro'),
  GUEST_LOGINS_PER_HOUR: z
    .string()
    .regex(/^\d{1,9}$/, 'should be a whole number; 0 is no limit')
    .optional()
    .transform((value) => (value === undefined ? undefined : Number(value))),
})

/** The platform's own slice, parsed. */
export type PlatformConfig = z.output<typeof platformConfig>

/** The most bytes that one medium may have: `MEDIA_MAX_UPLOAD_BYTES`, its other name, wins where both are set. */
export function mediaMaxBytes({
  MEDIA_MAX_BYTES,
  MEDIA_MAX_UPLOAD_BYTES,
}: Pick<PlatformConfig, 'MEDIA_MAX_BYTES' | 'MEDIA_MAX_UPLOAD_BYTES'>): number {
  return MEDIA_MAX_UPLOAD_BYTES ?? MEDIA_MAX_BYTES
}
