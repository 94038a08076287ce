import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
import { parse } from 'graphql'
import { type FakeProvider, startFakeProvider } from '../../platform/testing/fake-provider.ts'
import { someActor, startTestGraph, type TestGraph } from '../../wiring/test.ts'
import { callerOf } from './testing/caller.ts'

let fake: FakeProvider
let test: TestGraph
const actor = someActor()
beforeAll(async () => {
  fake = await startFakeProvider()
  test = await startTestGraph({ VLLM_PROVIDER_URL: fake.url })
})
afterAll(async () => {
  await test.stop()
  await fake.close()
})

async function run<Result>(text: string, input: object): Promise<Result> {
  const { data, errors } = await test.graph.clients.execute({
    document: parse(text),
    variables: { input },
    context: test.contextFor(actor),
  })
  if (errors?.[0]) throw errors[0]
  return data as Result
}

interface Pinned {
  id: string
  instructionVersion: number | null
  effectiveInstructionSnapshot: string | null
}
const fields = '{ id instructionVersion effectiveInstructionSnapshot }'
const create = async (input: object) =>
  (
    await run<{ createConversation: Pinned }>(
      `mutation ($input: CreateConversationInput!) { createConversation(input: $input) ${fields} }`,
      input,
    )
  ).createConversation
const update = async (id: string, input: object) =>
  (
    await run<{ updateConversation: Pinned }>(
      `mutation ($input: UpdateConversationInput!) { updateConversation(input: $input) ${fields} }`,
      { id, ...input },
    )
  ).updateConversation

let named = 0
const project = async (instruction: string | null) => {
  named += 1
  return (
    await run<{ createProject: { id: string } }>(
      'mutation ($input: CreateProjectInput!) { createProject(input: $input) { id } }',
      { name: `Project ${named}`, instruction },
    )
  ).createProject.id
}
const instruct = (id: string, change: object) =>
  run<{ updateProject: { instructionVersion: number } }>(
    'mutation ($input: UpdateProjectInput!) { updateProject(input: $input) { instructionVersion } }',
    { id, ...change },
  )

/** What a completion in the conversation is told first. */
async function toldFirst(conversation: string): Promise<string> {
  const messages = [{ role: 'user', content: 'x' }]
  await callerOf(test, actor).complete({ model: 'fake-model', messages, conversation, store: false })
  const sent = fake.requests.at(-1)?.json?.messages as { role: string; content: string }[] | undefined
  const first = sent?.[0]
  return first?.role === 'system' ? first.content : 'nothing'
}

describe('the instruction of a project', () => {
  it('has a version that goes up when it changes, and a conversation tells the one that it came under', async () => {
    const projectId = await project('Latin')
    expect(await create({ projectId })).toMatchObject({
      instructionVersion: 1,
      effectiveInstructionSnapshot: null,
    })
    expect(await instruct(projectId, { instruction: 'Latin' })).toEqual({
      updateProject: { instructionVersion: 1 },
    })
    await instruct(projectId, { isFavorite: true })
    expect(await instruct(projectId, { instruction: 'Greek' })).toEqual({
      updateProject: { instructionVersion: 2 },
    })
    const { id, ...late } = await create({ projectId })
    expect(late).toEqual({ instructionVersion: 2, effectiveInstructionSnapshot: null })
    expect(await toldFirst(id)).toContain('Greek')
    expect(await update(id, { projectId: null })).toMatchObject({ instructionVersion: null })
    expect(await toldFirst(id)).toBe('nothing')
  })

  it('is kept where it is pinned, until it is let go', async () => {
    const projectId = await project('Latin')
    const { id, ...pinned } = await create({ projectId, pinInstruction: true })
    expect(pinned).toEqual({ instructionVersion: 1, effectiveInstructionSnapshot: 'Latin' })
    await instruct(projectId, { instruction: 'Greek' })
    expect(await toldFirst(id)).toContain('Latin')
    expect(await update(id, { pinInstruction: true })).toMatchObject({
      instructionVersion: 2,
      effectiveInstructionSnapshot: 'Greek',
    })
    await instruct(projectId, { instruction: 'Norse' })
    expect(await update(id, { title: 'Untouched' })).toMatchObject({ effectiveInstructionSnapshot: 'Greek' })
    expect(await toldFirst(id)).toContain('Greek')
    expect(await update(id, { pinInstruction: false })).toMatchObject({ effectiveInstructionSnapshot: null })
    expect(await toldFirst(id)).toContain('Norse')
    await update(id, { pinInstruction: true })
    expect(await update(id, { projectId: await project('Welsh') })).toMatchObject({
      instructionVersion: 1,
      effectiveInstructionSnapshot: null,
    })
    expect(await toldFirst(id)).toContain('Welsh')
  })

  it('can be pinned where there is none, and then there is none', async () => {
    const projectId = await project(null)
    const { id } = await create({ projectId, pinInstruction: true })
    await instruct(projectId, { instruction: 'Greek' })
    expect(await toldFirst(id)).toBe('nothing')
  })

  it('can not be pinned without a project', async () => {
    const refusal = { extensions: { code: 'invalid_parameter', param: 'pin_instruction' } }
    await expect(create({ pinInstruction: true })).rejects.toMatchObject(refusal)
    const { id } = await create({})
    await expect(update(id, { pinInstruction: true })).rejects.toMatchObject(refusal)
    expect(await update(id, { pinInstruction: false })).toMatchObject({ effectiveInstructionSnapshot: null })
  })
})
