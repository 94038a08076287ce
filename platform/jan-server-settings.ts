/** The environment that the process was started with, as one frozen record of strings. */
export type Environment = Readonly<Record<string, string | undefined>>

/** One of our settings that Jan Server's environment tells under another name (contract 8.11). */
interface OtherName {
  readonly own: string
  readonly other: string
  /** What ours would be; by default what theirs is. */
  readonly read?: (value: string, environment: Environment) => string
}

const otherNames: readonly OtherName[] = [
  { own: 'DATABASE_URL', other: 'DB_POSTGRESQL_WRITE_DSN' },
  { own: 'JAN_SECRET', other: 'MODEL_PROVIDER_SECRET' },
  { own: 'ISSUER', other: 'AUTH_ISSUER' },
  { own: 'ISSUER', other: 'KEYCLOAK_PUBLIC_URL', read: realm },
  { own: 'JWKS_URL', other: 'AUTH_JWKS_URL' },
  {
    own: 'OIDC_DISCOVERY_URL',
    other: 'KEYCLOAK_BASE_URL',
    read: (url, environment) => `${realm(url, environment)}/.well-known/openid-configuration`,
  },
]

/** All settings of Jan Server's that are read under their own names. */
export const readNames: readonly string[] = [...otherNames.map(({ other }) => other), 'KEYCLOAK_REALM']

function realm(url: string, { KEYCLOAK_REALM }: Environment): string {
  return `${url.replace(/\/+$/, '')}/realms/${KEYCLOAK_REALM ?? 'jan'}`
}

/** What Jan Server's services are told of one another; here they are one platform, and `SUBGRAPH_URLS` tells where its parts are. */
const links = [
  'LLM_API_BASE_URL',
  'MEDIA_INGEST_URL',
  'MEDIA_RESOLVE_TIMEOUT',
  'MEDIA_RESOLVE_URL',
  'MEMORY_BASE_URL',
  'MEMORY_TOOLS_URL',
  'RESPONSE_LLM_API_URL',
  'RESPONSE_MCP_TOOLS_URL',
]

const unread: Readonly<Record<string, string>> = {
  AUTH_ENABLED: 'callers are always asked who they are',
  BACKEND_CLIENT_ID: 'guests are users of the built-in issuer',
  BACKEND_CLIENT_SECRET: 'guests are users of the built-in issuer',
  DB_POSTGRESQL_READ1_DSN:
    'all is read from where it is written, so that nobody misses what they have just stored',
  DISABLE_ADMIN_AUTH:
    'administrators are always asked for; ADMIN_BYPASS=true opens their routes in development',
  ENABLE_ADMIN_AUTH:
    'administrators are always asked for; ADMIN_BYPASS=true opens their routes in development',
  GUEST_ROLE: 'the role of guests is guest',
  MEDIA_S3_URL_ENABLED: 'links into a bucket are always signed and end',
  ...Object.fromEntries(links.map((name) => [name, 'the services are parts of one platform; SUBGRAPH_URLS'])),
}

/** Takes settings by their other names where those by their own are not given. The first of several wins. */
export function underOwnNames(environment: Environment): Environment {
  const taken = otherNames.toReversed().flatMap((name) => {
    const value = environment[name.own] ?? givenAs(name, environment)
    return value === undefined ? [] : [[name.own, value] as const]
  })
  return { ...environment, ...Object.fromEntries(taken) }
}

/** A setting's name for whoever has set it: ours, and where it came by another that one too. */
export function nameAsGiven(own: string, environment: Environment): string {
  const name = otherNames.find(
    (name) => name.own === own && givenAs(name, environment) === environment[own] && environment[own],
  )
  return name ? `${own} (${name.other})` : own
}

/** A sentence for each setting of Jan Server's that is given and counts for nothing here. Never tells its value. */
export function unreadSettings(environment: Environment): string[] {
  return Object.entries(unread)
    .filter(([name]) => environment[name] !== undefined)
    .map(([name, reason]) => `${name} is not read: ${reason}`)
}

function givenAs({ other, read }: OtherName, environment: Environment): string | undefined {
  const value = environment[other]
  return value === undefined || !read ? value : read(value, environment)
}
