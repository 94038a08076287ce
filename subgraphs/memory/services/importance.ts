import type { MemoryImportance } from '../schema.generated.ts'

const levels: readonly MemoryImportance[] = ['LOW', 'MEDIUM', 'HIGH', 'CRITICAL']

/** Its place in the order of importance, as it is stored; `MEDIUM` where nobody said. */
export function importanceLevel(importance: MemoryImportance | null | undefined): number {
  return levels.indexOf(importance ?? 'MEDIUM')
}

export function importanceOf(level: number): MemoryImportance {
  return levels[level] ?? 'MEDIUM'
}
