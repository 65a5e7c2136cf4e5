import { FONT } from './textSize.ts';

/** What does not change with the background. */
const SHAPES: readonly (readonly [selector: string, rules: string])[] = [
  ['.note', 'stroke-dasharray: 4 3'],
  ['.title', 'font-size: 20px; font-weight: 600'],
  ['.name', `font-size: ${FONT.name}px; font-weight: 600`],
  ['.line', `font-size: ${FONT.line}px`],
  ['.above text', 'paint-order: stroke; stroke-width: 5px; stroke-linejoin: round'],
  ['.arrow', 'fill: none; stroke-width: 1.3'],
  ['.deadline', 'stroke-dasharray: 6 4'],
  ['.unexpected', 'stroke-dasharray: 2 3'],
  ['.label', 'opacity: 0.88'],
  ['.sign', 'fill: none; stroke-width: 1.4'],
];

/** Colours for a light and a dark background. */
const COLOURS: readonly (readonly [selector: string, property: string, light: string, dark: string])[] = [
  ['text', 'fill', '#1f2328', '#f0f6fc'],
  ['.ground', 'fill', '#ffffff', '#0d1117'],
  ['.ground', 'stroke', '#d0d7de', '#3d444d'],
  ['.state', 'fill', '#ddf4ff', '#10243e'],
  ['.state', 'stroke', '#54aeff', '#388bfd'],
  ['.compound', 'fill', '#f6f8fa', '#151b23'],
  ['.compound', 'stroke', '#8c959f', '#656c76'],
  ['.final', 'fill', '#dafbe1', '#12261e'],
  ['.final', 'stroke', '#4ac26b', '#2ea043'],
  ['.note', 'fill', '#fff8c5', '#272115'],
  ['.note', 'stroke', '#d4a72c', '#bb8009'],
  ['.soft, .soft text', 'fill', '#59636e', '#9198a1'],
  ['.above text', 'stroke', '#f6f8fa', '#151b23'],
  ['.arrow', 'stroke', '#57606a', '#b1bac4'],
  ['.deadline', 'stroke', '#bc4c00', '#f0883e'],
  ['.unexpected', 'stroke', '#9a6700', '#d29922'],
  ['.head', 'fill', '#57606a', '#b1bac4'],
  ['.head-deadline', 'fill', '#bc4c00', '#f0883e'],
  ['.head-unexpected', 'fill', '#9a6700', '#d29922'],
  ['.label', 'fill', '#ffffff', '#0d1117'],
  ['.sign', 'stroke', '#bc4c00', '#f0883e'],
  ['.sign-command', 'fill', '#0969da', '#58a6ff'],
  ['.sign-fact', 'fill', '#8250df', '#bc8cff'],
  ['.start', 'fill', '#57606a', '#b1bac4'],
];

/** The style of a picture that stands alone. A viewer that knows of no wish gets the light one. Pure. */
export function pictureStyle(): string {
  const rule = (selector: string, rules: string) => `    ${selector} { ${rules}; }`;
  const shapes = SHAPES.map(([selector, rules]) => rule(selector, rules));
  const light = COLOURS.map(([selector, property, colour]) => rule(selector, `${property}: ${colour}`));
  const dark = COLOURS.map(([selector, property, , colour]) => `  ${rule(selector, `${property}: ${colour}`)}`);
  return ['', ...shapes, ...light, '    @media (prefers-color-scheme: dark) {', ...dark, '    }', '  '].join('\n');
}

/** The same for charts within a page: below `scope`, and in the colours that the page is in. Pure. */
export function pageStyle(scope: string): string {
  const within = (selectors: string) => selectors.replaceAll(/(^|, )/g, `$1${scope} `);
  return [
    ...SHAPES.map(([selector, rules]) => `${within(selector)} { ${rules}; }`),
    ...COLOURS.map(
      ([selector, property, light, dark]) => `${within(selector)} { ${property}: light-dark(${light}, ${dark}); }`,
    ),
    '',
  ].join('\n');
}
