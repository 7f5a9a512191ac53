import { el } from '../../js/elements.js';
import { askForKeyAfter401, openKeyField, withKey } from '../../js/key.js';
import { showLinks } from '../../js/site.js';
import { Administration } from './administration.js';
import { Chart } from './chart.js';
import { Queues } from './queues.js';
import { Silos } from './silos.js';
import { count, judge, nameOf, seconds, span } from './words.js';

const every = 1000;
const deadline = 5000;
const failuresInSight = 5;

const at = (id) => document.getElementById(id);
const status = at('status');
const queues = new Queues(at('queues'));
const silos = new Silos(at('silos'));
const administration = new Administration();
const throughput = new Chart('Pictures a second', [{ name: 'pictures', colour: '--inference', of: (i) => i.completed / i.seconds }], count, 1);
const times = new Chart('Time to the answer', [
  { name: 'usual', colour: '--decode', of: (i) => i.p50 },
  { name: 'slowest 5 %', colour: '--postprocess', of: (i) => i.p95 },
], seconds, 0.1);
const batches = new Chart('Pictures in a batch', [{ name: 'pictures', colour: '--queue', of: (i) => i.batchSize }], count, 2);
at('charts').append(throughput.root, times.root, batches.root);

let timer = null;
let seen = null;

document.addEventListener('visibilitychange', () => (document.hidden ? pause() : refresh()));
openKeyField(() => {
  administration.useKey();
  refresh();
}, at('headline'));
showLinks();
openJsonWithKey(document.querySelector('a[href="/v1/status"]'));
refresh();

/** Shows the status, and repeats it while the page is visible. */
async function refresh() {
  pause();
  const answer = await readStatus();
  if (answer.status === 401) {
    lost('An API key is needed', 'Enter it to see the state of the cluster.', 'unknown');
    return; // Entering the key refreshes.
  }
  if (!document.hidden && timer === null) {
    timer = setTimeout(refresh, Math.max(every, 1000 * (answer.retryAfter || 0)));
  }
  if (answer.body) {
    seen = Date.now();
    show(answer.body);
  } else {
    lost(answer.title, answer.detail);
  }
}

/** The status, or a title and a detail why there is none. */
async function readStatus() {
  try {
    const response = await fetch('/v1/status', { headers: withKey({ Accept: 'application/json' }), signal: AbortSignal.timeout(deadline) });
    askForKeyAfter401(response.status);
    if (response.ok) {
      return { body: await response.json() };
    }
    const problem = await response.json().catch(() => null); // Not JSON, for example the page of a proxy: show the HTTP status.
    const retryAfter = Number.parseInt(response.headers.get('Retry-After') ?? '', 10);
    return { status: response.status, retryAfter, title: problem?.title ?? `The server answered ${response.status}`, detail: problem?.detail ?? '' };
  } catch {
    return { title: 'No connection to the server', detail: 'Retrying.' };
  }
}

/** A link cannot send the key, so its target is fetched and opened. */
function openJsonWithKey(link) {
  const open = async (event) => {
    if (Object.keys(withKey({})).length === 0 || event.button > 1) {
      return;
    }
    event.preventDefault();
    const target = event.button === 1 || event.ctrlKey || event.metaKey || event.shiftKey ? window.open('about:blank') : window;
    const { body, title } = await readStatus();
    const json = body ? JSON.stringify(body, null, 2) : title;
    target.location.href = URL.createObjectURL(new Blob([json], { type: body ? 'application/json' : 'text/plain' }));
  };
  link.addEventListener('click', open);
  link.addEventListener('auxclick', open);
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
  const { picturesPerSecond, p50, p95, batchSize } = body.now;
  const possible = Math.max(silos.pace, picturesPerSecond);
  at('rate').textContent = count(picturesPerSecond);
  at('usual').textContent = seconds(p50);
  at('slow').textContent = seconds(p95);
  at('possible').textContent = possible > 0 ? `${count(possible)} a second` : '–';
  move(at('road-in'), picturesPerSecond);
  move(at('road-out'), picturesPerSecond);
  const most = Math.max(0, ...body.silos.flatMap((silo) => silo.devices.map((device) => device.maxBatch)));
  // The last point of the charts is the current state.
  const intervals = [...body.intervals, { start: body.at, seconds: 1, completed: picturesPerSecond, p50, p95, batchSize }];
  throughput.show(intervals);
  times.show(intervals);
  batches.show(intervals, most > 0 ? ` of at most ${most}` : '');
  failures(body.failures, now);
  administration.show(body);
  for (const part of ['flow', 'charts', 'failures-card']) {
    at(part).hidden = false;
  }
  at('stamp').textContent = `State at ${new Date(body.at).toLocaleTimeString([], { timeStyle: 'medium' })}, refreshed each second.`;
}

/** Keeps the shown state and says how old it is. */
function lost(sentence, detail, health = 'ill') {
  status.dataset.health = health;
  delete status.dataset.alive;
  say(sentence, seen === null ? detail : `${detail} The state below is ${span(Date.now() - seen)} old.`);
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

/** Moves a dot for each picture, up to a pace that can be seen. */
function move(road, perSecond) {
  road.classList.toggle('moving', perSecond > 0);
  if (perSecond > 0) {
    road.style.setProperty('--pace', `${Math.min(3, Math.max(0.12, 1 / perSecond)).toFixed(2)}s`);
  }
}

function failures(all, now) {
  at('no-failures').hidden = all.length > 0;
  const rows = all.map((failure) => el('li', {},
    el('span', { class: 'when', text: `${span(now - Date.parse(failure.at))} ago` }),
    el('span', {}, el('b', { text: reasons[failure.reason] ?? failure.reason }), el('span', { text: ` – ${failure.message} ` }), el('code', { text: `${failure.picture}…`, title: "The first digits of the picture's key, which the logs show too" })),
    el('span', { class: 'where', text: [failure.device, nameOf(failure.model)].filter(Boolean).join(', ') })));
  at('failures').replaceChildren(...rows.slice(0, failuresInSight));
  at('earlier').hidden = rows.length <= failuresInSight;
  at('earlier-count').textContent = `${rows.length - failuresInSight} earlier`;
  at('earlier-failures').replaceChildren(...rows.slice(failuresInSight));
}

const reasons = {
  Inference: 'The model failed',
  NotAPicture: 'Not a picture',
  Undecodable: 'A damaged picture',
  Unsupported: 'A kind of picture that is not supported',
  TooLarge: 'Too large',
  Poison: 'Too many failed attempts',
  PictureLost: 'The picture was lost',
  Expired: 'Deadline passed',
};
