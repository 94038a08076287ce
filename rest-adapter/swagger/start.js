/**
 * Runs in the browser: Swagger UI over this platform's own document, with a button beside Authorize that fetches a guest's
 * token and authorises with it.
 */
const guestButton = ({ React }) => {
  const h = React.createElement
  return function GuestButton() {
    const [state, setState] = React.useState({ text: 'Get a guest token', busy: false })
    const signIn = async () => {
      setState({ text: 'Signing in…', busy: true })
      try {
        const { access_token: token, expires_in: seconds } = await guestLogin()
        window.ui.preauthorizeApiKey('bearer', token)
        setState({ text: `Guest for ${Math.round(seconds / 60)} min: renew`, busy: false })
      } catch (error) {
        setState({ text: `${error.message} Try again`, busy: false })
      }
    }
    return h(
      'button',
      { type: 'button', className: 'btn authorize guest-token', disabled: state.busy, onClick: signIn },
      h('span', null, state.text),
    )
  }
}

async function guestLogin() {
  const response = await fetch('/auth/guest-login', { method: 'POST' })
  const body = await response.json()
  if (!response.ok) throw new Error(body.message)
  return body
}

const guestTokens = (system) => {
  const GuestButton = guestButton(system)
  return {
    wrapComponents: {
      authorizeBtn: (AuthorizeButton) => (props) =>
        system.React.createElement(
          'div',
          { className: 'auth-buttons' },
          system.React.createElement(GuestButton),
          system.React.createElement(AuthorizeButton, props),
        ),
    },
  }
}

window.ui = window.SwaggerUIBundle({
  url: '/api/swagger/doc.json',
  dom_id: '#swagger-ui',
  deepLinking: true,
  displayRequestDuration: true,
  persistAuthorization: true,
  // Nobody else need know what is documented here.
  validatorUrl: null,
  plugins: [guestTokens],
})
