/** What apt has, and which release is to be had beside which. */
export interface SourcesToCopy {
  /** Content of .list files (sources.list(5), one-line style). */
  readonly lines: string;
  /** Content of .sources files (deb822 style), parted by empty lines. */
  readonly stanzas: string;
  readonly from: string;
  readonly to: string;
}

const LINE = /^deb\s+(?:(\[[^\]]+\])\s+)?(\S+)\s+(\S+)\s+(.+)$/;

/**
 * The sources of one release once more for another, packages and their sources, in both styles. Empty where apt has
 * none of that release. Pure.
 */
export function copiedSources({ lines, stanzas, from, to }: SourcesToCopy): { list: string; sources: string } {
  const list = lines.split('\n').flatMap((line) => {
    const match = LINE.exec(line.trim());
    if (match === null || match[3] !== from) return [];
    const [, options, uri, , components] = match;
    const rest = [...(options === undefined ? [] : [options]), uri, to, components].join(' ');
    return [`deb ${rest}`, `deb-src ${rest}`];
  });
  const sources = stanzas.split(/\n\s*\n/).flatMap((stanza) => {
    const plain = stanza
      .split('\n')
      .filter((line) => line.trim() !== '' && !line.startsWith('#'))
      .join('\n');
    const words = (field: string) => new RegExp(`^${field}:(.*)$`, 'im').exec(plain)?.[1]?.trim().split(/\s+/) ?? [];
    if (!words('Types').includes('deb') || !words('Suites').includes(from)) return [];
    return [plain.replace(/^Types:.*$/im, 'Types: deb deb-src').replace(/^Suites:.*$/im, `Suites: ${to}`)];
  });
  return { list: list.join('\n'), sources: sources.map((stanza) => `${stanza}\n`).join('\n') };
}
