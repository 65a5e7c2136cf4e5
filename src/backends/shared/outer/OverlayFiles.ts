import { join } from 'node:path';
import type { BackendHost } from '../../contract.ts';
import { holdDirectory, makeLayer } from '../directories.ts';
import type { Held } from '../held.ts';
import { findImage } from '../images/findImage.ts';
import type { BaseImage } from '../namespaces/NamespaceTestbed.ts';
import type { RootPlan } from '../namespaces/setupScript.ts';

/** What is made on disk for a container. */
export interface ContainerFiles {
  /** Makes it; called again after each removal. @throws BackendError */
  make(signal: AbortSignal): Promise<void>;
  /** Removes it. What is not there is fine. @throws BackendError `left-behind` */
  remove(signal: AbortSignal): Promise<void>;
  /** Finds anew what may have left the cache meanwhile. @throws BackendError */
  renew?(signal: AbortSignal): Promise<void>;
}

/** A layer over an image of root's: tests write to the layer, and never to the image. */
export class OverlayFiles implements ContainerFiles {
  readonly #image: string;
  readonly #host: BackendHost;
  #base: BaseImage | null = null;
  #layer: Held | null = null;

  constructor(image: string, host: BackendHost) {
    this.#image = image;
    this.#host = host;
  }

  async make(signal: AbortSignal): Promise<void> {
    this.#base ??= await findImage(this.#image, 'root', { host: this.#host, signal });
    this.#layer = await holdDirectory(this.#host, join(this.#host.workDirectory, 'layer'));
    await makeLayer(this.#layer.path);
  }

  async renew(signal: AbortSignal): Promise<void> {
    this.#base = await findImage(this.#image, 'root', { host: this.#host, signal });
  }

  async remove(signal: AbortSignal): Promise<void> {
    await this.#layer?.remove(signal);
    this.#layer = null;
  }

  /** A file to keep locked while the image is used; null for none. */
  get lock(): string | null {
    return this.#base?.lock ?? null;
  }

  /** How the root is put together. */
  get root(): RootPlan & { kind: 'overlay' } {
    const layer = this.#layer?.path ?? '';
    const place = (name: string) => join(layer, name);
    const lower = this.#base?.root ?? '';
    return { kind: 'overlay', lower, upper: place('upper'), work: place('work'), mountpoint: place('root') };
  }
}
