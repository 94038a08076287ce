import type { Request, Response } from 'express'
import { AppError, toAppError } from '../../platform/errors.ts'
import { isShareSlug } from '../../platform/ids.ts'
import { PublicShareDocument, PublicShareHeadDocument } from '../operations.generated.ts'
import { publicShare, publicShareJson } from '../present/public-share.ts'
import { type HandlerRoute, handlerRoute, type Route, type RouteInput } from '../route.ts'
import { failurePage, pagePolicy, sharePage } from '../share-page/share-page.ts'

/** Contract 2.11: a revoked link may be seen for five minutes more by whoever stands behind a cache. */
const cacheControl = 'public, max-age=300'

/** What a browser is told on a page; anything else is told in the envelope. */
const pageStatuses = new Set([400, 404, 410])

/** Browsers name HTML before everything else; programs that take anything get JSON. */
function prefersPage(request: Request): boolean {
  return request.accepts(['json', 'html']) === 'html'
}

/** @throws AppError `invalid_id` naming `slug` */
function slugOf({ params }: RouteInput): string {
  const slug = params.slug ?? ''
  if (isShareSlug(slug)) return slug
  throw new AppError('invalid_id', 'This is not the link of a share.', { param: 'slug' })
}

/** The graph's null as the 404 that it means. */
function existing<Share>(share: Share | null): Share {
  if (share !== null) return share
  throw new AppError('not_found', 'There is no such share.')
}

async function answer(input: RouteInput, response: Response, asPage: boolean): Promise<void> {
  const { request, context } = input
  const slug = slugOf(input)
  if (request.method === 'HEAD') {
    const found = await context.graph.execute(PublicShareHeadDocument, { slug }, context)
    existing(found.publicShare)
    response.setHeader('Cache-Control', cacheControl)
    response.type(asPage ? 'html' : 'json').end()
    return
  }
  const found = await context.graph.execute(PublicShareDocument, { slug }, context)
  const share = existing(found.publicShare)
  response.setHeader('Cache-Control', cacheControl)
  if (asPage) sendPage(response, 200, sharePage(share))
  else response.json(publicShareJson(share))
}

function sendPage(response: Response, status: number, html: string): void {
  response.setHeader('Content-Security-Policy', pagePolicy)
  response.status(status).type('html').send(html)
}

const linkRoute: Omit<HandlerRoute<unknown, unknown>, 'path' | 'operationId' | 'summary'> = {
  method: 'get',
  tag: 'Shares',
  access: 'public',
  rate: { name: 'public shares' },
  failures: ['share_revoked'],
  response: publicShare,
  async handle(input, response) {
    const asPage = prefersPage(input.request)
    response.vary('Accept')
    try {
      await answer(input, response, asPage)
    } catch (thrown) {
      const failure = toAppError(thrown)
      if (!asPage || !pageStatuses.has(failure.status)) throw thrown
      sendPage(response, failure.status, failurePage(failure))
    }
  },
}

/** Contract 2.11: what anybody may do who has a link. */
export const publicShareRoutes: readonly Route[] = [
  handlerRoute({
    ...linkRoute,
    path: '/v1/public/shares/:slug',
    operationId: 'getPublicShare',
    summary: 'Read what was shared by a link',
    description:
      'Needs no credential. Browsers, which ask for `text/html`, get a page to read. HEAD tells whether the link is open without counting as a view.',
  }),
  handlerRoute({
    ...linkRoute,
    path: '/v1/share/:slug',
    operationId: 'getShareByLink',
    summary: 'Another path of the same',
  }),
]
