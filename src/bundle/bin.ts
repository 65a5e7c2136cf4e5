#!/usr/bin/env node
import { VERSION } from '../events/index.ts';
import { load } from './load.ts';

const [first, ...rest] = process.argv.slice(2);

// Answered before anything else is loaded: scripts ask for it often.
if ((first === '--version' || first === '-V') && rest.length === 0) process.stdout.write(`${VERSION}\n`);
else void load().main(process.argv.slice(2));
