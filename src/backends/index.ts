export { configureBackend } from './configureBackend.ts';
export {
  type Availability,
  type Backend,
  BackendError,
  type BackendHost,
  type BackendVerbs,
  type ConfiguredBackend,
  defineBackend,
  type Location,
  type Observation,
  type ObservationType,
} from './contract.ts';
