import { sendJsonDownload } from '../download.ts'
import { accountExport } from '../export/account-export.ts'
import { accountExportResource } from '../present/account-export.ts'
import { handlerRoute, type Route } from '../route.ts'

/** Everything that a user has, to take along. */
export const exportRoutes: readonly Route[] = [
  handlerRoute({
    method: 'get',
    path: '/v1/users/me/export',
    operationId: 'exportAccount',
    summary: 'Download all that is yours as one JSON file',
    description:
      'Your profile, settings, projects, conversations with every branch and item, shares, memories, media (with links to their bytes), usage records, sessions, and API keys without their secrets. An access token or an API key of yours will do. It is written as you read it: what you change meanwhile may be in it or not. A failure on the way cuts the connection, so that a file that ends properly is whole.',
    tag: 'Authentication',
    rate: { perMinute: 5, cost: 10 },
    handle({ context }, response) {
      const now = new Date()
      const filename = `jan-export-${now.toISOString().slice(0, 10)}.json`
      return sendJsonDownload(response, accountExport(context, now), filename)
    },
    response: accountExportResource,
  }),
]
