// Unpacks the browser, the libraries that it brings and its software renderer beside this file.

import { execFileSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { brotliDecompressSync } from 'node:zlib';

const packed = (name) => brotliDecompressSync(readFileSync(`node_modules/@sparticuz/chromium/bin/${name}.br`));

for (const name of ['al2023.tar', 'swiftshader.tar']) {
  execFileSync('tar', ['-x', '--no-same-owner', '-f', '-'], { input: packed(name) });
}
writeFileSync('chromium', packed('chromium'), { mode: 0o755 });
