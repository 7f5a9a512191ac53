import { detect, pictureOf } from './api.js';
import { firstFrame } from './first-frame.js';

const atOnce = 2;
let lastId = 0;

/**
 * The pictures on the page and what became of them; a few are asked for at once, the others wait their turn.
 * A picture's state: waiting → sending → looking → done | failed. Raises "change" whenever anything did.
 */
export class Pictures extends EventTarget {
  items = [];
  selected = null;
  #model = null;

  /** Adds pictures, { file } or { url } each, and shows the first of them. */
  add(sources) {
    const added = sources.map((source) => ({
      id: ++lastId,
      source,
      name: source.file ? source.file.name || 'Pasted picture' : nameOf(source.url),
      state: 'waiting',
    }));
    if (added.length === 0) {
      return;
    }
    this.items.push(...added);
    this.selected = added[0];
    for (const picture of added.filter((one) => one.source.file)) {
      this.#show(picture);
    }
    this.#work();
  }

  select(picture) {
    this.selected = picture;
    this.#changed();
  }

  retry(picture) {
    Object.assign(picture, { state: 'waiting', problem: null });
    this.#work();
  }

  /** Asks again about every picture that was refused for want of a key. */
  retryRefused() {
    for (const picture of this.items.filter((one) => one.problem?.status === 401)) {
      Object.assign(picture, { state: 'waiting', problem: null });
    }
    this.#work();
  }

  remove(picture) {
    const at = this.items.indexOf(picture);
    this.items.splice(at, 1);
    this.#drop(picture);
    if (this.selected === picture) {
      this.selected = this.items[at] ?? this.items[at - 1] ?? null;
    }
    this.#work();
  }

  clear() {
    this.items.splice(0).forEach((picture) => this.#drop(picture));
    this.selected = null;
    this.#changed();
  }

  /** Asks another model about every picture, the shown one first. */
  useModel(model) {
    this.#model = model;
    for (const picture of this.items) {
      picture.giveUp?.abort();
      Object.assign(picture, { state: 'waiting', problem: null, answer: null });
    }
    this.#work();
  }

  #work() {
    const busy = () => this.items.filter((picture) => picture.state === 'sending' || picture.state === 'looking').length;
    const next = () => [this.selected, ...this.items].find((picture) => picture?.state === 'waiting');
    while (busy() < atOnce && next()) {
      this.#ask(next());
    }
    this.#changed();
  }

  async #ask(picture) {
    const giveUp = new AbortController();
    Object.assign(picture, { state: picture.source.file ? 'sending' : 'looking', sent: 0, giveUp });
    try {
      const { answer, roundTrip } = await detect(picture.source, {
        model: this.#model,
        signal: giveUp.signal,
        onSent: (share) => {
          Object.assign(picture, { sent: share, state: share === 1 ? 'looking' : picture.state });
          this.#changed();
        },
      });
      if (picture.source.url && !picture.address) {
        // Kept here: the server forgets it after a while.
        const shown = await pictureOf(answer);
        if (giveUp.signal.aborted) {
          return;
        }
        picture.address = shown ? URL.createObjectURL(shown) : null;
      }
      Object.assign(picture, { state: 'done', answer, roundTrip });
    } catch (error) {
      if (giveUp.signal.aborted) {
        return; // Whoever gave it up has said what comes next.
      }
      Object.assign(picture, { state: 'failed', problem: error });
    }
    this.#work();
  }

  async #show(picture) {
    const shown = await firstFrame(picture.source.file);
    if (this.items.includes(picture)) {
      picture.address = URL.createObjectURL(shown);
      this.#changed();
    }
  }

  #drop(picture) {
    picture.giveUp?.abort();
    picture.state = 'dropped';
    if (picture.address) {
      URL.revokeObjectURL(picture.address);
    }
  }

  #changed() {
    this.dispatchEvent(new Event('change'));
  }
}

function nameOf(url) {
  const path = new URL(url).pathname.split('/').pop();
  return path || new URL(url).hostname;
}
