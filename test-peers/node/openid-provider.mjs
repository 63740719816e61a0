// An OpenID provider for tests: the certified `oidc-provider`, with a sign-in page that asks for a name only.
// Its argument is a JSON file: {modules, port, algorithm, clients, accounts}.

import { generateKeyPairSync, randomBytes } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { pathToFileURL } from 'node:url';

const config = JSON.parse(readFileSync(process.argv[2], 'utf8'));
const issuer = `http://127.0.0.1:${config.port}`;
const { Provider } = await import(pathToFileURL(`${config.modules}/oidc-provider/lib/index.js`).href);

// The clock of everything here, when a test has set it.
const systemNow = Date.now;
let now = null;
Date.now = () => now ?? systemNow();

const cookieKeys = [randomBytes(32).toString('hex')];
let provider = makeProvider();

createServer((request, response) => {
  handle(request, response).catch((error) => {
    console.error(error);
    respond(response, 500, page('It failed', ''));
  });
}).listen(config.port, '127.0.0.1');

async function handle(request, response) {
  const { pathname } = new URL(request.url, issuer);
  if (request.method === 'POST' && pathname === '/test/now') {
    now = JSON.parse(await body(request)).now * 1000;
    return respond(response, 200, '');
  }
  if (request.method === 'POST' && pathname === '/test/rotate-key') {
    provider = makeProvider();
    return respond(response, 200, '');
  }
  if (pathname.startsWith('/interaction/')) {
    return interact(request, response);
  }
  return provider.callback()(request, response);
}

async function interact(request, response) {
  const { prompt, params, uid } = await provider.interactionDetails(request, response);
  if (prompt.name !== 'login') {
    // Consent is given to whoever asks for it again.
    return provider.interactionFinished(request, response, { consent: {} }, { mergeWithLastSubmission: true });
  }
  if (request.method !== 'POST') {
    return respond(response, 200, signInPage(uid, params.client_id, ''));
  }
  const form = new URLSearchParams(await body(request));
  if (form.has('cancel')) {
    const denial = { error: 'access_denied', error_description: 'End-User aborted interaction' };
    return provider.interactionFinished(request, response, denial);
  }
  const account = findAccount(form.get('login'));
  if (!account) {
    return respond(response, 200, signInPage(uid, params.client_id, 'Nobody is called that.'));
  }
  return provider.interactionFinished(request, response, { login: { accountId: account.sub } });
}

function makeProvider() {
  const made = new Provider(issuer, {
    clients: config.clients,
    jwks: { keys: [makeKey()] },
    cookies: { keys: cookieKeys },
    // Claims that scopes ask for are in the ID token too, as with the providers of the world.
    conformIdTokenClaims: false,
    claims: {
      openid: ['sub'],
      email: ['email', 'email_verified'],
      profile: ['name', 'given_name', 'family_name', 'nickname', 'preferred_username', 'picture', 'locale'],
    },
    pkce: { required: () => true },
    features: { devInteractions: { enabled: false }, revocation: { enabled: true }, rpInitiatedLogout: { enabled: false } },
    interactions: { url: (ctx, interaction) => `/interaction/${interaction.uid}` },
    findAccount: (ctx, sub) => {
      const account = config.accounts.find((known) => known.sub === sub);
      return account && { accountId: sub, claims: () => account };
    },
    loadExistingGrant: grantAll,
    // It asks for a refresh token what everybody asks: the scope.
    issueRefreshToken: (ctx, client, code) => code.scopes.has('offline_access'),
  });
  made.on('server_error', (ctx, error) => console.error(error));
  return made;
}

async function grantAll(ctx) {
  const grant = new ctx.oidc.provider.Grant({
    clientId: ctx.oidc.client.clientId,
    accountId: ctx.oidc.session.accountId,
  });
  grant.addOIDCScope('openid email profile offline_access');
  await grant.save();
  return grant;
}

function makeKey() {
  const { privateKey } =
    config.algorithm === 'ES256'
      ? generateKeyPairSync('ec', { namedCurve: 'P-256' })
      : generateKeyPairSync('rsa', { modulusLength: 2048 });
  const kid = randomBytes(8).toString('hex');
  return { ...privateKey.export({ format: 'jwk' }), kid, use: 'sig', alg: config.algorithm };
}

function findAccount(login) {
  return config.accounts.find((account) => [account.sub, account.email].includes(login));
}

function signInPage(uid, client, problem) {
  return page(
    `Sign in to ${client}`,
    `<p role="alert">${problem}</p>
<form method="post" action="/interaction/${uid}">
<label>Name <input name="login" required autofocus></label>
<button id="sign-in">Sign in</button>
<button id="cancel" name="cancel" value="1" formnovalidate>Cancel</button>
</form>`,
  );
}

function page(title, content) {
  return `<!doctype html><meta charset="utf-8"><title>${title}</title><h1>${title}</h1>${content}`;
}

function respond(response, status, html) {
  response.writeHead(status, { 'Content-Type': 'text/html; charset=utf-8', 'Cache-Control': 'no-store' });
  response.end(html);
}

async function body(request) {
  const chunks = [];
  for await (const chunk of request) {
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString('utf8');
}
