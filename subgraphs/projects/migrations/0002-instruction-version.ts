import type { Migration } from '../../../platform/db.ts'

/** Counts the instructions that a project has had, so that a conversation can tell which of them it began under. */
export const instructionVersion: Migration = {
  name: '0002_instruction_version',
  sql: `alter table projects.project add column instruction_version integer not null default 1`,
}
