import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
import type { Browser, Page } from 'playwright-core'
import { chromiumPath, launchChromium } from './chromium.ts'
import { send } from './client.ts'
import { type SharedServer, sharedTestServer } from './shared-server.ts'

let server: SharedServer
beforeAll(async () => {
  server = await sharedTestServer()
}, 60_000)

describe('Swagger UI', () => {
  it('is one page of this server’s own files, each of which is there', async () => {
    for (const path of ['/api/swagger/index.html', '/api/swagger/', '/api/swagger']) {
      const page = await send(`${server.url}${path}`)
      expect(page.headers.get('content-type')).toContain('text/html')
      const files = [...page.text.matchAll(/(?:src|href)="([^"]+)"/g)].map(([, file]) => file ?? '')
      expect(files.length).toBeGreaterThan(3)
      for (const file of files) {
        expect(file).toMatch(/^\/api\/swagger\//)
        expect((await send(`${server.url}${file}`)).status).toBe(200)
      }
    }
  })

  it('may run no script but its own, and reach nobody else', async () => {
    const page = await send(`${server.url}/api/swagger/index.html`)
    const policy = page.headers.get('content-security-policy') ?? ''
    expect(policy).toContain("default-src 'none'")
    expect(policy).toContain("script-src 'self'")
    expect(policy).toContain("connect-src 'self'")
    expect(policy).toContain("frame-ancestors 'none'")
    expect(policy).not.toMatch(/script-src[^;]*unsafe|https?:|\*/)
    expect(page.text).not.toMatch(/<script(?![^>]*\bsrc=)[^>]*>/)
  })

  it('shows the document of the routes, to be tried where it was loaded from', async () => {
    const document = (await send(`${server.url}/api/swagger/doc.json`)).json<{
      openapi: string
      servers: { url: string }[]
      paths: Record<string, unknown>
    }>()
    expect(document.openapi).toBe('3.1.0')
    expect(document.servers.map(({ url }) => url)).toEqual(['/', server.url])
    expect(Object.keys(document.paths)).toEqual(expect.arrayContaining(['/v1/models', '/auth/me']))
  })

  it('serves nothing of its package that the page has no use for', async () => {
    for (const file of ['package.json', 'swagger-initializer.js', 'oauth2-redirect.html', '../swagger.ts'])
      expect((await send(`${server.url}/api/swagger/${file}`)).status).toBe(404)
  })
})

const describeInBrowser = chromiumPath === null ? describe.skip : describe

describeInBrowser(
  'Swagger UI in a browser (skipped where there is no Chromium: CHROMIUM_PATH names one)',
  () => {
    let browser: Browser
    let page: Page
    const complaints: string[] = []
    const origins = new Set<string>()
    beforeAll(async () => {
      browser = await launchChromium()
      page = await browser.newPage()
      page.on('console', (message) => {
        if (['error', 'warning'].includes(message.type())) complaints.push(message.text())
      })
      page.on('pageerror', (error) => complaints.push(String(error)))
      page.on('request', (request) => {
        const { protocol, origin } = new URL(request.url())
        if (protocol.startsWith('http')) origins.add(origin)
      })
      await page.goto(`${server.url}/api/swagger/index.html`)
    }, 60_000)
    afterAll(() => browser?.close())

    /** Opens an operation, sends it as it stands, and reads the status that came back. */
    async function tryOut(operationId: string): Promise<string> {
      const block = page.locator(`[id$="-${operationId}"]`)
      await block.locator('.opblock-summary-control').click()
      await block.getByRole('button', { name: 'Try it out' }).click()
      await block.getByRole('button', { name: 'Execute' }).click()
      return (await block.locator('.live-responses-table .response-col_status').last().innerText()).trim()
    }

    it('refuses to tell a stranger who they are', async () => {
      expect(await tryOut('getCurrentUser')).toMatch(/^401/)
      // The browser reports the refusal; nothing else is wrong.
      expect(complaints.splice(0)).toEqual([expect.stringContaining('401')])
    }, 60_000)

    it('fetches a guest’s token by a button, with which the examples work as they stand', async () => {
      await page.getByRole('button', { name: 'Get a guest token' }).click()
      await page.getByRole('button', { name: /^Guest for \d+ min/ }).waitFor()
      expect(await tryOut('getMe')).toMatch(/^200/)
      expect(await page.locator('[id$="-getMe"] .live-responses-table').innerText()).toContain('"guest"')
      expect(await tryOut('createChatCompletion')).toMatch(/^200/)
    }, 60_000)

    it('takes the token in its authorise dialog as signed in', async () => {
      await page.locator('button.authorize:not(.guest-token)').click()
      const dialog = page.locator('.modal-ux')
      await dialog.getByRole('button', { name: 'Remove authorization' }).first().waitFor()
      await dialog.locator('.close-modal').click()
    })

    it('complains of nothing and reaches no other server', () => {
      expect(complaints).toEqual([])
      expect([...origins]).toEqual([server.url])
    })
  },
)
