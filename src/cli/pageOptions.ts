import { type Command, Option } from 'commander';
import { portValue } from './values.ts';

/** When a report of a run is written. */
export type ReportWhen = 'on' | 'off' | 'on-failure';

/** Options of every verb that opens a testbed, about how a person may look at its run. */
export interface PageOptions {
  readonly inspect?: boolean;
  readonly open?: boolean;
  readonly port?: number;
  readonly report?: ReportWhen;
}

/** What they come to. */
export interface PageFlags {
  readonly inspect: boolean;
  readonly open: boolean;
  readonly port: number;
  readonly report: ReportWhen;
}

/** Adds them to a verb. `place` tells where the report goes, `usual` when it is written if nobody says. */
export function addPageOptions(command: Command, { place, usual }: { place: string; usual: string }): Command {
  return command
    .optionsGroup('To look on:')
    .option('--inspect', 'serve a page that shows the run as it goes; its address is told on stderr')
    .option('--no-open', 'with --inspect: open no browser')
    .option('--port <n>', 'with --inspect: serve on this port of the loopback interface', portValue)
    .addOption(
      new Option('--report <when>', `write report.html: the run as a page of its own, ${place}`)
        .choices(['on', 'off', 'on-failure'])
        .default(undefined, usual),
    );
}

/** What of a verb's options concerns its page. `usual`: when a report is written if nobody says. Pure. */
export function pageOf({ inspect = false, open = true, port = 0, report }: PageOptions, usual: ReportWhen): PageFlags {
  return { inspect, open, port, report: report ?? usual };
}
