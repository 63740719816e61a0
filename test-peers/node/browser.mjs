// Chromium, steered line by line: each line of the input is a step `{do, …}`, each of the output `{value}` or `{error}`.
// The end of the input is the end of the browser. Its argument is JSON: {modules, program}.

import { readFile } from 'node:fs/promises';
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
  select: ({ selector, value }) => page.selectOption(selector, value).then(() => null),
  check: ({ selector }) => page.check(selector),
  uncheck: ({ selector }) => page.uncheck(selector),
  press: ({ key }) => page.keyboard.press(key),
  goBack: () => page.goBack().then(() => null),
  waitForUrl: async ({ prefix }) => {
    await page.waitForURL((url) => url.href.startsWith(prefix));
    return page.url();
  },
  waitFor: ({ selector }) => page.waitForSelector(selector).then(() => null),
  waitUntilGone: ({ selector }) => page.waitForSelector(selector, { state: 'hidden' }).then(() => null),
  url: () => page.url(),
  text: ({ selector }) => page.innerText(selector),
  evaluate: ({ expression }) => page.evaluate(expression),
  cookies: () => context.cookies(),
  complaints: () => complaints,
  forgetComplaints: () => { complaints.length = 0; },
  resize: ({ width, height }) => page.setViewportSize({ width, height }),
  prefer: ({ scheme }) => page.emulateMedia({ colorScheme: scheme }),
  violations,
  screenshot: async ({ path }) => {
    // Over an open dialog, nobody can scroll.
    const isCovered = await page.locator('dialog[open]').count() > 0;
    await page.screenshot({ path, fullPage: !isCovered });
  },
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

async function startAfresh({ outlook } = {}) {
  await context?.close();
  // The certificates are those of the tests' own authority.
  context = await browser.newContext({ ignoreHTTPSErrors: true, ...outlook });
  context.setDefaultTimeout(PATIENCE_MS);
  page = await context.newPage();
  complaints = [];
  page.on('console', (message) => message.type() === 'error' && complaints.push(message.text()));
  page.on('pageerror', (error) => complaints.push(error.message));
  page.on('requestfailed', (request) => {
    const error = request.failure()?.errorText;
    // Left behind with the page that asked for it.
    if (error !== 'net::ERR_ABORTED') complaints.push(`${request.url()}: ${error}`);
  });
  return null;
}

// What axe-core holds against the page as it is shown now.
async function violations({ tags }) {
  if (!(await page.evaluate('typeof axe === "object"'))) {
    await page.evaluate(await readFile(`${modules}/axe-core/axe.min.js`, 'utf8'));
  }
  const found = await page.evaluate((values) => axe.run(document, { runOnly: { type: 'tag', values } }), tags);
  return found.violations.map(({ id, help, nodes }) => ({
    rule: id,
    help,
    places: nodes.map((node) => `${node.target.join(' ')}: ${node.failureSummary}`),
  }));
}
