import { describe, expect, it } from '@jest/globals'
import { AppError } from '../../platform/errors.ts'
import type { OpenedShare } from '../present/public-share.ts'
import { failurePage, pagePolicy, sharePage } from './share-page.ts'

const shareOf = (content: unknown[], changes: Partial<OpenedShare> = {}): OpenedShare => ({
  slug: '0123456789012345678901',
  title: 'Lasagna for four',
  createdAt: '2026-01-31T23:30:00.000Z',
  snapshot: {
    title: 'Lasagna for four',
    modelName: 'jan-v1-4b',
    createdAt: '2026-01-01T00:00:00.000Z',
    items: [
      {
        id: 'msg_1',
        type: 'message',
        role: 'USER',
        content,
        callId: null,
        createdAt: '2026-01-01T00:00:00.000Z',
      },
    ],
  },
  ...changes,
})

/** The tags of a page, as a parser would see them: nothing that was written in a share adds one. */
const tagsOf = (html: string) => [...html.matchAll(/<\/?[a-z!][^>]*>/gi)].map(([tag]) => tag)
const plainTags = tagsOf(sharePage(shareOf([{ type: 'input_text', text: 'plain' }])))

const hostile = [
  '<script>alert(1)</script>',
  '</title><script>alert(1)</script>',
  '</style><img src=x onerror=alert(1)>',
  '"><svg onload=alert(1)>',
  "' onmouseover='alert(1)",
  '<!-- <![CDATA[',
  '&lt;script&gt;',
  'javascript:alert(1)',
  '[link](javascript:alert(1))',
  '<a href="javascript:alert(1)">x</a>',
  '<iframe srcdoc="<script>alert(1)</script>">',
]

describe('the page of a share', () => {
  it('has title, date, roles and model, and asks not to be indexed', () => {
    const html = sharePage(shareOf([{ type: 'input_text', text: 'How do I make lasagna?' }]))
    expect(html).toContain('<title>Lasagna for four</title>')
    expect(html).toContain('<h1 dir="auto">Lasagna for four</h1>')
    expect(html).toContain('<time datetime="2026-01-31T23:30:00.000Z">31 January 2026</time>')
    expect(html).toContain('<h2>User</h2>')
    expect(html).toContain('jan-v1-4b')
    expect(html).toContain('<meta name="robots" content="noindex">')
  })

  it.each(hostile)('takes what stands in a text, a title or a model’s name as text: %s', (text) => {
    const share = shareOf([{ type: 'input_text', text }], { title: text })
    const html = sharePage({ ...share, snapshot: { ...share.snapshot, modelName: text } })
    expect(tagsOf(html)).toEqual(plainTags)
    const code = sharePage(shareOf([{ type: 'code', code: text }]))
    expect(tagsOf(code)).toEqual(tagsOf(sharePage(shareOf([{ type: 'code', code: 'plain' }]))))
  })

  it('keeps line breaks, and shows as code what stands between fences', () => {
    const text = 'First\nsecond\n```js\nlet a = 1 < 2\n```\nAfter\n```\nunclosed'
    const html = sharePage(shareOf([{ type: 'output_text', text }]))
    expect(html).toContain('<div class="text" dir="auto">First\nsecond</div>')
    expect(html).toContain('<pre dir="ltr"><code>let a = 1 &lt; 2</code></pre>')
    expect(html).toContain('<div class="text" dir="auto">After</div>')
    expect(html).toContain('<pre dir="ltr"><code>unclosed</code></pre>')
  })

  it('lets nothing turn the direction of what stands beside it, and drops control characters', () => {
    const html = sharePage(
      shareOf([{ type: 'text', text: 'a\u202eb\u2066c\u0000d\u001be\r\nf\tg' }], { title: '\u202etxt.exe' }),
    )
    expect(html).not.toMatch(/[\u202a-\u202e\u2066-\u2069]/)
    expect(html).toContain('>abcde\nf\tg</div>')
    expect(html).toContain('<title>txt.exe</title>')
    expect(sharePage(shareOf([{ type: 'text', text: '\ud800' }])).isWellFormed()).toBe(true)
  })

  it('shows images that are there themselves, and names others', () => {
    const data = 'data:image/png;base64,iVBORw0KGgo='
    const image = (url: unknown) => sharePage(shareOf([{ type: 'image', image: { url } }]))
    expect(image(data)).toContain(`<img src="${data}" alt=`)
    expect(tagsOf(image(`${data}" onerror="alert(1)`)).filter((tag) => /<img/.test(tag))).toEqual([
      expect.stringContaining('&quot; onerror=&quot;'),
    ])
    for (const url of [
      'jan_abc',
      'https://example.com/x.png',
      'data:text/html,x',
      'data:image/svg+xml;base64,x',
      5,
    ])
      expect(image(url)).not.toContain('<img')
  })

  it.each([[[null]], [['text']], [[5]], [[{}]], [[{ type: 'image', image: null }]], [null], ['text']])(
    'bears content that is none: %j',
    (content) => {
      expect(sharePage(shareOf(content as unknown[]))).toContain('<h2>User</h2>')
    },
  )

  it('tells of failures as a page', () => {
    const gone = failurePage(new AppError('share_revoked', 'This <b>link</b> has been revoked.'))
    expect(gone).toContain('<h1>No longer shared</h1>')
    expect(gone).toContain('This &lt;b&gt;link&lt;/b&gt; has been revoked.')
  })

  it('may load and run nothing but its own style', () => {
    expect(pagePolicy).toMatch(
      /^default-src 'none'; style-src 'sha256-[\w+/]{43}='; img-src data:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'$/,
    )
  })
})
