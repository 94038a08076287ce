import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
import { parse } from 'graphql'
import { createLogger } from '../../platform/log.ts'
import { someActor, startTestGraph, type TestGraph } from '../../wiring/test.ts'
import { modelsConfig } from './config.ts'
import { builtInTemplates, moduleKeys } from './prompts/built-in.ts'
import { openPrompts, type PromptsProcess } from './prompts/process.ts'
import { eventually } from './testing/caller.ts'

let test: TestGraph
/** The prompts of another process on the same database. */
let other: PromptsProcess
beforeAll(async () => {
  test = await startTestGraph()
  const { database, notifications } = test.services
  const attached = await database.attach({ name: 'models', entities: [], migrations: [] })
  const log = createLogger({ level: 'silent', format: 'json' })
  other = await openPrompts({ database: attached, notifications, log, settings: modelsConfig.parse({}) })
})
afterAll(async () => {
  await other.close()
  await test.stop()
})

const admin = someActor({ isAdmin: true, roles: ['admin'] })
const model = 'jan-dev'

interface Template {
  readonly id: string
  readonly templateKey: string
  readonly version: number
  readonly content: string
}

async function run(text: string, variables: object = {}, actor = admin) {
  const { data, errors } = await test.graph.clients.execute({
    document: parse(text),
    variables: variables as Record<string, unknown>,
    context: test.contextFor(actor),
  })
  return { data: data as Record<string, never> | null, extensions: errors?.[0]?.extensions }
}

const fields = '{ id templateKey name version content isActive isSystem variables }'
const create = async (changes: object = {}): Promise<Template> => {
  const input = {
    name: 'Mine',
    category: 'system',
    templateKey: `key_${Math.random().toString(36).slice(2)}`,
    content: 'Text.',
    ...changes,
  }
  const { data } = await run(
    `mutation ($input: CreatePromptTemplateInput!) { createPromptTemplate(input: $input) ${fields} }`,
    { input },
  )
  return (data as unknown as { createPromptTemplate: Template }).createPromptTemplate
}
const update = (input: object) =>
  run(`mutation ($input: UpdatePromptTemplateInput!) { updatePromptTemplate(input: $input) ${fields} }`, {
    input,
  })
const byKey = async (templateKey: string, actor = someActor()) => {
  const { data } = await run(
    `query ($key: String!) { activePromptTemplate(templateKey: $key) ${fields} }`,
    { key: templateKey },
    actor,
  )
  return (data as unknown as { activePromptTemplate: Template | null }).activePromptTemplate
}
const assign = (templateKey: string, templateId: string) =>
  run(
    'mutation ($input: AssignPromptTemplateInput!) { assignPromptTemplate(input: $input) { isNew assignment { id priority } } }',
    { input: { modelId: model, templateKey, templateId } },
  )
const unassign = (templateKey: string) =>
  run(
    'mutation ($m: ID!, $k: String!) { unassignPromptTemplate(modelId: $m, templateKey: $k) { modelId } }',
    { m: model, k: templateKey },
  )
const effective = async (templateKey: string) => {
  const { data } = await run(
    'query ($m: ID!) { effectivePromptTemplates(modelId: $m) { templateKey source content } }',
    { m: model },
  )
  const all = data?.effectivePromptTemplates as unknown as { templateKey: string }[]
  return all.find((one) => one.templateKey === templateKey)
}

describe('the templates of the platform', () => {
  it('are there, active, and can be read by anybody who is signed in', async () => {
    for (const key of moduleKeys) {
      expect(await byKey(key)).toMatchObject({
        templateKey: key,
        isActive: true,
        isSystem: true,
        version: 1,
        content: builtInTemplates[key].content,
      })
    }
  })

  it('can be changed and not be deleted', async () => {
    const template = (await byKey('chain_of_thought')) as Template
    const { data } = await update({ id: template.id, content: 'Think.' })
    expect(data?.updatePromptTemplate).toMatchObject({ version: 2, content: 'Think.' })
    const { extensions } = await run('mutation ($id: ID!) { deletePromptTemplate(id: $id) { id } }', {
      id: template.id,
    })
    expect(extensions).toMatchObject({ code: 'permission_denied' })
  })

  it('keep what an administrator has changed at the next start, and get a new release’s text otherwise', async () => {
    const changed = (await byKey('memory')) as Template
    await update({ id: changed.id, content: 'Changed {{Memory}}' })
    const { pool } = test.services.database
    await pool.query(
      "update models.prompt_template set content = 'of an old release' where template_key = 'timing'",
    )
    await other.templates.seed()
    expect(await byKey('memory')).toMatchObject({ content: 'Changed {{Memory}}', version: 2 })
    expect(await byKey('timing')).toMatchObject({ content: builtInTemplates.timing.content, version: 1 })
  })
})

describe('a template', () => {
  it('is found by its key while it is active', async () => {
    const template = await create({ templateKey: 'by-key_1' })
    expect(await byKey('by-key_1')).toMatchObject({ id: template.id, version: 1, isSystem: false })
    await update({ id: template.id, isActive: false })
    expect(await byKey('by-key_1')).toBeNull()
  })

  it('is refused where another has its key, also an inactive one', async () => {
    const template = await create({ templateKey: 'taken' })
    await update({ id: template.id, isActive: false })
    const { extensions } = await run(
      'mutation ($input: CreatePromptTemplateInput!) { createPromptTemplate(input: $input) { id } }',
      { input: { name: 'Twice', category: 'system', templateKey: 'taken', content: 'x' } },
    )
    expect(extensions).toMatchObject({ code: 'already_exists', param: 'template_key' })
  })

  it('counts its version up by each change, parallel ones too, and not where nothing is named', async () => {
    const { id } = await create()
    await Promise.all(['a', 'b', 'c', 'd'].map((content) => update({ id, content })))
    const { data } = await update({ id })
    expect(data?.updatePromptTemplate).toMatchObject({ version: 5 })
  })

  it('is copied under a key of its own', async () => {
    const { id, templateKey } = await create({ content: 'Copy me.', variables: ['A'] })
    const duplicate = (newName: string | null) =>
      run(`mutation ($id: ID!, $n: String) { duplicatePromptTemplate(id: $id, newName: $n) ${fields} }`, {
        id,
        n: newName,
      })
    const [one, two] = [await duplicate(null), await duplicate('Renamed')]
    expect(one.data?.duplicatePromptTemplate).toMatchObject({
      name: 'Mine (copy)',
      templateKey: expect.stringMatching(`^${templateKey}_copy_[0-9a-z]{6}$`),
      content: 'Copy me.',
      variables: ['A'],
      isSystem: false,
      version: 1,
    })
    expect(two.data?.duplicatePromptTemplate).toMatchObject({ name: 'Renamed' })
  })

  it.each([
    [{ name: ' ' }, 'name'],
    [{ name: 'x'.repeat(256) }, 'name'],
    [{ category: 'x'.repeat(101) }, 'category'],
    [{ templateKey: 'with space' }, 'template_key'],
    [{ templateKey: 'x'.repeat(101) }, 'template_key'],
    [{ content: '' }, 'content'],
    [{ metadata: [] }, 'metadata'],
    [{ variables: [''] }, 'variables'],
  ])('is refused with %j', async (changes, param) => {
    const input = { name: 'N', category: 'c', templateKey: 'refused', content: 'x', ...changes }
    const { extensions } = await run(
      'mutation ($input: CreatePromptTemplateInput!) { createPromptTemplate(input: $input) { id } }',
      { input },
    )
    expect(extensions).toMatchObject({ code: 'invalid_parameter', param })
  })

  it('is listed newest first, by filters and by a part of its texts, page by page', async () => {
    const made = [
      await create({ category: 'listed' }),
      await create({ category: 'listed', name: '50% off_' }),
    ]
    await create({ category: 'listed', name: '500 offers' })
    const list = async (args: string) => {
      const { data } = await run(
        `{ promptTemplates(${args}) { nodes { id name } totalCount pageInfo { hasNextPage endCursor } } }`,
      )
      return data?.promptTemplates as unknown as {
        nodes: { id: string; name: string }[]
        pageInfo: { endCursor: string; hasNextPage: boolean }
        totalCount: number
      }
    }
    const first = await list('category: "listed", first: 2')
    expect(first).toMatchObject({ totalCount: 3, pageInfo: { hasNextPage: true } })
    expect(first.nodes.map(({ name }) => name)).toEqual(['500 offers', '50% off_'])
    const rest = await list(`category: "listed", first: 2, after: "${first.pageInfo.endCursor}"`)
    expect(rest.nodes.map(({ id }) => id)).toEqual([made[0]?.id])
    expect(await list('search: "50% OFF_"')).toMatchObject({ totalCount: 1 })
    expect((await list('isSystem: true')).totalCount).toBe(moduleKeys.length)
  })
})

describe('administrators alone', () => {
  it.each([
    ['{ promptTemplates { totalCount } }'],
    ['{ promptTemplate(id: "x") { id } }'],
    ['{ modelPromptTemplates(modelId: "x") { id } }'],
    ['{ effectivePromptTemplates(modelId: "x") { content } }'],
    ['mutation { deletePromptTemplate(id: "x") { id } }'],
    ['mutation { duplicatePromptTemplate(id: "x") { id } }'],
    ['mutation { updatePromptTemplate(input: { id: "x", name: "" }) { id } }'],
    [
      'mutation { createPromptTemplate(input: { name: "", category: "", templateKey: "", content: "" }) { id } }',
    ],
    [
      'mutation { assignPromptTemplate(input: { modelId: "x", templateKey: "x", templateId: "x" }) { isNew } }',
    ],
    ['mutation { updateModelPromptTemplate(input: { modelId: "x", templateKey: "x" }) { id } }'],
    ['mutation { unassignPromptTemplate(modelId: "x", templateKey: "x") { modelId } }'],
  ])('may ask %s', async (operation) => {
    expect((await run(operation, {}, someActor())).extensions).toMatchObject({ code: 'admin_required' })
  })
})

describe('the text that holds for a key', () => {
  it('is the model’s own, else the active template, else the one that is built in', async () => {
    const key = 'code_assistant'
    const global = (await byKey(key)) as Template
    const own = await create({ content: 'For this model.' })
    expect(await effective(key)).toMatchObject({ source: 'GLOBAL_DEFAULT', content: global.content })
    expect((await assign(key, own.id)).data?.assignPromptTemplate).toMatchObject({ isNew: true })
    expect(await effective(key)).toMatchObject({ source: 'MODEL_SPECIFIC', content: 'For this model.' })
    await update({ id: own.id, isActive: false })
    expect(await effective(key)).toMatchObject({ source: 'GLOBAL_DEFAULT' })
    await update({ id: global.id, isActive: false })
    expect(await effective(key)).toMatchObject({
      source: 'HARDCODED',
      content: builtInTemplates.code_assistant.content,
    })
    await update({ id: own.id, isActive: true })
    expect(await effective(key)).toMatchObject({ source: 'MODEL_SPECIFIC' })
    await unassign(key)
    expect(await effective(key)).toMatchObject({ source: 'HARDCODED' })
    await update({ id: global.id, isActive: true })
  })

  it('is replaced by assigning again, and falls back when its template is deleted', async () => {
    const [one, two] = [await create({ content: 'One.' }), await create({ content: 'Two.' })]
    await assign('timing', one.id)
    expect((await assign('timing', two.id)).data?.assignPromptTemplate).toMatchObject({ isNew: false })
    expect(await effective('timing')).toMatchObject({ content: 'Two.' })
    await run('mutation ($id: ID!) { deletePromptTemplate(id: $id) { id } }', { id: two.id })
    expect(await effective('timing')).toMatchObject({ source: 'GLOBAL_DEFAULT' })
    expect((await unassign('timing')).extensions).toMatchObject({ code: 'not_found' })
  })

  it('changes with its assignment, field by field', async () => {
    const { id } = await create({ content: 'Assigned.' })
    await assign('user_profile', id)
    const change = (input: object) =>
      run(
        'mutation ($input: UpdateModelPromptTemplateInput!) { updateModelPromptTemplate(input: $input) { priority isActive template { id } } }',
        { input: { modelId: model, templateKey: 'user_profile', ...input } },
      )
    expect((await change({ priority: 3 })).data?.updateModelPromptTemplate).toEqual({
      priority: 3,
      isActive: true,
      template: { id },
    })
    await change({ isActive: false })
    expect(await effective('user_profile')).toMatchObject({ source: 'GLOBAL_DEFAULT' })
    expect((await change({ templateId: 'ptpl_0000000000000000' })).extensions).toMatchObject({
      code: 'not_found',
    })
    await unassign('user_profile')
  })

  it('can’t be assigned for a model or from a template that there is not', async () => {
    expect((await assign('timing', 'ptpl_0000000000000000')).extensions).toMatchObject({
      code: 'not_found',
      param: 'prompt_template_id',
    })
    const { extensions } = await run('{ effectivePromptTemplates(modelId: "no/such") { content } }')
    expect(extensions).toMatchObject({ code: 'model_not_found' })
  })

  it('reaches other processes', async () => {
    const { id } = await create({ content: 'Everywhere.' })
    await assign('deep_research', id)
    const read = async () => other.live.current.effective('deep_research', { id: model, aliasOf: null })
    expect(await eventually(read, ({ content }) => content === 'Everywhere.')).toMatchObject({
      origin: 'MODEL_SPECIFIC',
      content: 'Everywhere.',
    })
    await unassign('deep_research')
  })
})
