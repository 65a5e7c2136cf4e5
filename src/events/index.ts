export { brief } from './brief.ts';
export {
  type Cause,
  type CauseClass,
  classOfLoss,
  classOfUnwritable,
  exitCodeOf,
  type Failure,
  isTestbedsFault,
  type Loss,
  type Phase,
} from './cause.ts';
export { type Clock, systemClock } from './clock.ts';
export { type Command, type CommandType, DEADLINES, type Deadline, type DeadlineTable } from './command.ts';
export type { Decision } from './decision.ts';
export type {
  AuthMethod,
  Capability,
  CommandResult,
  Credentials,
  Endpoint,
  ReachableEndpoint,
  RunningServer,
} from './endpoint.ts';
export {
  type Emit,
  EVENT_VERSION,
  type EventData,
  type EventDraft,
  type EventType,
  type Origin,
  type TrundleEvent,
} from './event.ts';
export { didYouMean, nearestOption } from './nearest.ts';
export { mapOptions } from './optionWords.ts';
export { RESOURCE_KINDS } from './resourceKinds.ts';
export { VERSION } from './version.ts';
