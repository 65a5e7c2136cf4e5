import { PassThrough } from 'node:stream';

/** What comes out of a terminal, and a way to wait for it. */
export class Screen extends PassThrough {
  text = '';
  #waiting: (() => void)[] = [];

  constructor() {
    super();
    this.setEncoding('utf8').on('data', (text: string) => {
      this.text += text;
      for (const look of this.#waiting.splice(0)) look();
    });
  }

  async shows(pattern: RegExp): Promise<void> {
    while (!pattern.test(this.text)) await new Promise<void>((resolve) => this.#waiting.push(resolve));
  }
}
