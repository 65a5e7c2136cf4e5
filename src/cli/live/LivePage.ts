import type { ServedPage } from '../../inspector/index.ts';
import type { Io } from '../Io.ts';
import { openBrowser } from './openBrowser.ts';
import type { TraceHome } from './traceHome.ts';
import { untilSignalled } from './untilSignalled.ts';
import type { Watch } from './Watch.ts';

/** A page over a run that goes. That it cannot be had does not end the run. */
export class LivePage {
  readonly #page: Promise<ServedPage | null>;
  readonly #watch: Watch;
  readonly #io: Io;

  private constructor(page: Promise<ServedPage | null>, watch: Watch, io: Io) {
    this.#page = page;
    this.#watch = watch;
    this.#io = io;
  }

  /** Begins to serve the page and tells its address. */
  static open(home: TraceHome, { open, port }: { open: boolean; port: number }, watch: Watch, io: Io): LivePage {
    const page = serve(home.directory, port).then(
      (served) => {
        watch.say(`the run can be watched at ${served.url}`);
        if (open) openBrowser(served.url, io.env, (message) => watch.say(message));
        return served;
      },
      (error: unknown) => {
        watch.say(`there is no page to watch the run: ${error instanceof Error ? error.message : String(error)}`);
        return null;
      },
    );
    return new LivePage(page, watch, io);
  }

  /**
   * The run is over. Whoever sits at a terminal may look on until Ctrl-C, unless that is what ended the run; elsewhere
   * open pages get the last lines.
   */
  async end(interrupted: boolean): Promise<void> {
    const page = await this.#page;
    if (page === null) return;
    if (interrupted || this.#io.stderr.isTTY !== true) return await page.finish();
    this.#watch.say(`the page stays at ${page.url}; Ctrl-C ends it`);
    await untilSignalled();
    await page.close();
  }
}

async function serve(directory: string, port: number): Promise<ServedPage> {
  const { inspectTraces } = await import('../../inspector/index.ts');
  return await inspectTraces([directory], port);
}
