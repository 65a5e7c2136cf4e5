import { StringDecoder } from 'node:string_decoder';
import { stripVTControlCharacters } from 'node:util';

/** Characters of a line that are kept: a console may print without ever ending its line. */
const LONGEST = 4096;

/** Cuts a stream of bytes into lines of text, without line ends, escape sequences and control characters. */
export class LineSplitter {
  readonly #onLine: (line: string) => void;
  readonly #decoder = new StringDecoder('utf8');
  #rest = '';

  constructor(onLine: (line: string) => void) {
    this.#onLine = onLine;
  }

  write(chunk: Uint8Array): void {
    const lines = (this.#rest + this.#decoder.write(Buffer.from(chunk))).split(/\r*\n/);
    this.#rest = lines.pop() ?? '';
    for (const line of lines) this.#tell(line);
    if (this.#rest.length >= LONGEST) {
      this.#tell(this.#rest);
      this.#rest = '';
    }
  }

  /** Tells what is left of a line that was not ended. */
  end(): void {
    const rest = this.#rest + this.#decoder.end();
    this.#rest = '';
    if (rest !== '') this.#tell(rest);
  }

  #tell(line: string): void {
    const text = stripVTControlCharacters(line.slice(0, LONGEST));
    this.#onLine(text.replaceAll(/[^\P{Cc}\t]/gu, ''));
  }
}
