import { existsSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { BackendError, type BackendHost } from '../contract.ts';
import type { ContainerFiles } from '../shared/outer/OverlayFiles.ts';
import { dyingWithUs, mustRun, runProgram } from '../shared/runProgram.ts';
import { explainCopy } from './explain.ts';
import { checkContainer, markContainer } from './marks.ts';
import { machinesLxcpath } from './probe.ts';

/** What is copied, and as what. */
export interface CopyPlan {
  readonly template: string;
  readonly name: string;
  /** Whether the name was asked for; it is made from the run if not. */
  readonly named: boolean;
  /** Where both are; where this machine keeps containers if undefined. */
  readonly lxcpath?: string | undefined;
  readonly ephemeral: boolean;
  readonly diskLimit?: string | undefined;
}

/**
 * Removes the container $2 of $1, whole or half made, and the lock that liblxc would leave behind. What wrote to it may
 * take a moment to notice that it is gone, and the kernel another to be rid of a loop device whose writer was killed.
 */
const REMOVE = [
  'n=0; disk=$1/$2/rootdev;',
  'while [ -e "$disk" ] && [ -n "$(losetup --associated "$disk" 2>/dev/null)" ] && [ "$n" -lt 100 ]; do',
  'n=$((n + 1)); sleep 0.1; done;',
  'n=0; while [ -e "$1/$2" ]; do',
  'lxc-destroy --force --lxcpath "$1" --name "$2" >/dev/null 2>&1 && continue;',
  'said=$(rm -rf --one-file-system -- "$1/$2" 2>&1) && continue;',
  'n=$((n + 1)); [ "$n" -lt 50 ] || { echo "$said" >&2; exit 1; }; sleep 0.2; done;',
  'rm -f "/run/lxc/lock/$1/.$2"',
].join(' ');

/** A container that is a copy of another, by lxc-copy(1). */
export class CopiedContainer implements ContainerFiles {
  readonly #plan: CopyPlan;
  readonly #host: BackendHost;
  /** Strikes the container out of the trace; null while there is none of ours. */
  #struck: (() => void) | null = null;
  #lxcpath = '';

  constructor(plan: CopyPlan, host: BackendHost) {
    this.#plan = plan;
    this.#host = host;
  }

  /** Where the container is, once it was made. */
  get lxcpath(): string {
    return this.#lxcpath;
  }

  async make(signal: AbortSignal): Promise<void> {
    const { template, name, named } = this.#plan;
    const lxcpath = this.#plan.lxcpath === undefined ? await machinesLxcpath(signal) : resolve(this.#plan.lxcpath);
    this.#lxcpath = lxcpath;
    if (!existsSync(join(lxcpath, template, 'config')))
      throw new BackendError('image-missing', `there is no container ${template} in ${lxcpath}`, {
        remedy: `lxc-ls -P ${lxcpath} lists those that are there; lxc-create makes one; a path has a slash in it: ./${template}`,
      });
    if (existsSync(join(lxcpath, name))) throw this.#nameInUse();
    const resource = { kind: 'container' as const, name, release: this.#removal() };
    if (named) {
      const mark = `${this.#host.run}-${this.#host.testbed}`;
      this.#struck = this.#host.acquire({ ...resource, check: checkContainer(lxcpath, name, mark) });
      this.#claim(join(lxcpath, name), mark);
    } else this.#struck = this.#host.acquire(resource);
    const result = await runProgram(dyingWithUs(this.#copyArgv()), { signal });
    if (result.status === 0) return;
    // Somebody was quicker. What is there is theirs.
    if (/config exists|already exists/i.test(result.stderr)) {
      this.#forget();
      throw this.#nameInUse();
    }
    throw explainCopy(result, template, lxcpath);
  }

  /** Takes the name for ours, before anything bears it. */
  #claim(directory: string, mark: string): void {
    try {
      markContainer(directory, mark);
    } catch (error) {
      this.#forget();
      const { code = 'copy-failed', message } = error as NodeJS.ErrnoException;
      if (code === 'EEXIST') throw this.#nameInUse();
      throw new BackendError(code, `making the directory of the container: ${message}`, {
        remedy: `see that there is room in ${this.#lxcpath}, and that you may write to it`,
      });
    }
  }

  #forget(): void {
    this.#struck?.();
    this.#struck = null;
  }

  async remove(signal: AbortSignal): Promise<void> {
    if (this.#struck === null) return;
    const { name } = this.#plan;
    const lxcpath = this.#lxcpath;
    await mustRun(this.#removal(), {
      signal,
      code: 'left-behind',
      doing: `removing the container ${name}`,
      remedy: `lxc-destroy --force --lxcpath ${lxcpath} --name ${name}; or trundle reap`,
    });
    this.#forget();
  }

  #copyArgv(): string[] {
    const { template, name, ephemeral, diskLimit } = this.#plan;
    return [
      // What it leaves the work to, rsync(1) and others, would go on without it.
      ...['unshare', '--pid', '--fork', '--kill-child', '--mount-proc', '--'],
      'lxc-copy',
      `--lxcpath=${this.#lxcpath}`,
      `--name=${template}`,
      `--newname=${name}`,
      // It says nothing without; and it would keep it beside the template.
      '--logpriority=ERROR',
      '--logfile=/dev/null',
      ...(ephemeral ? ['--snapshot', '--backingstorage=overlay'] : []),
      ...(diskLimit === undefined ? [] : ['--backingstorage=loop', `--fssize=${diskLimit}`]),
    ];
  }

  #removal(): string[] {
    return ['sh', '-c', REMOVE, 'sh', this.#lxcpath, this.#plan.name];
  }

  #nameInUse(): BackendError {
    const { name } = this.#plan;
    const lxcpath = this.#lxcpath;
    return new BackendError('name-in-use', `there is a container ${name} in ${lxcpath} already, and it is not ours`, {
      remedy: `lxc-destroy --force --lxcpath ${lxcpath} --name ${name}, if nobody needs it; or another --name`,
    });
  }
}
