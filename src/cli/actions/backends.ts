import { type BackendListing, listBackends, loadBackend } from '../../testbed/index.ts';
import type { Io } from '../Io.ts';
import { type Colors, colorsFor } from '../live/colors.ts';

/** Lists the backends there are, or tells of one. @returns the exit code: 0, or 1 where this machine cannot run it */
export async function tellBackends(name: string | undefined, json: boolean, io: Io): Promise<number> {
  const colors = colorsFor(io.stdout, io.env);
  if (name === undefined) {
    const listings = await listBackends();
    if (json) io.document({ backends: listings });
    else io.stdout.write(renderBackends(listings, colors));
    return 0;
  }
  const listing = await listingOf(name);
  if (json) io.document(listing);
  else io.stdout.write(renderBackend(listing, colors));
  return listing.availability.available ? 0 : 1;
}

/** The help of a backend's options, for `trundle VERB ... -- BACKEND --help`. @returns the exit code */
export async function showBackend(name: string, io: Io): Promise<number> {
  io.stdout.write(renderBackend(await listingOf(name), colorsFor(io.stdout, io.env)));
  return 0;
}

/** @throws BackendLoadError */
async function listingOf(name: string): Promise<BackendListing> {
  const backend = await loadBackend(name);
  const listing = (await listBackends([name])).findLast((each) => each.name === backend.name);
  if (listing === undefined) throw new Error(`backend ${name} is loaded, and not among those listed`);
  return listing;
}

const MORE = `The options of a backend: trundle backends NAME. Others come as npm packages
named trundle-backend-NAME, or by path.
`;

/** All backends, each with what this machine lacks for it. Pure. */
export function renderBackends(listings: readonly BackendListing[], colors: Colors): string {
  const width = Math.max(...listings.map(({ name }) => name.length));
  const blocks = listings.map(({ name, summary, availability }) => {
    const indent = ' '.repeat(width + 2);
    const lines = [
      `${colors.bold(name.padEnd(width))}  ${summary}`,
      ...state(availability, colors).map((line) => indent + line),
    ];
    return `${lines.join('\n')}\n`;
  });
  return `${blocks.join('')}\n${MORE}`;
}

/** One backend with its options. Pure. */
export function renderBackend({ name, availability, help }: BackendListing, colors: Colors): string {
  const options = help.replace(/^Usage: \S+/, `Usage: trundle run SOURCE -- ${name}`).trimEnd();
  return `${options}\n\nOn this machine:\n${state(availability, colors)
    .map((line) => `  ${line}\n`)
    .join('')}`;
}

function state(availability: BackendListing['availability'], { green, red }: Colors): string[] {
  if (availability.available) {
    return [`${green('ready')}${availability.detail === undefined ? '' : `: ${availability.detail}`}`];
  }
  const remedy = availability.remedy === undefined ? [] : [`to mend it: ${availability.remedy}`];
  return [`${red('not ready')}: ${availability.missing}`, ...remedy];
}
