import type { Lane } from '../model/lanes.ts';
import { lastAtMost, type RunModel } from '../model/RunModel.ts';
import { time } from './format.ts';

/** Heights in the timeline, in pixels. */
export const LANE = { height: 22, head: 24 } as const;

/** Where things are from left to right. */
export interface Scale {
  readonly left: number;
  readonly width: number;
  xOf(seq: number): number;
  /** Milliseconds, or a seq. */
  valueAt(x: number): number;
}

/** What is to be drawn. */
export interface Picture {
  readonly model: RunModel;
  readonly lanes: readonly Lane[];
  readonly cursor: number;
  readonly scale: Scale;
  readonly byTime: boolean;
  readonly chosen: string | null;
}

/** Draws the lanes that are in sight. */
export function drawLanes(canvas: HTMLCanvasElement, box: HTMLElement, picture: Picture): void {
  const { lanes, scale, model, cursor, chosen } = picture;
  const [width, height] = [box.clientWidth, box.clientHeight];
  const density = devicePixelRatio || 1;
  if (canvas.width !== Math.round(width * density) || canvas.height !== Math.round(height * density)) {
    canvas.width = Math.round(width * density);
    canvas.height = Math.round(height * density);
    canvas.style.width = `${width}px`;
    canvas.style.height = `${height}px`;
  }
  const pen = canvas.getContext('2d');
  if (pen === null || width === 0) return;
  const colours = coloursOf(box);
  pen.setTransform(density, 0, 0, density, 0, 0);
  pen.clearRect(0, 0, width, height);
  pen.font = `12px ${getComputedStyle(box).fontFamily}`;
  pen.textBaseline = 'middle';
  const first = Math.max(0, Math.floor(box.scrollTop / LANE.height));
  const last = Math.min(lanes.length, first + Math.ceil(height / LANE.height) + 1);
  for (let index = first; index < last; index++) {
    const lane = lanes[index] as Lane;
    const top = LANE.head + index * LANE.height - box.scrollTop;
    if (lane.id === chosen) {
      pen.fillStyle = colours.hover;
      pen.fillRect(0, top, width, LANE.height);
    }
    pen.save();
    pen.beginPath();
    pen.rect(scale.left, top, scale.width + 14, LANE.height);
    pen.clip();
    if (lane.kind === 'machine') drawStates(pen, lane, top, picture, colours);
    else drawChunks(pen, lane, top, picture, colours);
    pen.restore();
    pen.fillStyle = lane.kind === 'machine' ? colours.text : colours.soft;
    // Where there is no room for both, the machine's own name says more than its kind.
    const narrow = lane.kind === 'machine' && pen.measureText(lane.label).width > scale.left - 16;
    pen.fillText(
      fitting(pen, narrow ? lane.track.subject : lane.label, scale.left - 16),
      lane.kind === 'machine' ? 8 : 16,
      top + LANE.height / 2,
    );
  }
  pen.fillStyle = colours.ground;
  pen.fillRect(0, 0, width, LANE.head);
  drawAxis(pen, picture, colours);
  const x = scale.xOf(cursor);
  if (cursor > 0 && x >= scale.left - 1 && x <= scale.left + scale.width + 1) {
    pen.fillStyle = colours.accent;
    pen.fillRect(x - 1, 4, 2, height);
    pen.beginPath();
    pen.arc(x, 8, 5, 0, 7);
    pen.fill();
  }
  pen.fillStyle = colours.bad;
  let before = -10;
  for (const seq of model.failures) {
    const at = scale.xOf(seq);
    if (at < scale.left || at > scale.left + scale.width || at - before < 2) continue;
    before = at;
    pen.beginPath();
    pen.moveTo(at - 4, LANE.head - 8);
    pen.lineTo(at + 4, LANE.head - 8);
    pen.lineTo(at, LANE.head - 1);
    pen.fill();
  }
}

function drawStates(pen: CanvasRenderingContext2D, lane: Lane, top: number, picture: Picture, colours: Colours): void {
  if (lane.kind !== 'machine') return;
  const { scale, model } = picture;
  const { steps, ended } = lane.track;
  let drawnTo = Number.NEGATIVE_INFINITY;
  for (let index = firstInSight(steps, scale, model, picture.byTime); index < steps.length; index++) {
    const step = steps[index];
    if (step === undefined) break;
    const from = scale.xOf(step.seq);
    if (from > scale.left + scale.width) break;
    const next = steps[index + 1];
    const same = next !== undefined && next.state === step.state;
    const done = next === undefined && ended !== null;
    const to = next === undefined ? (done ? from + 3 : scale.xOf(model.last)) : scale.xOf(next.seq);
    // Where many states share a pixel the first of them stands for all.
    if (to < drawnTo + 0.5 && !done) continue;
    const x = Math.max(from, drawnTo, scale.left - 2);
    const wide = Math.max(1, to - x);
    pen.fillStyle = colours.ofState(step.state);
    pen.fillRect(x, top + 3, same ? wide : Math.max(1, wide - (wide > 3 ? 1 : 0)), LANE.height - 6);
    drawnTo = x + wide;
    if (wide > 40) {
      pen.fillStyle = colours.text;
      pen.fillText(fitting(pen, step.state, wide - 8), x + 4, top + LANE.height / 2);
    }
  }
}

function drawChunks(pen: CanvasRenderingContext2D, lane: Lane, top: number, picture: Picture, colours: Colours): void {
  if (lane.kind !== 'stream') return;
  const { scale, cursor, model } = picture;
  const { chunks } = lane.track;
  let before = -10;
  for (let index = firstInSight(chunks, scale, model, picture.byTime); index < chunks.length; index++) {
    const chunk = chunks[index];
    if (chunk === undefined) break;
    const x = scale.xOf(chunk.seq);
    if (x > scale.left + scale.width) break;
    if (x - before < 1) continue;
    before = x;
    pen.fillStyle = lane.id.endsWith('.stderr') ? colours.bad : colours.stream;
    pen.globalAlpha = chunk.seq > cursor ? 0.45 : 1;
    pen.fillRect(x - 1, top + 5, 3, LANE.height - 10);
  }
  pen.globalAlpha = 1;
}

/** Index of the item that is last before what is in sight. */
function firstInSight(
  items: readonly { readonly seq: number }[],
  scale: Scale,
  model: RunModel,
  byTime: boolean,
): number {
  const start = scale.valueAt(scale.left);
  let seq = Math.floor(start);
  if (byTime) {
    let [low, high] = [0, model.events.length];
    while (low < high) {
      const middle = (low + high) >> 1;
      if ((model.events[middle]?.at ?? 0) < start) low = middle + 1;
      else high = middle;
    }
    seq = low;
  }
  return Math.max(0, lastAtMost(items, seq));
}

function drawAxis(pen: CanvasRenderingContext2D, { scale, byTime }: Picture, colours: Colours): void {
  const [from, to] = [scale.valueAt(scale.left), scale.valueAt(scale.left + scale.width)];
  const most = Math.max(1, Math.floor(scale.width / 110));
  const step = niceStep((to - from) / most, byTime);
  pen.fillStyle = colours.soft;
  for (let value = Math.ceil(from / step) * step; value <= to; value += step) {
    const x = scale.left + ((value - from) / (to - from || 1)) * scale.width;
    pen.fillRect(x, LANE.head - 5, 1, 4);
    const label = byTime ? (step >= 1000 ? time(value).replace('.000', '') : time(value)) : String(Math.round(value));
    if (x + pen.measureText(label).width < scale.left + scale.width + 14) pen.fillText(label, x + 3, LANE.head / 2 - 2);
  }
}

function niceStep(rough: number, byTime: boolean): number {
  const power = 10 ** Math.floor(Math.log10(Math.max(rough, byTime ? 1e-3 : 1)));
  const nice = [1, 2, 5, 10].find((each) => each * power >= rough) ?? 10;
  return Math.max(byTime ? 0 : 1, nice * power);
}

function fitting(pen: CanvasRenderingContext2D, text: string, width: number): string {
  if (pen.measureText(text).width <= width) return text;
  const characters = Math.floor(width / 6.6);
  return characters < 3 ? '' : `${text.slice(0, characters - 1)}…`;
}

interface Colours {
  readonly text: string;
  readonly soft: string;
  readonly ground: string;
  readonly accent: string;
  readonly hover: string;
  readonly bad: string;
  readonly stream: string;
  ofState(state: string): string;
}

const GONE = /^(?:closed|concluded|gone|removed|done|idle|absent|queued|proven|between-tests)/;
const BROKEN = /^(?:failed|confused|broken|abandoning|lost)/;
const GOOD = /^(?:ready|up|running|established|testing)/;
const ENDING = /^(?:closing|retiring|tearing|destroy|stopping|draining|terminat|kill|cancel|interrupted|forced)/;

function coloursOf(box: HTMLElement): Colours {
  const style = getComputedStyle(box);
  const dark = style.getPropertyValue('color-scheme') === 'dark' || isDark(style.color);
  const own = (light: string, other: string) => (dark ? other : light);
  return {
    text: own('#1f2328', '#f0f6fc'),
    soft: own('#59636e', '#9198a1'),
    ground: own('#ffffff', '#0d1117'),
    accent: own('#0969da', '#58a6ff'),
    hover: own('#eef4fb', '#16202d'),
    bad: own('#cf222e', '#ff7b72'),
    stream: own('#57606a', '#b1bac4'),
    ofState(state) {
      if (BROKEN.test(state)) return own('#ffc1bc', '#7d2a2a');
      if (GONE.test(state)) return own('#d8dee4', '#30363d');
      if (GOOD.test(state)) return own('#aceebb', '#1b5a2f');
      return ENDING.test(state) ? own('#ffe2b8', '#5f4310') : own('#b6dcff', '#1b4a7d');
    },
  };
}

/** Whether text of this colour is light, and so what it stands on dark. */
function isDark(colour: string): boolean {
  const [red = 0, green = 0, blue = 0] = (colour.match(/[\d.]+/g) ?? []).map(Number);
  return red + green + blue > 384;
}
