/** `{{Name}}`, also as `{{ .Name }}`. */
const placeholder = /\{\{\s*\.?([A-Za-z]\w*)\s*\}\}/g

/**
 * A template's text with its variables filled in, once: what stands in a value is not read again. Unknown names stay as they
 * are. A variable that the text does not name is put at its end: what a user has set must not depend on the template.
 */
export function render(content: string, variables: Readonly<Record<string, string>>): string {
  const named = new Set<string>()
  const filled = content.replace(placeholder, (whole, name: string) => {
    if (!Object.hasOwn(variables, name)) return whole
    named.add(name)
    return variables[name] as string
  })
  const rest = Object.entries(variables).flatMap(([name, value]) => (named.has(name) ? [] : [value]))
  return [filled, ...rest].join('\n\n')
}
