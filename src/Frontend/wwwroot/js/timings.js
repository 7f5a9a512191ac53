import { el } from './elements.js';

const stages = [
  ['queue', 'In the queue'],
  ['decode', 'Decoding'],
  ['preprocess', 'Resizing'],
  ['inference', 'Inference'],
  ['postprocess', 'Boxes'],
];

const sources = {
  computed: 'computed now',
  joined: 'shared with a request in progress',
  cached: 'from the cache',
};

/** The durations of the stages. */
export class Timings {
  #headline = el('span');
  #body = el('div');
  root;

  constructor() {
    // Closed on a low screen, where the list of objects needs the room.
    const open = window.innerWidth < 900 || window.innerHeight >= 860;
    this.root = el('section', { class: 'timings' },
      el('details', { open }, el('summary', {}, el('b', { text: 'Time' }), this.#headline), this.#body));
  }

  show(answer, roundTrip) {
    const { timings } = answer;
    const source = String(answer.source ?? (answer.cached ? 'cached' : 'computed')).toLowerCase();
    this.#headline.textContent = `${milliseconds(roundTrip)}, ${sources[source] ?? source}`;
    const spans = stages.filter(([stage]) => timings[stage] > 0).map(([stage]) => {
      const span = el('span', { class: stage });
      span.style.flexGrow = String(timings[stage]);
      return span;
    });
    const here = [...row('void', 'Total on the server', timings.total, 'sum'), ...row('void', 'Round trip of this browser', roundTrip)];
    const work = stages.flatMap(([stage, name]) => row(stage, name, timings[stage]));
    const bar = el('div', { class: 'spans', 'aria-hidden': 'true' }, ...spans);
    const note = el('p', { class: 'note', text: timings.batchSize > 1 ? `In a batch of ${timings.batchSize} pictures.` : 'Alone in its batch.' });
    // The stages of a cached answer belong to an earlier request, so they are separate from the durations of this one.
    this.#body.replaceChildren(...(source === 'computed'
      ? [bar, el('dl', {}, ...work, ...here), note]
      : [el('dl', { class: 'apart' }, ...here),
        el('p', { class: 'note', text: source === 'cached' ? 'The stages of the earlier request:' : 'The stages of the request in progress:' }),
        bar, el('dl', {}, ...work), note]));
  }

  showNone() {
    this.#headline.textContent = '';
    this.#body.replaceChildren(
      el('div', { class: 'spans', 'aria-hidden': 'true' }),
      el('dl', {},
        ...stages.flatMap(([stage, name]) => row(stage, name)),
        ...row('void', 'Total on the server', undefined, 'sum'),
        ...row('void', 'Round trip of this browser')),
      el('p', { class: 'note', text: '\u00a0' }));
  }
}

function row(stage, name, value, kind = '') {
  return [
    el('dt', { class: kind }, el('i', { class: stage }), el('span', { text: name })),
    el('dd', { class: kind, text: value === undefined || value === null ? '–' : milliseconds(value) }),
  ];
}

function milliseconds(value) {
  return value >= 10_000 ? `${(value / 1000).toFixed(1)} s` : value >= 100 ? `${Math.round(value)} ms` : `${value.toFixed(1)} ms`;
}
