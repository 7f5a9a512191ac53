import { el } from '../../js/elements.js';
import { askForAnotherKey, hasKey, unknownKey, withKey } from '../../js/key.js';
import { many, nameOf, span } from './words.js';

const deadline = 10_000;

/** Milliseconds between two readings of the dead letters. */
const every = 10_000;

const at = (id) => document.getElementById(id);

/** The section for administrators: models to retry, silos to drain, and dead letters. Hidden unless the caller may administer. */
export class Administration {
  #models = new Rows(at('admin-models'), (name) => new Model(name, (path) => this.#tell(path)));
  #silos = new Rows(at('admin-silos'), (name) => new Silo(name, () => this.#drain(name)));
  #items = new Rows(at('admin-items'), () => new DeadLetter());
  #dialog = at('drain');
  #body = null;
  #readAt = -Infinity;
  #asked = false; // for the key of an administrator
  #entered = false;

  constructor() {
    at('administer').addEventListener('click', () => {
      this.#asked = true;
      askForAnotherKey('Enter the key of an administrator.');
    });
    at('drain-no').addEventListener('click', () => this.#dialog.close());
    at('drain-yes').addEventListener('click', () => {
      this.#dialog.close();
      this.#tell(`silos/${encodeURIComponent(this.#dialog.dataset.silo)}/drain`);
    });
  }

  /** A key was entered. When it was to be that of an administrator and is not, the next state says why. */
  useKey() {
    this.#entered = this.#asked;
  }

  show(body) {
    const granted = body.administration === 'granted';
    const before = document.activeElement;
    at('administration').hidden = !granted;
    at('administer-card').hidden = body.administration !== 'keyNeeded';
    at('administer').textContent = hasKey() ? 'Administer with another key' : 'Administer with a key';
    if (this.#entered) {
      this.#entered = false;
      this.#asked = !granted;
      if (!granted) {
        this.#refuse();
      }
    }
    if (granted && before === at('administer')) {
      at('administration-title').focus();
    }
    if (!granted) {
      this.#readAt = -Infinity;
      return;
    }
    this.#body = body;
    at('admin-no-models').hidden = body.models.length > 0;
    at('admin-no-models').textContent = `No silo serves a model: ${reasonForNone(body.silos)}.`;
    this.#models.show(body.models, (model) => model.name);
    this.#silos.show(body.silos, (silo) => silo.name);
    if (performance.now() - this.#readAt > every) {
      this.#readAt = performance.now();
      this.#read();
    }
  }

  /** Shows the field again, with the reason why the entered key is not enough. */
  async #refuse() {
    const { status, problem } = await call('dead-letters');
    if (problem) {
      askForAnotherKey(status === 401 ? unknownKey : problem, true);
    }
  }

  async #read() {
    const { body } = await call('dead-letters');
    if (body) {
      at('admin-none').hidden = body.items.length > 0;
      this.#items.show(body.items, (item) => `${item.imageKey} ${item.model} ${item.at}`);
    }
  }

  async #tell(path) {
    const { body, problem } = await call(path, 'POST');
    // Screen readers read this aloud whenever it is set.
    at('admin-said').textContent = problem ?? (body.silo
      ? `${body.silo} drains. It stays so until its process is restarted.`
      : body.silos.map((silo) => `${silo.name}: ${outcomes[silo.outcome]}`).join(', '));
  }

  #drain(name) {
    this.#dialog.dataset.silo = name;
    at('drain-name').textContent = name;
    const alone = this.#body.models.filter(({ silos }) => silos.length === 1 && silos[0] === name).map((model) => model.name);
    at('drain-others').hidden = alone.length > 0;
    at('drain-alone').hidden = alone.length === 0;
    at('drain-alone').textContent = `No other silo serves ${alone.join(', ')}: its pictures wait until a silo does, and fail when their deadlines pass.`;
    this.#dialog.showModal();
  }
}

function reasonForNone(silos) {
  return silos.length === 0 ? 'none is running'
    : silos.every((silo) => silo.drained) ? 'every silo is drained, restart one'
      : silos.some((silo) => silo.problems.length > 0) ? 'their problems are at the top of this page'
        : 'none has loaded one';
}

const outcomes = {
  retrying: 'retrying now',
  serving: 'serves the model, nothing to retry',
  notFound: 'has no files of this name',
  unreachable: 'did not respond',
  drained: 'is drained; restart its process',
};

/** Calls the API of administrators. */
async function call(path, method = 'GET') {
  try {
    const response = await fetch(`/v1/admin/${path}`, { method, headers: withKey({ Accept: 'application/json' }), signal: AbortSignal.timeout(deadline) });
    const body = await response.json().catch(() => null); // The body may be an HTML page of a proxy.
    return response.ok && body ? { body } : { status: response.status, problem: body?.detail ?? `The server answered ${response.status}.` };
  } catch {
    return { problem: 'No connection to the server.' };
  }
}

/** Moves the focus before an element with it vanishes, else it falls to the top of the page. */
function keepFocus(element) {
  if (element.contains(document.activeElement)) {
    at('admin-said').focus();
  }
}

function hide(button, hidden) {
  if (hidden) {
    keepFocus(button);
  }
  button.hidden = hidden;
}

/** Rows of a list that stay the same elements, so that a button keeps the focus. */
class Rows {
  #root;
  #make;
  #rows = new Map();

  constructor(root, make) {
    this.#root = root;
    this.#make = make;
  }

  show(items, keyOf) {
    const keys = new Set(items.map(keyOf));
    for (const [key, row] of this.#rows) {
      if (!keys.has(key)) {
        keepFocus(row.root);
        row.root.remove();
        this.#rows.delete(key);
      }
    }
    items.forEach((item, index) => {
      const key = keyOf(item);
      let row = this.#rows.get(key);
      if (!row) {
        row = this.#make(key);
        this.#rows.set(key, row);
      }
      row.show(item);
      if (this.#root.children[index] !== row.root) {
        this.#root.insertBefore(row.root, this.#root.children[index] ?? null);
      }
    });
  }
}

class Model {
  #state = el('span', { class: 'quiet' });
  #problems = el('ul', { class: 'wrong' });
  #retry;
  root;

  constructor(name, tell) {
    this.#retry = el('button', { class: 'button', type: 'button', text: 'Retry', 'aria-label': `Retry ${name}`, click: () => tell(`models/${encodeURIComponent(name)}/retry`) });
    this.root = el('li', {}, el('div', {}, el('b', { text: name }), ' ', this.#state, this.#problems), this.#retry);
  }

  show(model) {
    this.#state.textContent = model.silos.length > 0
      ? `served by ${many(model.silos.length, 'silo')}, version ${model.versions.join(', ')}`
      : 'not served';
    const texts = model.problems.map((problem) => `${problem.silo}: ${problem.detail}`);
    if (texts.join() !== [...this.#problems.children].map((item) => item.textContent).join()) {
      this.#problems.replaceChildren(...texts.map((text) => el('li', { text })));
    }
    hide(this.#retry, texts.length === 0);
  }
}

class Silo {
  #state = el('span', { class: 'quiet' });
  #drain;
  root;

  constructor(name, drain) {
    this.#drain = el('button', { class: 'button', type: 'button', text: 'Drain', 'aria-label': `Drain ${name}`, click: drain });
    this.root = el('li', {}, el('div', {}, el('b', { text: name }), ' ', this.#state), this.#drain);
  }

  show(silo) {
    const batchers = silo.devices.flatMap((device) => device.batchers);
    const held = batchers.reduce((sum, batcher) => sum + batcher.inFlight, 0);
    this.#state.textContent = silo.devices.length === 0 ? 'no device'
      : !silo.drained ? many(silo.devices.length, 'device')
        : batchers.length > 0 ? `draining, ${many(held, 'picture')} left`
          : 'drained; restart its process to let it serve again';
    hide(this.#drain, silo.drained || silo.devices.length === 0);
  }
}

class DeadLetter {
  #what = el('div');
  #expired = el('span', { class: 'quiet', text: 'picture expired' });
  #look = el('button', { class: 'button', type: 'button', 'aria-expanded': 'false', text: 'Show picture', click: () => this.#toggle() });
  #figure = el('figure', { hidden: true });
  #item = null;
  #url = null;
  root = el('li', {}, this.#what, this.#expired, this.#look, this.#figure);

  show(item) {
    if (!this.#item) {
      const reason = item.reason === 'poison' ? `its workers stopped ${item.attempts} times` : `devices failed on it ${item.attempts} times`;
      this.#what.append(
        el('b', { text: nameOf(item.model) }), ` ${reason} `, el('code', { text: `${item.imageKey.slice(0, 8)}…`, title: item.imageKey }),
        ` ${new Date(item.at).toLocaleString([], { dateStyle: 'medium', timeStyle: 'short' })}`);
      this.#look.setAttribute('aria-label', `Show picture ${item.imageKey.slice(0, 8)}`);
    }
    this.#item = item;
    const left = item.pictureUntil ? Date.parse(item.pictureUntil) - Date.now() : 0;
    hide(this.#look, !item.pictureUntil && this.#url === null);
    this.#expired.textContent = item.pictureUntil ? `picture kept for ${span(left)}` : 'picture expired';
  }

  async #toggle() {
    if (this.#url !== null) {
      URL.revokeObjectURL(this.#url);
      this.#url = null;
      this.#figure.replaceChildren();
    } else {
      await this.#load();
    }
    this.#figure.hidden = this.#figure.children.length === 0;
    this.#look.setAttribute('aria-expanded', String(!this.#figure.hidden));
  }

  /** A request for an image cannot send the key, so the bytes are read first. */
  async #load() {
    const key = this.#item.imageKey;
    try {
      const response = await fetch(`/v1/admin/dead-letters/${key}/picture`, { headers: withKey({}), signal: AbortSignal.timeout(60_000) });
      if (!response.ok) {
        throw new Error();
      }
      this.#url = URL.createObjectURL(await response.blob());
      this.#figure.replaceChildren(
        el('img', { src: this.#url, alt: `The picture ${key.slice(0, 8)}`, error: (event) => event.target.replaceWith(el('p', { text: 'Your browser cannot show this picture.' })) }),
        el('figcaption', {}, el('a', { href: this.#url, download: key, text: 'Download' })));
    } catch {
      this.#figure.replaceChildren(el('p', { text: 'The picture is not available any more.' }));
    }
  }
}
