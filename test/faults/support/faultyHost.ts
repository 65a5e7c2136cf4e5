import { EMPTY, type Observable } from 'rxjs';
import type { BackendHost, BackendVerbs, ConfiguredBackend, Observation } from '../../../src/backends/contract.ts';
import type { Capability } from '../../../src/events/index.ts';
import type { Address } from '../../support/faultProxy.ts';
import { existingHost } from './existingHost.ts';
import type { SshServer } from './sshServer.ts';

/** The backend's verbs, by the name of the method. */
export type Verb = 'create' | 'start' | 'endpoint' | 'restart' | 'reset' | 'stop' | 'destroy';

/** What a backend does other than it should. */
export interface Faults {
  /** Called in the verb's place; the verb then does its work, unless this rejects. */
  readonly verbs?: Partial<Record<Verb, (signal: AbortSignal, host: BackendHost) => Promise<void>>>;
  readonly observations$?: Observable<Observation>;
  /** What the testbed can do besides what it can anyway. */
  readonly capabilities?: readonly Capability[];
}

/** A machine with a real sshd, in the hands of a backend with faults. */
export function faultyHost(sshd: SshServer, address: Address, faults: Faults): ConfiguredBackend {
  const sound = existingHost(sshd, address);
  const capabilities = () => [...sound.capabilities(), ...(faults.capabilities ?? [])];
  return {
    ...sound,
    capabilities,
    open: (host) => {
      const verbs = sound.open(host);
      const nothing = async () => {};
      const before =
        (verb: Exclude<Verb, 'endpoint'>, work: (signal: AbortSignal) => Promise<void>) =>
        async (signal: AbortSignal) => {
          await faults.verbs?.[verb]?.(signal, host);
          await work(signal);
        };
      return {
        observations$: faults.observations$ ?? EMPTY,
        create: before('create', verbs.create),
        start: before('start', verbs.start),
        endpoint: async (signal) => {
          await faults.verbs?.endpoint?.(signal, host);
          return { ...(await verbs.endpoint(signal)), capabilities: capabilities() };
        },
        restart: before('restart', nothing),
        reset: before('reset', nothing),
        stop: before('stop', verbs.stop),
        destroy: before('destroy', verbs.destroy),
      } satisfies BackendVerbs;
    },
  };
}

/** A verb that is held: tells when it was called, and what it then does. */
export class HeldVerb {
  readonly called: Promise<void>;
  #call: () => void = () => {};
  #letGo: () => void = () => {};
  readonly #heeding: boolean;

  /** @param heeding whether it rejects once it is cancelled */
  constructor(heeding: boolean) {
    this.#heeding = heeding;
    this.called = new Promise((resolve) => {
      this.#call = resolve;
    });
  }

  /** The verb. */
  readonly run = (signal: AbortSignal): Promise<void> => {
    this.#call();
    return new Promise((resolve, reject) => {
      this.#letGo = resolve;
      if (this.#heeding) signal.addEventListener('abort', () => reject(signal.reason), { once: true });
    });
  };

  letGo(): void {
    this.#letGo();
  }
}
