import type { CatalogueService } from '../catalogue/service.ts'
import type { ImageService } from '../images/service.ts'

/** What of a user's settings the models know. */
export function settingsService(
  catalogue: CatalogueService,
  { isAvailable }: Pick<ImageService, 'isAvailable'>,
) {
  return {
    /** Contract 2.8: the one that was chosen, else the first that answers. */
    selectedModel(preferences: unknown): string | null {
      const { selected_model: chosen } = (preferences ?? {}) as { readonly selected_model?: unknown }
      return typeof chosen === 'string' ? chosen : (catalogue.all()[0]?.id ?? null)
    },

    serverCapabilities: () => ({ imageGeneration: isAvailable() }),
  }
}

/** The service of one request. */
export type SettingsService = ReturnType<typeof settingsService>
