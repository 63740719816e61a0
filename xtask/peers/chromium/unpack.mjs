// Unpacks the browser, and the libraries, the software renderer and the fonts that it brings, beside this file.

import { execFileSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { brotliDecompressSync } from 'node:zlib';

const packed = (name) => brotliDecompressSync(readFileSync(`node_modules/@sparticuz/chromium/bin/${name}.br`));

for (const name of ['al2023.tar', 'swiftshader.tar', 'fonts.tar']) {
  execFileSync('tar', ['-x', '--no-same-owner', '-f', '-'], { input: packed(name) });
}
writeFileSync('chromium', packed('chromium'), { mode: 0o755 });
// In place of the one that came with the fonts, which looks for them elsewhere.
writeFileSync(
  'fonts.conf',
  `<?xml version="1.0"?><!DOCTYPE fontconfig SYSTEM "fonts.dtd"><fontconfig>
<dir>${process.cwd()}/fonts</dir><dir>/usr/share/fonts</dir><cachedir>${process.cwd()}/fonts-cache</cachedir>
</fontconfig>
`,
);
