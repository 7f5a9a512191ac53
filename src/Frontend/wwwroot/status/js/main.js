import { el } from '../../js/elements.js';
import { Chart } from './chart.js';
import { Queues } from './queues.js';
import { Silos } from './silos.js';
import { count, judge, nameOf, seconds, span } from './words.js';

const every = 1000;
const deadline = 5000;

const at = (id) => document.getElementById(id);
const status = at('status');
const queues = new Queues(at('queues'));
const silos = new Silos(at('silos'));
const charts = [
  new Chart('Pictures a second', [{ name: 'pictures', colour: '--inference', of: (i) => i.completed / i.seconds }], count, 1),
  new Chart('Time to the answer', [
    { name: 'usual', colour: '--decode', of: (i) => i.p50 },
    { name: 'slowest 5 %', colour: '--postprocess', of: (i) => i.p95 },
  ], seconds, 0.1),
  new Chart('Pictures in a batch', [{ name: 'pictures', colour: '--queue', of: (i) => i.batchSize }], count, 2),
];
at('charts').append(...charts.map((chart) => chart.root));

let timer = null;
let seen = null;

document.addEventListener('visibilitychange', () => (document.hidden ? pause() : look()));
look();

/** Looks, and looks again a moment after the answer, as long as somebody sees the page. */
async function look() {
  clearTimeout(timer);
  timer = null;
  try {
    const response = await fetch('/v1/status', { headers: { Accept: 'application/json' }, signal: AbortSignal.timeout(deadline) });
    const body = await response.json();
    if (response.ok) {
      seen = Date.now();
      show(body);
    } else {
      lost(body.title ?? `The server answered ${response.status}`, body.detail ?? '');
    }
  } catch {
    lost('No connection to the server', 'Trying again.');
  }
  if (!document.hidden && timer === null) {
    timer = setTimeout(look, every);
  }
}

function pause() {
  clearTimeout(timer);
  timer = null;
}

function show(body) {
  const now = Date.parse(body.at);
  const { health, sentence, detail } = judge(body);
  status.dataset.health = health;
  status.dataset.alive = '';
  say(sentence, detail);
  problems(body.silos.flatMap((silo) => silo.problems.map((problem) => `${silo.name}: ${problem}`)));

  const waiting = body.queues.reduce((sum, queue) => sum + queue.length, 0);
  at('waiting').textContent = waiting.toLocaleString('en');
  at('waiting-of').textContent = body.queues.length === 1 ? `of ${body.queues[0].capacity.toLocaleString('en')} places` : '';
  queues.show(body.queues);
  silos.show(body.silos, now);
  const { picturesPerSecond, possiblePerSecond, p50, p95 } = body.now;
  at('rate').textContent = count(picturesPerSecond);
  at('usual').textContent = seconds(p50);
  at('slow').textContent = seconds(p95);
  at('possible').textContent = possiblePerSecond > 0 ? `${count(possiblePerSecond)} a second` : '–';
  move(at('road-in'), picturesPerSecond);
  move(at('road-out'), picturesPerSecond);
  charts.forEach((chart) => chart.show(body.intervals));
  failures(body.failures, now);
  for (const part of ['flow', 'charts', 'failures-card']) {
    at(part).hidden = false;
  }
  at('stamp').textContent = `Seen at ${new Date(body.at).toLocaleTimeString([], { timeStyle: 'medium' })}, looked at again each second.`;
}

/** What is shown stays, and is said to be old. */
function lost(sentence, detail) {
  status.dataset.health = 'ill';
  delete status.dataset.alive;
  say(sentence, seen === null ? detail : `${detail} What is below is ${span(Date.now() - seen)} old.`);
  move(at('road-in'), 0);
  move(at('road-out'), 0);
}

function say(sentence, detail) {
  // Screen readers read the headline aloud whenever it is set.
  if (at('headline').textContent !== sentence) {
    at('headline').textContent = sentence;
  }
  at('subline').textContent = detail;
}

function problems(all) {
  at('problems').hidden = all.length === 0;
  at('problems').replaceChildren(...all.map((problem) => el('li', { text: problem })));
}

/** A dot passes each time a picture does, while that can be seen. */
function move(road, perSecond) {
  road.classList.toggle('moving', perSecond > 0);
  if (perSecond > 0) {
    road.style.setProperty('--pace', `${Math.min(3, Math.max(0.12, 1 / perSecond)).toFixed(2)}s`);
  }
}

function failures(all, now) {
  at('no-failures').hidden = all.length > 0;
  at('failures').replaceChildren(...all.map((failure) => el('li', {},
    el('span', { class: 'when', text: `${span(now - Date.parse(failure.at))} ago` }),
    el('span', {}, el('b', { text: reasons[failure.reason] ?? failure.reason }), el('span', { text: ` – ${failure.message} ` }), el('code', { text: `${failure.picture}…` })),
    el('span', { class: 'where', text: [failure.device, nameOf(failure.model)].filter(Boolean).join(', ') }))));
}

const reasons = {
  Inference: 'The model failed',
  NotAPicture: 'Not a picture',
  Undecodable: 'A damaged picture',
  Unsupported: 'A kind of picture that is not supported',
  TooLarge: 'Too large',
  Poison: 'Given up',
  PictureLost: 'The picture was gone',
  Expired: 'Too late',
};
