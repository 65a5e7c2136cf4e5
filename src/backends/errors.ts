/** A backend that cannot be found, or a module that is none. */
export class BackendLoadError extends Error {
  override readonly name = 'BackendLoadError';
  /** As the user named it. */
  readonly backend: string;
  /** The field of the module that is wrong; null where there is no module. */
  readonly field: string | null;
  constructor(backend: string, message: string, field: string | null = null, options?: ErrorOptions) {
    super(message, options);
    this.backend = backend;
    this.field = field;
  }
}

/** Words after a backend's name that it does not take. */
export class BackendOptionError extends Error {
  override readonly name = 'BackendOptionError';
  readonly backend: string;
  /** As on the command line (`--port`); null where no single option is to blame. */
  readonly option: string | null;
  constructor(backend: string, message: string, option: string | null = null) {
    super(message);
    this.backend = backend;
    this.option = option;
  }
}
