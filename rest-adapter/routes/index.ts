import type { Route } from '../route.ts'
import { accountRoutes } from './account.ts'
import { apiKeyRoutes } from './api-keys.ts'
import { authRoutes } from './auth.ts'
import { branchRoutes } from './branches.ts'
import { chatRoutes } from './chat.ts'
import { conversationRoutes } from './conversations.ts'
import { embeddingRoutes } from './embeddings.ts'
import { exportRoutes } from './export.ts'
import { fileRoutes } from './files.ts'
import { imageRoutes } from './images.ts'
import { itemReportRoutes } from './item-reports.ts'
import { itemRoutes } from './items.ts'
import { mediaRoutes } from './media.ts'
import { mediaFileRoutes } from './media-files.ts'
import { memoryRoutes } from './memory.ts'
import { modelPromptRoutes } from './model-prompts.ts'
import { modelRoutes } from './models.ts'
import { projectRoutes } from './projects.ts'
import { promptRoutes } from './prompts.ts'
import { publicShareRoutes } from './public-shares.ts'
import { regenerationRoutes } from './regenerations.ts'
import { settingsRoutes } from './settings.ts'
import { shareRoutes } from './shares.ts'
import { versionRoutes } from './version.ts'
import { wellKnownRoutes } from './well-known.ts'

/** Every route of the graph's REST face. The OpenAPI document is made from this list. */
export const routes: readonly Route[] = [
  ...chatRoutes,
  ...modelRoutes,
  ...embeddingRoutes,
  ...imageRoutes,
  ...authRoutes,
  ...accountRoutes,
  ...exportRoutes,
  ...apiKeyRoutes,
  ...settingsRoutes,
  ...promptRoutes,
  ...modelPromptRoutes,
  ...wellKnownRoutes,
  ...versionRoutes,
  ...projectRoutes,
  ...conversationRoutes,
  ...itemReportRoutes,
  ...itemRoutes,
  ...shareRoutes,
  ...publicShareRoutes,
  ...regenerationRoutes,
  ...branchRoutes,
  ...memoryRoutes,
  ...mediaRoutes,
  ...mediaFileRoutes,
  ...fileRoutes,
]
