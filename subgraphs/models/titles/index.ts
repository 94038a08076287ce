export { TitleWriter } from './title-writer.ts'
export { withTitle } from './titled-turn.ts'
