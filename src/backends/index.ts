export { type BackendListing, configureBackend, listBackends } from './configureBackend.ts';
export {
  type Availability,
  type Backend,
  BackendError,
  type BackendHost,
  type BackendVerbs,
  type ConfiguredBackend,
  defineBackend,
  type KeptPlace,
  type Location,
  type Observation,
  type ObservationType,
} from './contract.ts';
export { BackendLoadError, BackendOptionError } from './errors.ts';
export { loadBackend } from './loadBackend.ts';
export { backendHelp } from './optionParser.ts';
