import { el } from '../../js/elements.js';
import { count, isOut, many, nameOf, span } from './words.js';

/** A device has the next batch prepared while it works on one. */
const batchesInHand = 2;
const mostSquares = 64;

/** The machines with their devices. Cards stay the same elements, so that what changes is seen to change. */
export class Silos {
  #root;
  #cards = new Map();

  constructor(root) {
    this.#root = root;
  }

  show(silos, now) {
    for (const [name, card] of this.#cards) {
      if (!silos.some((silo) => silo.name === name)) {
        card.root.remove();
        this.#cards.delete(name);
      }
    }
    silos.forEach((silo, index) => {
      let card = this.#cards.get(silo.name);
      if (!card) {
        card = new Silo(silo.name);
        this.#cards.set(silo.name, card);
      }
      card.show(silo, now);
      if (this.#root.children[index] !== card.root) {
        this.#root.insertBefore(card.root, this.#root.children[index] ?? null);
      }
    });
  }
}

class Silo {
  #age = el('span');
  #none = el('p', { class: 'none', text: 'Keeps requests and fetches pictures; has no device.' });
  #devices = new Map();
  root;

  constructor(name) {
    this.root = el('article', { class: 'silo', 'aria-label': name },
      el('header', {}, el('b', { text: name, title: name }), this.#age), this.#none);
  }

  show(silo, now) {
    this.#age.textContent = `up ${span(now - Date.parse(silo.startedAt))}`;
    this.#none.hidden = silo.devices.length > 0;
    for (const [id, row] of this.#devices) {
      if (!silo.devices.some((device) => device.id === id)) {
        row.root.remove();
        this.#devices.delete(id);
      }
    }
    for (const device of silo.devices) {
      let row = this.#devices.get(device.id);
      if (!row) {
        row = new Device(device);
        this.#devices.set(device.id, row);
        this.root.append(row.root);
      }
      row.show(device, Date.parse(silo.reportedAt));
    }
  }
}

class Device {
  #what = el('p', { class: 'what' });
  #holds = el('span');
  #does = el('span');
  #slots = el('div', { class: 'slots', role: 'img' });
  #level = el('i');
  #gauge = el('div', { class: 'gauge', role: 'meter', 'aria-label': 'Busy', 'aria-valuemin': 0, 'aria-valuemax': 100 }, this.#level);
  #before = null;
  #busy = null;
  root;

  constructor(device) {
    this.root = el('div', { class: 'device', 'data-device': device.id },
      this.#what, this.#slots, this.#gauge, el('p', { class: 'line' }, this.#holds, this.#does));
  }

  show(device, at) {
    const { batchers } = device;
    const ill = batchers.find(isOut);
    const state = ill ? 'out' : ['stuck', 'busy', 'draining', 'starting', 'idle'].find((one) => batchers.some((batcher) => batcher.state === one)) ?? 'starting';
    const inFlight = batchers.reduce((sum, batcher) => sum + batcher.inFlight, 0);
    const models = [...new Set(batchers.map((batcher) => nameOf(batcher.model)))];
    this.#measure(batchers, at);

    this.root.dataset.state = state;
    this.#what.textContent = models.length > 0 ? `${device.description} · ${models.join(', ')}` : device.description;
    const rate = batchers.reduce((sum, batcher) => sum + batcher.rate, 0);
    this.#does.textContent = ill ? ill.health
      : state === 'stuck' ? 'hangs'
      : batchers.length === 0 ? 'getting ready'
        : state === 'draining' ? 'finishing'
          : [this.#busy === null ? null : `${Math.round(100 * this.#busy)} % busy`, rate > 0 ? `up to ${count(rate)}/s` : null].filter(Boolean).join(' · ');

    const places = batchesInHand * (device.maxBatch || 16);
    squares(this.#slots, Math.min(mostSquares, places), Math.ceil(inFlight * Math.min(1, mostSquares / places)));
    this.#slots.setAttribute('aria-label', `Room for ${places} pictures, ${inFlight} taken`);
    this.#holds.textContent = inFlight === 0 ? 'nothing in hand' : `${many(inFlight, 'picture')} in hand`;
    const busy = this.#busy ?? (inFlight > 0 ? 1 : 0);
    this.#level.style.transform = `scaleX(${busy})`;
    this.#gauge.setAttribute('aria-valuenow', Math.round(100 * busy));
    this.#gauge.setAttribute('aria-valuetext', `${Math.round(100 * busy)} %`);
  }

  /** The share of the time between two reports in which it held something. */
  #measure(batchers, at) {
    const seconds = batchers.reduce((sum, batcher) => sum + batcher.busySeconds, 0);
    if (this.#before && at > this.#before.at) {
      const share = Math.min(1, Math.max(0, (seconds - this.#before.seconds) / ((at - this.#before.at) / 1000)));
      this.#busy = this.#busy === null ? share : 0.5 * this.#busy + 0.5 * share;
      this.#busy = this.#busy < 0.005 ? 0 : this.#busy;
    }
    if (!this.#before || at > this.#before.at) {
      this.#before = { at, seconds };
    }
  }
}

/** Squares, the first of them lit. */
export function squares(root, all, lit) {
  while (root.children.length > all) {
    root.lastChild.remove();
  }
  while (root.children.length < all) {
    root.append(el('i'));
  }
  [...root.children].forEach((square, index) => square.classList.toggle('on', index < lit));
}
