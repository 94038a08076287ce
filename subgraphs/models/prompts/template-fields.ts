import { AppError } from '../../../platform/errors.ts'
import { optionalText, requiredText } from '../../../platform/text.ts'
import type { CreatePromptTemplateInput, UpdatePromptTemplateInput } from '../schema.generated.ts'
import type { PromptTemplateFields } from './rows.ts'

const keyShape = /^[A-Za-z0-9_-]{1,100}$/
const maxContentLength = 100_000
const maxDescriptionLength = 2_000
const maxVariables = 100
const maxVariableLength = 100
const maxMetadataLength = 64 * 1024

/** @throws AppError `invalid_parameter` */
export function templateKey(key: string): string {
  if (keyShape.test(key)) return key
  throw new AppError(
    'invalid_parameter',
    'template_key must be 1 to 100 letters, digits, underscores and hyphens.',
    { param: 'template_key' },
  )
}

/** @throws AppError `invalid_parameter` naming the wire's field */
export function templateName(name: string): string {
  return requiredText(name.trim(), { param: 'name', max: 255, singleLine: true })
}

/** The fields of a new template. @throws AppError `invalid_parameter` naming the wire's field */
export function newTemplateFields(input: CreatePromptTemplateInput): PromptTemplateFields {
  return {
    name: templateName(input.name),
    description: description(input.description),
    category: category(input.category),
    content: content(input.content),
    variables: variables(input.variables ?? []),
    metadata: metadata(input.metadata ?? {}),
    isActive: true,
  }
}

/** The fields that are named. @throws AppError `invalid_parameter` naming the wire's field */
export function changedTemplateFields(input: UpdatePromptTemplateInput): Partial<PromptTemplateFields> {
  return {
    ...(input.name == null ? {} : { name: templateName(input.name) }),
    ...(input.description === undefined ? {} : { description: description(input.description) }),
    ...(input.category == null ? {} : { category: category(input.category) }),
    ...(input.content == null ? {} : { content: content(input.content) }),
    ...(input.variables == null ? {} : { variables: variables(input.variables) }),
    ...(input.metadata == null ? {} : { metadata: metadata(input.metadata) }),
    ...(input.isActive == null ? {} : { isActive: input.isActive }),
  }
}

function description(text: string | null | undefined): string | null {
  return optionalText(text, { param: 'description', max: maxDescriptionLength })
}

function category(text: string): string {
  return requiredText(text.trim(), { param: 'category', max: 100, singleLine: true })
}

function content(text: string): string {
  return requiredText(text, { param: 'content', max: maxContentLength })
}

function variables(names: readonly string[]): string[] {
  const param = 'variables'
  if (names.length > maxVariables) {
    throw new AppError('invalid_parameter', `${param} must be at most ${maxVariables} names.`, { param })
  }
  return names.map((name) => requiredText(name, { param, max: maxVariableLength, singleLine: true }))
}

function metadata(value: unknown): Record<string, unknown> {
  const param = 'metadata'
  if (typeof value !== 'object' || value === null || Array.isArray(value))
    throw new AppError('invalid_parameter', `${param} must be an object.`, { param })
  if (JSON.stringify(value).length > maxMetadataLength) {
    throw new AppError(
      'invalid_parameter',
      `${param} must be at most ${maxMetadataLength} characters of JSON.`,
      {
        param,
      },
    )
  }
  return value as Record<string, unknown>
}
