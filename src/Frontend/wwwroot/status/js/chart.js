import { el, svg } from '../../js/elements.js';

const width = 300;
const height = 100;

/**
 * A curve over the last five minutes.
 * @param {string} title
 * @param {{name: string, colour: string, of: (interval: object) => number|null|undefined}[]} lines
 * @param {(value: number) => string} text formats a value
 * @param {number} least lowest upper end of the scale
 */
export class Chart {
  #title;
  #lines;
  #text;
  #least;
  #now = el('p', { class: 'values' });
  #of = '';
  #plot;
  #canvas;
  #scales = [el('span', { class: 'scale' }), el('span', { class: 'scale' })];
  #intervals = [];
  #pointer = svg('line', { class: 'pointer', y1: 0, y2: height, visibility: 'hidden' });
  #at = null;
  root;

  constructor(title, lines, text, least) {
    this.#title = title;
    this.#lines = lines.map((line) => ({
      ...line,
      area: svg('path', { class: 'area', fill: `var(${line.colour})` }),
      stroke: svg('path', { class: 'stroke', stroke: `var(${line.colour})` }),
    }));
    this.#text = text;
    this.#least = least;
    this.#canvas = svg('svg', { viewBox: `0 0 ${width} ${height}`, preserveAspectRatio: 'none', role: 'img' },
      svg('line', { class: 'grid', x1: 0, x2: width, y1: height, y2: height }),
      svg('line', { class: 'grid', x1: 0, x2: width, y1: height / 2, y2: height / 2 }),
      svg('line', { class: 'grid', x1: 0, x2: width, y1: 0, y2: 0 }),
      ...this.#lines.flatMap((line) => [line.area, line.stroke]),
      this.#pointer);
    this.#plot = el('div', { class: 'plot' }, this.#canvas, ...this.#scales);
    this.#canvas.addEventListener('pointermove', (event) => this.#point(event));
    this.#canvas.addEventListener('pointerleave', () => this.#point(null));
    this.root = el('article', { class: 'card chart' },
      el('header', {}, el('h2', { text: title }), this.#now),
      this.#plot,
      el('footer', {},
        el('span', { text: '5 minutes ago' }),
        el('span', {}, ...(this.#lines.length > 1 ? this.#lines.map((line) => key(line, line.name)) : [])),
        el('span', { text: 'now' })));
  }

  /** @param {string} of text after the value: " of at most 32" */
  show(intervals, of = '') {
    this.#intervals = intervals;
    this.#of = of;
    const values = this.#lines.flatMap((line) => intervals.map((interval) => line.of(interval) ?? 0));
    const top = nice(Math.max(this.#least, ...values));
    for (const line of this.#lines) {
      const points = intervals.map((interval, index) => [x(index, intervals.length), y(line.of(interval), top)]);
      line.stroke.setAttribute('d', curve(points));
      line.area.setAttribute('d', surface(points));
    }
    this.#scales.forEach((scale, index) => {
      const value = index === 0 ? top : top / 2;
      scale.textContent = this.#text(value);
    });
    this.#canvas.setAttribute('aria-label', `${this.#title}, the last five minutes. ${this.#lines.map((line) => this.#summary(line)).join(' ')}`);
    this.#showValues();
  }

  #point(event) {
    const box = this.#canvas.getBoundingClientRect();
    const count = this.#intervals.length;
    this.#at = event && count > 0 ? Math.round(Math.min(1, Math.max(0, (event.clientX - box.left) / box.width)) * (count - 1)) : null;
    this.#pointer.setAttribute('visibility', this.#at === null ? 'hidden' : 'visible');
    if (this.#at !== null) {
      this.#pointer.setAttribute('x1', x(this.#at, count));
      this.#pointer.setAttribute('x2', x(this.#at, count));
    }
    this.#showValues();
  }

  /** Shows the values under the pointer, or the last ones. */
  #showValues() {
    const interval = this.#intervals[this.#at ?? this.#intervals.length - 1];
    const lines = interval ? this.#lines.filter((line) => isKnown(line.of(interval))) : [];
    const when = this.#at === null ? null : el('span', { class: 'when', text: new Date(interval.start).toLocaleTimeString([], { timeStyle: 'medium' }) });
    this.#now.replaceChildren(...[
      when,
      ...lines.map((line) => {
        const value = `${this.#text(line.of(interval))}${this.#of}`;
        return this.#lines.length > 1 ? key(line, value) : el('span', { text: value });
      }),
      lines.length === 0 ? el('span', { class: 'quiet', text: 'nothing' }) : null,
    ].filter(Boolean));
  }

  /** A line as text, for screen readers. */
  #summary(line) {
    const values = this.#intervals.map(line.of).filter(isKnown);
    return values.length === 0
      ? `${line.name}: nothing.`
      : `${line.name}: last ${this.#text(values.at(-1))}${this.#of}, lowest ${this.#text(Math.min(...values))}, highest ${this.#text(Math.max(...values))}.`;
  }
}

function isKnown(value) {
  return value !== null && value !== undefined;
}

function key(line, text) {
  const mark = el('i');
  mark.style.background = `var(${line.colour})`;
  return el('span', { class: 'key' }, mark, el('span', { text }));
}

function x(index, count) {
  return count > 1 ? (width * index) / (count - 1) : width;
}

function y(value, top) {
  return isKnown(value) ? height - (height * Math.min(value, top)) / top : null;
}

/** The pieces of a curve between intervals without a value. */
function pieces(points) {
  const all = [[]];
  for (const point of points) {
    if (point[1] === null) {
      all.push([]);
    } else {
      all.at(-1).push(point);
    }
  }
  return all.filter((piece) => piece.length > 0);
}

function path(piece) {
  // A single point as a short dash, so that it is seen.
  const points = piece.length === 1 ? [[piece[0][0] - 1.5, piece[0][1]], [piece[0][0] + 1.5, piece[0][1]]] : piece;
  return points.map(([px, py], index) => `${index === 0 ? 'M' : 'L'}${px.toFixed(1)} ${py.toFixed(1)}`).join('');
}

function curve(points) {
  return pieces(points).map(path).join('');
}

function surface(points) {
  return pieces(points).map((piece) => `${path(piece)}L${piece.at(-1)[0].toFixed(1)} ${height}L${piece[0][0].toFixed(1)} ${height}Z`).join('');
}

/** The next larger round number whose half is a round number too. */
function nice(value) {
  const power = 10 ** Math.floor(Math.log10(value));
  return [1, 2, 3, 4, 6, 8, 10].map((factor) => factor * power).find((candidate) => candidate >= value * 0.999);
}
