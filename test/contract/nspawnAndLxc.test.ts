import { describeBackends } from './support/describeBackends.ts';

describeBackends('nspawnAndLxc');
