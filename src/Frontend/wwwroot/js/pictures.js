import { detect, find, pictureOf } from './api.js';
import { firstFrame } from './first-frame.js';
import { readable } from './readable.js';

const atOnce = 2;
let lastId = 0;

/**
 * The pictures on the page and their answers. A few requests run at the same time; the other pictures wait.
 * States of a picture: waiting → sending → looking → done | failed. Raises "change" after each change.
 */
export class Pictures extends EventTarget {
  items = [];
  selected = null;
  #model = null;

  /** Adds pictures, { file }, { url } or { imageKey, model } each, and shows the first of them. */
  add(sources) {
    const added = sources.map((source) => ({
      id: nextId(),
      source,
      name: source.name ?? (source.file ? source.file.name || 'Pasted picture' : source.url ? nameOf(source.url) : 'Shared picture'),
      state: 'waiting',
    }));
    if (added.length === 0) {
      return;
    }
    this.items.push(...added);
    this.selected = added[0];
    this.#prepareAll(added);
    this.#work();
  }

  /** Restores the pictures from before a reload. */
  restore(kept, selected, model) {
    this.#model = model ?? null;
    for (const { id, name, source, shown, answer, roundTrip } of kept) {
      const picture = { id, name, source, shown, state: answer ? 'done' : 'waiting', answer, roundTrip };
      this.items.push(picture);
      if (shown) {
        picture.address = URL.createObjectURL(shown);
      }
    }
    this.#prepareAll(this.items);
    this.selected = this.items.find(({ id }) => id === selected) ?? this.items[0] ?? null;
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

  /** Retries the pictures that were refused without a valid key. */
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

  /** Sends all pictures to another model, the shown one first. */
  useModel(model) {
    this.#model = model;
    for (const picture of this.items) {
      picture.request?.abort();
      if (picture.source.imageKey && picture.shown) {
        Object.assign(picture, { source: { file: picture.shown }, prepared: null }); // the key has a result of the other model only
      }
      Object.assign(picture, { state: 'waiting', problem: null, answer: null });
    }
    this.#work();
  }

  #work() {
    const busy = () => this.items.filter((picture) => picture.state === 'sending' || picture.state === 'looking').length;
    const next = () => [this.selected, ...this.items].find((picture) => picture?.state === 'waiting');
    while (busy() < atOnce && next()) {
      this.#detect(next());
    }
    this.#changed();
  }

  async #detect(picture) {
    const request = new AbortController();
    const { source } = picture;
    Object.assign(picture, { state: source.file ? 'sending' : 'looking', sent: 0, request });
    try {
      if (source.file) {
        await (picture.prepared ??= this.#prepare(picture));
        request.signal.throwIfAborted();
      }
      const { answer, roundTrip } = await this.#answer(picture, request.signal);
      if (!source.file && !picture.shown) {
        // The page keeps the picture, because it expires on the server.
        const { blob, expired } = await pictureOf(answer);
        request.signal.throwIfAborted();
        picture.source = { ...source, expired };
        this.#show(picture, blob);
      }
      Object.assign(picture, { state: 'done', answer, roundTrip });
    } catch (error) {
      if (request.signal.aborted) {
        return; // The code that cancelled the request has set the new state.
      }
      Object.assign(picture, { state: 'failed', problem: error });
    }
    this.#work();
  }

  #answer(picture, signal) {
    const { source, file } = picture;
    return source.imageKey ? find(source, { signal }) : detect(source.file ? { file } : source, {
      model: this.#model,
      signal,
      onSent: (share) => {
        Object.assign(picture, { sent: share, state: share === 1 ? 'looking' : picture.state });
        this.#changed();
      },
    });
  }

  #prepareAll(pictures) {
    for (const picture of pictures.filter(({ source, prepared }) => source.file && !prepared)) {
      picture.prepared = this.#prepare(picture);
      picture.prepared.catch(() => {}); // the request reports it
    }
  }

  /** Converts a file to a format that the server reads, and shows it. */
  async #prepare(picture) {
    picture.file = await readable(picture.source.file);
    const shown = await firstFrame(picture.file);
    if (this.items.includes(picture)) {
      this.#show(picture, shown);
    }
  }

  #show(picture, shown) {
    if (picture.address) {
      URL.revokeObjectURL(picture.address);
    }
    picture.shown = shown;
    picture.address = shown ? URL.createObjectURL(shown) : null;
    this.#changed();
  }

  #drop(picture) {
    picture.request?.abort();
    picture.state = 'dropped';
    if (picture.address) {
      URL.revokeObjectURL(picture.address);
    }
  }

  #changed() {
    this.dispatchEvent(new Event('change'));
  }
}

// Ids are unique also after a reload, and increase in the order of the pictures.
function nextId() {
  lastId = Math.max(lastId + 1, Date.now());
  return lastId;
}

function nameOf(url) {
  const path = new URL(url).pathname.split('/').pop();
  return path || new URL(url).hostname;
}
