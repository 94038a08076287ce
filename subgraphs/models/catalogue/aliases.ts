import { isOpenToAll } from './access.ts'
import type { ListedModel } from './registry.ts'

/** Names that the API document uses throughout: they always answer (contract 2.5). */
const documentedNames = ['jan-v1-4b', 'jan-v2-30b']

/** Ids of models that do something else than chat, as far as their names tell. */
const otherPurposes =
  /embed|rerank|whisper|tts|dall-e|moderation|transcribe|realtime|davinci|babbage|sora|image|audio|ocr|guard/i

/**
 * Further names of models: those that are configured, and the documented ones where no model is called so. A documented
 * name means the configured target, else the first real chat model that is open to everybody, else the built-in one.
 * @param visible the models that are listed, in their order
 * @param answering all that answer to their name
 */
export function aliasesFor(
  visible: readonly ListedModel[],
  answering: readonly ListedModel[],
  configured: ReadonlyMap<string, string>,
): ListedModel[] {
  const byId = new Map(answering.map((model) => [model.id, model]))
  const names = new Set([...configured.keys(), ...documentedNames])
  return [...names].flatMap((name) => {
    if (byId.has(name)) return []
    const wanted = byId.get(configured.get(name) ?? '')
    const target = wanted ?? (documentedNames.includes(name) ? standIn(visible, answering) : undefined)
    return target ? [alias(name, target)] : []
  })
}

function standIn(
  visible: readonly ListedModel[],
  answering: readonly ListedModel[],
): ListedModel | undefined {
  const chats = (models: readonly ListedModel[]) =>
    models.filter((model) => isOpenToAll(model) && isForChats(model))
  const real = chats(visible).filter(({ isDevelopment }) => !isDevelopment)
  // What runs on this machine costs nothing.
  return real.find(isLocal) ?? real[0] ?? chats(answering)[0]
}

function isForChats({ id, capabilities }: ListedModel): boolean {
  return capabilities.embeddings !== true && !otherPurposes.test(id)
}

function isLocal({ offers }: ListedModel): boolean {
  return offers[0].provider.source === 'discovered'
}

function alias(name: string, target: ListedModel): ListedModel {
  return { ...target, id: name, displayName: `${name} (${target.displayName})`, aliasOf: target }
}
