import type { EntityManager, SubgraphDatabase } from '../../../platform/db.ts'
import { newId } from '../../../platform/ids.ts'
import { settingsChannel } from '../../../platform/settings-changes.ts'
import type { StoredSettings } from './values.ts'

/** A user's settings as they are stored. */
export interface SettingsRow {
  readonly id: string
  readonly userId: string
  readonly settings: StoredSettings
  readonly createdAt: string
  readonly updatedAt: string
}

/** The SQL of settings, narrowed to their user. */
export interface SettingsSource {
  /** Made when they are read first. */
  ofUser(userId: string): Promise<SettingsRow>
  /** Stores what `change` makes of what there is. Parallel changes wait for each other; who follows settings is told. */
  change(userId: string, change: (stored: StoredSettings) => StoredSettings): Promise<SettingsRow>
}

const columns = `
  public_id as id, user_id as "userId", settings, created_at as "createdAt", updated_at as "updatedAt"`

const settingsOfUser = `select ${columns} from accounts.user_settings where user_id = $1`

const make = `
  insert into accounts.user_settings (user_id, public_id, settings) values (?, ?, '{}'::json)
  on conflict (user_id) do nothing`

const lock = `select ${columns} from accounts.user_settings where user_id = ? for update`

const store = `
  update accounts.user_settings set settings = ?::json, updated_at = now() where user_id = ?
  returning ${columns}`

export function settingsSource(database: SubgraphDatabase): SettingsSource {
  const stored = async (userId: string): Promise<SettingsRow | undefined> => {
    const [row] = await database.prepared<SettingsRow>('settings_of_user', settingsOfUser, [userId])
    return row
  }
  return {
    async ofUser(userId) {
      const known = await stored(userId)
      if (known) return known
      await database.fork().execute(make, [userId, newId('settings')])
      return found(await stored(userId))
    },

    change(userId, change) {
      return database.fork().transactional(async (em) => {
        await em.execute(make, [userId, newId('settings')])
        const current = await one(em, lock, [userId])
        const changed = JSON.stringify(change(current.settings))
        const row = await one(em, store, [changed, userId])
        await em.execute('select pg_notify(?, ?)', [settingsChannel, userId])
        return row
      })
    },
  }
}

async function one(em: EntityManager, statement: string, values: readonly string[]): Promise<SettingsRow> {
  const [row] = await em.execute<SettingsRow[]>(statement, [...values])
  return found(row)
}

function found(row: SettingsRow | undefined): SettingsRow {
  if (!row) throw new Error('settings were made and are not there')
  return row
}
