import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
import { parse } from 'graphql'
import type { Actor } from '../../platform/actor.ts'
import { settingsChannel } from '../../platform/settings-changes.ts'
import { someActor, startTestGraph, type TestGraph } from '../../wiring/test.ts'

let test: TestGraph
beforeAll(async () => {
  test = await startTestGraph()
})
afterAll(() => test.stop())

interface Settings {
  readonly id: string
  readonly memoryConfig: Record<string, unknown>
  readonly profileSettings: Record<string, unknown>
  readonly preferences: Record<string, unknown>
}

async function run(text: string, variables: object, actor: Actor) {
  const { data, errors } = await test.graph.clients.execute({
    document: parse(text),
    variables: variables as Record<string, unknown>,
    context: test.contextFor(actor),
  })
  return { data: data as Record<string, Settings> | null, error: errors?.[0] }
}

/** Somebody who is known to accounts: settings belong to users that there are. */
async function someUser(): Promise<Actor> {
  const login = parse('mutation { guestLogin { user { id } } }')
  const context = test.contextFor(null)
  const { data } = await test.graph.clients.execute({ document: login, variables: {}, context })
  return someActor({ id: (data as { guestLogin: { user: { id: string } } }).guestLogin.user.id })
}

const all = `{
  id userId
  memoryConfig { enabled observeEnabled injectUserCore injectSemantic injectEpisodic maxUserItems maxProjectItems maxEpisodicItems minSimilarity }
  profileSettings { baseStyle customInstructions nickName occupation moreAboutYou }
  advancedSettings { webSearch codeEnabled }
  enableTrace enableTools preferences selectedModel serverCapabilities { imageGeneration }
}`
const read = async (actor: Actor): Promise<Settings> =>
  (await run(`{ userSettings ${all} }`, {}, actor)).data?.userSettings as Settings
const change = (input: object, actor: Actor) =>
  run(
    `mutation ($input: UpdateUserSettingsInput!) { updateUserSettings(input: $input) ${all} }`,
    { input },
    actor,
  )

describe('the settings of a user', () => {
  it('are the defaults when they are read first, and stay the same ones', async () => {
    const user = await someUser()
    const settings = await read(user)
    expect(settings).toEqual({
      id: expect.stringMatching(/^uset_[0-9a-z]{16}$/),
      userId: user.id,
      memoryConfig: {
        enabled: true,
        observeEnabled: true,
        injectUserCore: true,
        injectSemantic: true,
        injectEpisodic: false,
        maxUserItems: 3,
        maxProjectItems: 5,
        maxEpisodicItems: 3,
        minSimilarity: 0.75,
      },
      profileSettings: {
        baseStyle: 'FRIENDLY',
        customInstructions: '',
        nickName: '',
        occupation: '',
        moreAboutYou: '',
      },
      advancedSettings: { webSearch: false, codeEnabled: false },
      enableTrace: false,
      enableTools: true,
      preferences: {
        enable_deep_research: false,
        enable_thinking: true,
        enable_search: true,
        enable_browser: false,
      },
      selectedModel: 'jan-dev',
      serverCapabilities: { imageGeneration: true },
    })
    expect(await read(user)).toEqual(settings)
  })

  it('are merged field by field, and only what was set is stored', async () => {
    const user = await someUser()
    await change({ memoryConfig: { maxUserItems: 0, enabled: false } }, user)
    await change({ memoryConfig: { minSimilarity: 0 }, profileSettings: { nickName: 'Ada' } }, user)
    const settings = await read(user)
    expect(settings.memoryConfig).toMatchObject({
      enabled: false,
      maxUserItems: 0,
      minSimilarity: 0,
      maxProjectItems: 5,
      observeEnabled: true,
    })
    expect(settings.profileSettings).toMatchObject({ nickName: 'Ada', baseStyle: 'FRIENDLY' })
    const { rows } = await test.services.database.pool.query(
      'select settings from accounts.user_settings where user_id = $1',
      [user.id],
    )
    expect(rows[0].settings.memoryConfig).toEqual({ enabled: false, maxUserItems: 0, minSimilarity: 0 })
  })

  it('keep what a null stands for, groups and fields', async () => {
    const user = await someUser()
    await change({ enableTrace: true, profileSettings: { occupation: 'Baker' } }, user)
    const { data } = await change(
      { enableTrace: null, profileSettings: { occupation: null }, memoryConfig: null },
      user,
    )
    expect(data?.updateUserSettings).toMatchObject({
      enableTrace: true,
      profileSettings: { occupation: 'Baker' },
    })
  })

  it('merge preferences by key, keep those of clients, and give a default back for a null', async () => {
    const user = await someUser()
    await change(
      {
        preferences: {
          theme: { dark: false, font: 'Inter', size: 3 },
          enable_search: false,
          selected_model: 'm',
        },
      },
      user,
    )
    await change(
      { preferences: { theme: { dark: true, size: null }, enable_browser: true, enable_search: null } },
      user,
    )
    const { data } = await run('{ userSettings { preferences selectedModel } }', {}, user)
    expect(data?.userSettings).toEqual({
      preferences: {
        enable_deep_research: false,
        enable_thinking: true,
        enable_search: true,
        enable_browser: true,
        theme: { dark: true, font: 'Inter' },
        selected_model: 'm',
      },
      selectedModel: 'm',
    })
  })

  it('lose nothing where they are changed at the same time', async () => {
    const user = await someUser()
    const names = Array.from({ length: 12 }, (_, at) => `key_${at}`)
    await Promise.all(names.map((name) => change({ preferences: { [name]: true } }, user)))
    expect(Object.keys((await read(user)).preferences)).toEqual(expect.arrayContaining(names))
  })

  it('are made once where they are read first at the same time', async () => {
    const user = await someUser()
    const ids = await Promise.all(Array.from({ length: 8 }, async () => (await read(user)).id))
    expect(new Set(ids).size).toBe(1)
  })

  it.each([
    [{ memoryConfig: { maxUserItems: 21 } }, 'memory_config.max_user_items'],
    [{ memoryConfig: { maxUserItems: -1 } }, 'memory_config.max_user_items'],
    [{ memoryConfig: { maxProjectItems: 51 } }, 'memory_config.max_project_items'],
    [{ memoryConfig: { maxEpisodicItems: 21 } }, 'memory_config.max_episodic_items'],
    [{ memoryConfig: { minSimilarity: 1.01 } }, 'memory_config.min_similarity'],
    [{ profileSettings: { nickName: 'x'.repeat(256) } }, 'profile_settings.nick_name'],
    [{ profileSettings: { occupation: 'x'.repeat(256) } }, 'profile_settings.occupation'],
    [{ profileSettings: { moreAboutYou: '\u0000' } }, 'profile_settings.more_about_you'],
    [{ preferences: ['enable_search'] }, 'preferences'],
    [{ preferences: { enable_search: 'yes' } }, 'preferences.enable_search'],
    [{ preferences: { disable_modules: [1] } }, 'preferences.disable_modules'],
    [{ preferences: { selected_model: 7 } }, 'preferences.selected_model'],
    [{ preferences: { notes: 'x'.repeat(64 * 1024) } }, 'preferences'],
  ])('refuse %j, and stay as they are', async (input, param) => {
    const user = await someUser()
    const before = await read(user)
    const { error } = await change({ enableTrace: true, ...input }, user)
    expect(error?.extensions).toMatchObject({ code: 'invalid_parameter', param })
    expect(await read(user)).toEqual(before)
  })

  it('can’t be asked for by nobody', async () => {
    const context = test.contextFor(null)
    const { errors } = await test.graph.clients.execute({
      document: parse('{ userSettings { id } }'),
      variables: {},
      context,
    })
    expect(errors?.[0]?.extensions).toMatchObject({ code: 'missing_credentials' })
  })

  it('cost one statement to read', async () => {
    const user = await someUser()
    await read(user)
    test.takeStatements()
    await read(user)
    expect(test.takeStatements()).toHaveLength(1)
  })

  it('tell who follows them that they have changed', async () => {
    const user = await someUser()
    const heard: string[] = []
    const unfollow = test.services.notifications.follow(settingsChannel, (id) => heard.push(id))
    await test.services.notifications.caughtUp()
    await change({ enableTrace: true }, user)
    await test.services.notifications.caughtUp()
    unfollow()
    expect(heard).toEqual([user.id])
  })
})
