import { z } from 'zod'
import { exampleMemory, factKind, importance, memoryResource, recalledMemory } from './memory.ts'

/** Whose memories are meant, where a service asks. */
export const userId = z
  .string()
  .nullish()
  .describe('May be left out; else your own id: other users are not found.')

/** What is looked for. */
export const loadBody = z.object({
  user_id: userId,
  query: z.string().describe('What is asked, in words.'),
  project_id: z.string().nullish().describe('The project whose facts are looked at.'),
  conversation_id: z.string().nullish().describe('The conversation that asks: it is not looked back at.'),
  options: z
    .object({
      augment_with_memory: z.boolean().nullish().describe('False finds nothing.'),
      max_user_items: z.int().nullish().describe('0 to 20; 3 unless given.'),
      max_project_items: z.int().nullish().describe('0 to 50; 5 unless given.'),
      max_episodic_items: z.int().nullish().describe('0 to 20; 3 unless given.'),
      min_similarity: z
        .number()
        .nullish()
        .describe('0 to 1; 0.75 unless given. `core` is told whatever is asked.'),
    })
    .nullish(),
})

/** What was found. */
export const loaded = z
  .object({
    core_memory: z.array(recalledMemory).describe('Of the person.'),
    episodic_memory: z.array(recalledMemory).describe('Of conversations.'),
    semantic_memory: z.array(recalledMemory).describe('Of the project.'),
  })
  .meta({
    examples: [
      {
        core_memory: [{ ...exampleMemory, similarity: 0.82 }],
        episodic_memory: [],
        semantic_memory: [],
      },
    ],
  })

/** Messages to learn from. */
export const observeBody = z.object({
  user_id: userId,
  conversation_id: z.string().describe('A conversation of yours.'),
  project_id: z.string().nullish().describe('The conversation’s own unless given.'),
  messages: z
    .array(z.object({ role: z.string(), content: z.string() }))
    .min(1, 'must not be empty')
    .describe('At most 100; 100,000 characters together.'),
  tool_calls: z.array(z.unknown()).nullish().describe('Tools that were called, in any form.'),
})

/** Whether they will be learned from. */
export const observed = z
  .object({
    status: z
      .enum(['accepted', 'disabled'])
      .describe('`disabled`: your settings (`memory_config`) do not let conversations be learned from.'),
  })
  .meta({ examples: [{ status: 'accepted' }] })

/** Something to remember of a person. */
export const userItem = z.object({
  scope: z.enum(['core', 'preference', 'context']),
  key: z.string().describe('1 to 120 characters. What has the same scope and key is replaced.'),
  text: z.string().describe('1 to 2,000 characters.'),
  importance: importance.nullish().describe('`medium` unless given.'),
})

/** Something to remember of a project. */
export const projectFact = z.object({
  kind: factKind,
  title: z.string().describe('1 to 120 characters. What has the same title is replaced.'),
  text: z.string().describe('1 to 2,000 characters.'),
  confidence: z.number().nullish().describe('0 to 1.'),
})

/** What was written. */
export const writtenIds = z
  .object({ ids: z.array(z.string()).describe('Of the memories, in the order in which they were given.') })
  .meta({ examples: [{ ids: [exampleMemory.id] }] })

/** How much is remembered. */
export const stats = z
  .object({
    total: z.number().int(),
    core: z.number().int(),
    preference: z.number().int(),
    context: z.number().int(),
    project: z.number().int(),
    episode: z.number().int(),
    embedded: z.number().int().describe('How many are found by what they mean.'),
    limit: z.number().int().describe('The most that you can have, episodes not counted.'),
  })
  .meta({
    examples: [
      { total: 3, core: 1, preference: 1, context: 0, project: 0, episode: 1, embedded: 3, limit: 1000 },
    ],
  })

/** All that is remembered. */
export const exported = z
  .object({ user_id: z.string(), exported_at: z.iso.datetime(), memories: z.array(memoryResource) })
  .meta({
    examples: [
      {
        user_id: '7912b317-c0b5-432d-8020-10e910b0aebb',
        exported_at: '2026-01-01T00:00:00.000Z',
        memories: [exampleMemory],
      },
    ],
  })
