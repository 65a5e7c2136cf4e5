import { existsSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import type { ChartPicture } from './contract.ts';

/** Where the page lies, seen from the bundle; put in when that is built. */
declare const PAGE: string | undefined;

/** The page, as it was built. */
export interface Assets {
  readonly script: string;
  readonly style: string;
  readonly charts: readonly ChartPicture[];
}

/** Reads the page. @throws Error where it was not built */
export function loadAssets(): Assets {
  const folder = typeof PAGE === 'undefined' ? '../../dist/inspector/' : PAGE;
  const read = (name: string) => {
    const file = fileURLToPath(new URL(`${folder}${name}`, import.meta.url));
    if (!existsSync(file)) throw new Error(`${file} is missing: run \`npm run build\`, or install Trundle again`);
    return readFileSync(file, 'utf8');
  };
  return { script: read('page.js'), style: read('page.css'), charts: JSON.parse(read('charts.json')) };
}
