/** What dpkg accepts as a version (deb-version(7)). */
const VERSION = /^(?:(\d+):)?(\d[A-Za-z0-9.+~:-]*)$/;

/** dpkg keeps an epoch in an int. */
const HIGHEST_EPOCH = 2 ** 31 - 1;

/** Whether a string is a Debian version. Pure. */
export function isVersion(text: string): boolean {
  const match = VERSION.exec(text);
  if (!match) return false;
  const [, , whole = ''] = match;
  if (whole.endsWith('-') || Number(match[1] ?? 0) > HIGHEST_EPOCH) return false;
  const upstream = whole.replace(/-[A-Za-z0-9.+~]*$/, '');
  return match[1] !== undefined || !upstream.includes(':');
}

/** Compares two Debian versions as dpkg does (deb-version(7)): negative, zero or positive. Pure. */
export function compareVersions(left: string, right: string): number {
  const a = split(left);
  const b = split(right);
  return a.epoch - b.epoch || comparePart(a.upstream, b.upstream) || comparePart(a.revision, b.revision);
}

function split(version: string): { epoch: number; upstream: string; revision: string } {
  const colon = version.indexOf(':');
  const epoch = colon === -1 ? 0 : Number(version.slice(0, colon));
  const rest = version.slice(colon + 1);
  const dash = rest.lastIndexOf('-');
  return {
    epoch,
    upstream: dash === -1 ? rest : rest.slice(0, dash),
    revision: dash === -1 ? '' : rest.slice(dash + 1),
  };
}

/** Runs of other characters and runs of digits in turn, the latter as numbers. */
function comparePart(left: string, right: string): number {
  let a = left;
  let b = right;
  while (a !== '' || b !== '') {
    const [textA, textB] = [/^\D*/.exec(a)?.[0] ?? '', /^\D*/.exec(b)?.[0] ?? ''];
    for (let i = 0; i < Math.max(textA.length, textB.length); i += 1) {
      const difference = weight(textA[i]) - weight(textB[i]);
      if (difference !== 0) return difference;
    }
    a = a.slice(textA.length);
    b = b.slice(textB.length);
    const [digitsA, digitsB] = [/^\d*/.exec(a)?.[0] ?? '', /^\d*/.exec(b)?.[0] ?? ''];
    const [numberA, numberB] = [BigInt(digitsA || '0'), BigInt(digitsB || '0')];
    if (numberA !== numberB) return numberA < numberB ? -1 : 1;
    a = a.slice(digitsA.length);
    b = b.slice(digitsB.length);
  }
  return 0;
}

/** `~` sorts before the end, the end before letters, letters before all else. */
function weight(character: string | undefined): number {
  if (character === '~') return -1;
  if (character === undefined) return 0;
  return /[A-Za-z]/.test(character) ? character.charCodeAt(0) : character.charCodeAt(0) + 256;
}
