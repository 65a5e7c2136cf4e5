import { createHash } from 'node:crypto';
import type { Assets } from './assets.ts';

/** The page as the server gives it out: script and style are files beside it. Pure. */
export function servedPage(title: string): string {
  return page(title, '<link rel="stylesheet" href="page.css">', '<script src="page.js" defer></script>');
}

/** What the served page may load: its own files, and nothing of any other place. */
export const SERVED_POLICY =
  "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src data:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

/**
 * The page as a file of its own, with a report inside. It may load nothing at all, and run only this script. Pure.
 * @param payload what the page shows, deflated, in base64
 */
export function exportedPage(title: string, { script, style }: Assets, payload: string): string {
  // A closing tag within the script would end it early.
  const code = script.replaceAll('</script', '<\\/script');
  const policy = `default-src 'none'; script-src '${digest(code)}'; style-src '${digest(style)}'; img-src data:; base-uri 'none'; form-action 'none'`;
  return page(
    title,
    `<meta http-equiv="Content-Security-Policy" content="${policy}">\n<style>${style}</style>`,
    `<script type="application/octet-stream" id="report">${payload}</script>\n<script>${code}</script>`,
  );
}

function page(title: string, head: string, scripts: string): string {
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>${escaped(title)}</title>
<link rel="icon" href="data:image/svg+xml,%3Csvg xmlns='http://www.w3.org/2000/svg' viewBox='0 0 16 16'%3E%3Ccircle cx='8' cy='8' r='6' fill='none' stroke='%230969da' stroke-width='3'/%3E%3C/svg%3E">
${head}
</head>
<body>
<div id="app"><noscript>This page needs JavaScript; \`trundle explain\` tells the same run in words.</noscript></div>
${scripts}
</body>
</html>
`;
}

function digest(text: string): string {
  return `sha256-${createHash('sha256').update(text).digest('base64')}`;
}

function escaped(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;').replaceAll('"', '&quot;');
}
