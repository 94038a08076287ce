import { z } from 'zod'
import type { ExportProfileQuery } from '../operations.generated.ts'
import { exampleMeta, metaSchema, unixSeconds } from '../shapes.ts'
import { exampleKey, keyResource } from './api-key.ts'
import { branchResource, exampleBranch } from './branch.ts'
import { conversationResource, exampleConversation } from './conversation.ts'
import { exampleItem, itemResource } from './item.ts'
import { exampleMedia, mediaResource } from './media.ts'
import { exampleMemory, memoryResource } from './memory.ts'
import { exampleProject, projectResource } from './project.ts'
import { exampleSession, sessionResource } from './session.ts'
import { exampleShare, shareResource } from './share.ts'
import { exampleUsage, usageResource } from './usage-record.ts'
import { exampleSettings, settingsResource } from './user-settings.ts'

const profileFields = z.object({
  id: z.string(),
  username: z.string().nullable(),
  email: z.string().nullable(),
  email_verified: z.boolean(),
  name: z.string().nullable(),
  picture: z.string().nullable(),
  roles: z.array(z.enum(['admin', 'user', 'guest'])),
  groups: z.array(z.string()),
  is_guest: z.boolean(),
  is_admin: z.boolean(),
  feature_flags: z.array(z.string()),
  created_at: z.number().int(),
  updated_at: z.number().int(),
})

const exampleProfile: z.output<typeof profileFields> = {
  id: '7912b317-c0b5-432d-8020-10e910b0aebb',
  username: 'ada',
  email: 'ada@example.com',
  email_verified: true,
  name: 'Ada Lovelace',
  picture: null,
  roles: ['user'],
  groups: [],
  is_guest: false,
  is_admin: false,
  feature_flags: [],
  created_at: 1767225600,
  updated_at: 1767225600,
}

const exportedBranch = branchResource
  .extend({ items: z.array(itemResource).describe('All of them, oldest first.') })
  .meta({ id: 'ExportedBranch', examples: [{ ...exampleBranch, items: [exampleItem] }] })

const exportedConversation = conversationResource
  .extend({ branches: z.array(exportedBranch).describe('All of them, `MAIN` first.') })
  .meta({
    id: 'ExportedConversation',
    examples: [{ ...exampleConversation, branches: [{ ...exampleBranch, items: [exampleItem] }] }],
  })

/** All that a user has, in one document. */
export const accountExportResource = z
  .object({
    object: z.literal('user.export'),
    exported_at: z.number().int().describe('When it was begun, in unix seconds.'),
    meta: metaSchema,
    user: profileFields,
    settings: settingsResource,
    api_keys: z.array(keyResource).describe('Without their secrets.'),
    sessions: z.array(sessionResource).describe('Oldest first, without their tokens.'),
    projects: z.array(projectResource).describe('Oldest first.'),
    shares: z.array(shareResource).describe('Oldest first, revoked ones too, also where sharing is off.'),
    memories: z.array(memoryResource).describe('Oldest first, those of projects too.'),
    media: z.array(mediaResource).describe('Oldest first, with links to their bytes that work for a while.'),
    usage: z.array(usageResource).describe('What each request to a model has used, oldest first.'),
    conversations: z.array(exportedConversation).describe('Oldest first, archived ones too.'),
  })
  .meta({
    id: 'AccountExport',
    examples: [
      {
        object: 'user.export',
        exported_at: 1767229200,
        meta: exampleMeta,
        user: exampleProfile,
        settings: exampleSettings,
        api_keys: [exampleKey],
        sessions: [exampleSession],
        projects: [exampleProject],
        shares: [exampleShare],
        memories: [exampleMemory],
        media: [exampleMedia],
        usage: [exampleUsage],
        conversations: [
          {
            ...exampleConversation,
            branches: [{ ...exampleBranch, items: [exampleItem] }],
          },
        ],
      },
    ],
  })

export function profileJson(user: ExportProfileQuery['me']): z.output<typeof profileFields> {
  return {
    id: user.id,
    username: user.username,
    email: user.email,
    email_verified: user.emailVerified,
    name: user.name,
    picture: user.picture,
    roles: user.roles.map((role) => role.toLowerCase() as Lowercase<typeof role>),
    groups: [...user.groups],
    is_guest: user.isGuest,
    is_admin: user.isAdmin,
    feature_flags: [...user.featureFlags],
    created_at: unixSeconds(user.createdAt),
    updated_at: unixSeconds(user.updatedAt),
  }
}
