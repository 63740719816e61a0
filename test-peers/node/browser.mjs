// Chromium, steered line by line: each line of the input is a step `{do, …}`, each of the output `{value}` or `{error}`.
// The end of the input is the end of the browser. Its argument is JSON: {modules, program}.

import { createInterface } from 'node:readline';
import { pathToFileURL } from 'node:url';

const PATIENCE_MS = 20_000;
const { modules, program } = JSON.parse(process.argv[2]);
const { chromium } = (await import(pathToFileURL(`${modules}/playwright-core/index.js`).href)).default;

const browser = await chromium.launch({
  executablePath: program,
  // Every name is this machine, and nothing leaves it.
  args: ['--host-resolver-rules=MAP * 127.0.0.1', '--no-proxy-server'],
});
let context;
let page;
let complaints;
await startAfresh();

const steps = {
  goto: async ({ url }) => (await page.goto(url))?.status() ?? null,
  fill: ({ selector, text }) => page.fill(selector, text),
  click: ({ selector }) => page.click(selector),
  waitForUrl: async ({ prefix }) => {
    await page.waitForURL((url) => url.href.startsWith(prefix));
    return page.url();
  },
  waitFor: ({ selector }) => page.waitForSelector(selector).then(() => null),
  url: () => page.url(),
  text: ({ selector }) => page.innerText(selector),
  evaluate: ({ expression }) => page.evaluate(expression),
  cookies: () => context.cookies(),
  complaints: () => complaints,
  screenshot: ({ path }) => page.screenshot({ path, fullPage: true }).then(() => null),
  startAfresh,
};

for await (const line of createInterface({ input: process.stdin })) {
  const step = JSON.parse(line);
  const result = await Promise.race([steps[step.do](step), deadline()]).then(
    (value) => ({ value: value ?? null }),
    (error) => ({ error: `${step.do} at ${page.url()}: ${error.message}` }),
  );
  process.stdout.write(`${JSON.stringify(result)}\n`);
}
// Ending kills a browser that does not close.
setTimeout(() => process.exit(1), PATIENCE_MS).unref();
await browser.close();

// For what has none of its own: a promise of the page may stay open for ever.
function deadline() {
  return new Promise((resolve, reject) => {
    setTimeout(() => reject(new Error('it takes too long')), 2 * PATIENCE_MS).unref();
  });
}

async function startAfresh() {
  await context?.close();
  // The certificates are those of the tests' own authority.
  context = await browser.newContext({ ignoreHTTPSErrors: true });
  context.setDefaultTimeout(PATIENCE_MS);
  page = await context.newPage();
  complaints = [];
  page.on('console', (message) => message.type() === 'error' && complaints.push(message.text()));
  page.on('pageerror', (error) => complaints.push(error.message));
  page.on('requestfailed', (request) => complaints.push(`${request.url()}: ${request.failure()?.errorText}`));
  return null;
}
