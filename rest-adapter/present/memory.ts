import { z } from 'zod'
import type { MemoryFieldsFragment, RecalledMemoryFieldsFragment } from '../operations.generated.ts'
import { unixSeconds } from '../shapes.ts'

/** How much a memory matters, on the wire. */
export const importance = z.enum(['low', 'medium', 'high', 'critical'])

/** What kind of fact of a project it is, on the wire. */
export const factKind = z.enum(['decision', 'requirement', 'constraint', 'context'])

/** What a memory is about, on the wire. */
export const memoryScope = z.enum(['core', 'preference', 'context', 'project', 'episode'])

const memoryFields = z.object({
  id: z.string(),
  object: z.literal('memory'),
  scope: memoryScope.describe(
    '`core`: who somebody is; `preference`; `context`: what they are busy with; `project`: a fact of a project; `episode`: what a conversation was about.',
  ),
  project_id: z.string().nullable(),
  kind: factKind.nullable().describe('Of facts of projects.'),
  key: z.string().describe('What it is about; of facts of projects their title.'),
  text: z.string(),
  importance,
  confidence: z.number().nullable(),
  conversation_id: z.string().nullable().describe('Where it was learned.'),
  created_at: z.number().int(),
  updated_at: z.number().int(),
})

/** A memory's example. */
export const exampleMemory: z.output<typeof memoryFields> = {
  id: 'mem_h3v8t0r5e2y6u1i9',
  object: 'memory',
  scope: 'preference',
  project_id: null,
  kind: null,
  key: 'tea',
  text: 'Drinks tea without sugar.',
  importance: 'medium',
  confidence: null,
  conversation_id: 'conv_b5n7m1q3w9e2r4t6',
  created_at: 1767225600,
  updated_at: 1767225600,
}

/** The schema of a memory. */
export const memoryResource = memoryFields.meta({ id: 'Memory', examples: [exampleMemory] })

const recalledFields = memoryFields.extend({
  similarity: z.number().describe('How well it fits, 0 to 1.'),
})

/** The schema of a memory that was looked for. */
export const recalledMemory = recalledFields.meta({
  id: 'RecalledMemory',
  examples: [{ ...exampleMemory, similarity: 0.82 }],
})

export function memoryJson(memory: MemoryFieldsFragment): z.output<typeof memoryResource> {
  return {
    id: memory.id,
    object: 'memory',
    scope: lower(memory.scope),
    project_id: memory.project?.id ?? null,
    kind: memory.kind && lower(memory.kind),
    key: memory.key,
    text: memory.text,
    importance: lower(memory.importance),
    confidence: memory.confidence,
    conversation_id: memory.conversation?.id ?? null,
    created_at: unixSeconds(memory.createdAt),
    updated_at: unixSeconds(memory.updatedAt),
  }
}

export function recalledJson({
  memory,
  similarity,
}: RecalledMemoryFieldsFragment): z.output<typeof recalledMemory> {
  return { ...memoryJson(memory), similarity }
}

/** A value of an enum of the graph, as the wire spells it. */
function lower<Value extends string>(value: Value): Lowercase<Value> {
  return value.toLowerCase() as Lowercase<Value>
}
