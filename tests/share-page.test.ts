import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
import type { Browser, Page } from 'playwright-core'
import { chromiumPath, launchChromium } from './chromium.ts'
import { guest, send, type TestClient } from './client.ts'
import { everyFeature, type SharedServer, sharedTestServer } from './shared-server.ts'

/** What browsers send. */
const browserAccept =
  'text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,image/webp,image/apng,*/*;q=0.8'

const hostile = [
  '<script>document.title = "taken"</script><img src=x onerror="document.title = \'taken\'">',
  '</title></style></script><svg onload="document.title = \'taken\'">',
  '"><a href="javascript:document.title = \'taken\'">click me</a>',
  '[click me](javascript:document.title)',
  '\u202eevil\u202c <iframe srcdoc="<script>parent.document.title = \'taken\'</script>"></iframe>',
  '```\n</code></pre><script>document.title = "taken"</script>\n```\nline one\nline two',
  '<style>body { display: none }</style><meta http-equiv="refresh" content="0;url=https://example.com">',
].join('\n\n')

const pixel =
  'data:image/png;base64,iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=='

let server: SharedServer
let client: TestClient
let url: string
let revoked: string
beforeAll(async () => {
  server = await sharedTestServer(everyFeature)
  client = await guest(server)
  const share = async () => {
    const { id } = (await client.post('/v1/conversations', {})).json<{ id: string }>()
    await client.post(`/v1/conversations/${id}/items`, {
      items: [
        {
          role: 'user',
          content: [
            { type: 'input_text', text: hostile },
            { type: 'image', image: { url: pixel } },
            { type: 'image', image: { url: 'https://example.com/track.png' } },
          ],
        },
        { role: 'assistant', content: hostile },
      ],
    })
    const answer = await client.post(`/v1/conversations/${id}/share`, { include_images: true })
    return answer.json<{ id: string; share_url: string; title: string }>()
  }
  url = (await share()).share_url
  const other = await share()
  await client.delete(`/v1/shares/${other.id}`)
  revoked = other.share_url
}, 60_000)

const asBrowser = (target: string, accept = browserAccept) => send(target, { headers: { accept } })

describe('a share’s link', () => {
  it.each([browserAccept, 'text/html', 'text/html, application/json;q=0.9', 'text/*'])(
    'is a page where HTML is preferred: %s',
    async (accept) => {
      const page = await asBrowser(url, accept)
      expect(page.status).toBe(200)
      expect(page.headers.get('content-type')).toBe('text/html; charset=utf-8')
      expect(page.headers.get('vary')).toContain('Accept')
      expect(page.headers.get('cache-control')).toBe('public, max-age=300')
      expect(page.headers.get('x-content-type-options')).toBe('nosniff')
      expect(page.headers.get('referrer-policy')).toBe('no-referrer')
      expect(page.headers.get('content-security-policy')).toContain("default-src 'none'")
    },
  )

  it.each([
    '*/*',
    'application/json',
    'application/json, text/html',
    'image/png',
    '',
    'text/html;q=0.1, */*',
  ])('is JSON otherwise: %s', async (accept) => {
    const answer = await asBrowser(url, accept)
    expect(answer.json()).toMatchObject({ object: 'public_share' })
    expect(answer.headers.get('vary')).toContain('Accept')
  })

  it('tells browsers of failures on a page, with the status', async () => {
    const base = `${server.url}/v1/public/shares`
    for (const [target, status] of [
      [revoked, 410],
      [`${base}/${'a'.repeat(22)}`, 404],
      [`${base}/${encodeURIComponent('<script>')}`, 400],
    ] as const) {
      const page = await asBrowser(target)
      expect({ status: page.status, type: page.headers.get('content-type') }).toEqual({
        status,
        type: 'text/html; charset=utf-8',
      })
      expect(page.headers.get('content-security-policy')).toContain("default-src 'none'")
      expect(page.headers.get('cache-control')).toBeNull()
      expect(page.text).not.toContain('<script')
    }
  })
})

const describeInBrowser = chromiumPath === null ? describe.skip : describe

describeInBrowser(
  'a share in a browser (skipped where there is no Chromium: CHROMIUM_PATH names one)',
  () => {
    let browser: Browser
    let page: Page
    const complaints: string[] = []
    const requests: string[] = []
    beforeAll(async () => {
      browser = await launchChromium()
      page = await browser.newPage()
      page.on('console', (message) => complaints.push(message.text()))
      page.on('pageerror', (error) => complaints.push(String(error)))
      page.on('dialog', (dialog) => complaints.push(dialog.message()))
      page.on('request', (request) => requests.push(request.url()))
      await page.goto(url)
    }, 60_000)
    afterAll(() => browser?.close())

    it('runs nothing, fetches nothing and goes nowhere, whatever is written in it', async () => {
      expect(await page.title()).toMatch(/^<script>document.title/)
      expect(page.url()).toBe(url)
      // the policy itself has nothing to refuse: what was written never became an element
      expect(complaints).toEqual([])
      expect(requests.filter((target) => !target.startsWith('data:'))).toEqual([url])
      for (const selector of [
        'script',
        'iframe',
        'svg',
        'a',
        'meta[http-equiv]',
        '[onerror]',
        '[onload]',
        '[style]',
      ])
        expect(await page.locator(selector).count()).toBe(0)
      expect(await page.locator('style').count()).toBe(1)
    })

    it('shows what was written, its lines, its code and its image', async () => {
      const article = page.locator('article').first()
      expect(await article.innerText()).toContain('<img src=x onerror=')
      expect(await article.innerText()).toContain('line one\nline two')
      expect(await article.locator('pre code').first().innerText()).toContain('</code></pre><script>')
      expect(await page.locator('article').count()).toBe(2)
      const [image] = await page.locator('img').all()
      expect(await image?.evaluate((element) => (element as HTMLImageElement).naturalWidth)).toBe(1)
    })

    it.each(['light', 'dark'] as const)('is readable in %s', async (colorScheme) => {
      await page.emulateMedia({ colorScheme })
      const [text, ground] = await page
        .locator('body')
        .evaluate((body) => [getComputedStyle(body).color, getComputedStyle(body).backgroundColor])
      const brightness = (color = '') => Number(/\d+/.exec(color)?.[0])
      const contrast = brightness(text) - brightness(ground)
      expect(colorScheme === 'dark' ? contrast : -contrast).toBeGreaterThan(150)
    })
  },
)
