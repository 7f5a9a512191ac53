import { el } from '../../js/elements.js';
import { count, isOut, many, nameOf, span } from './words.js';

/** A device prepares the next batch while it processes one. */
const batchesPerDevice = 2;
const mostSquares = 64;

/** Milliseconds over which a device's work is measured: what the server counts as "now" is 5 to 10 seconds. */
const measured = 10_000;

/** The silos with their devices. Cards stay the same elements, so that changes are animated. */
export class Silos {
  #root;
  #cards = new Map();

  constructor(root) {
    this.#root = root;
  }

  /** Capacity of all devices in pictures per second, measured over the last seconds. */
  get pace() {
    return [...this.#cards.values()].reduce((sum, card) => sum + card.pace, 0);
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
  #none = el('p', { class: 'none', text: 'No device; keeps requests and fetches pictures.' });
  #devices = new Map();
  root;

  get pace() {
    return [...this.#devices.values()].reduce((sum, device) => sum + device.pace, 0);
  }

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
      row.show(device, Date.parse(silo.reportedAt), silo.drained);
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
  #reports = [];
  #busy = null;
  root;

  /** Capacity in pictures per second. */
  pace = 0;

  constructor(device) {
    this.root = el('div', { class: 'device', 'data-device': device.id },
      this.#what, this.#slots, this.#gauge, el('p', { class: 'line' }, this.#holds, this.#does));
  }

  show(device, at, drained) {
    const { batchers } = device;
    const ill = batchers.find(isOut);
    const state = ill ? 'out' : ['stuck', 'busy', 'draining', 'starting', 'idle'].find((one) => batchers.some((batcher) => batcher.state === one)) ?? 'starting';
    const inFlight = batchers.reduce((sum, batcher) => sum + batcher.inFlight, 0);
    const models = [...new Set(batchers.map((batcher) => nameOf(batcher.model)))];
    this.#measure(batchers, at);

    this.root.dataset.state = state;
    this.#what.textContent = models.length > 0 ? `${device.description} · ${models.join(', ')}` : device.description;
    this.#does.textContent = ill ? ill.health
      : state === 'stuck' ? 'hangs'
      : batchers.length === 0 ? (drained ? 'drained' : 'getting ready')
        : state === 'draining' ? 'finishing'
          : [this.#busy === null ? null : `${Math.round(100 * this.#busy)} % busy`, this.pace > 0 ? `up to ${count(this.pace)}/s` : null].filter(Boolean).join(' · ');

    const places = batchesPerDevice * (device.maxBatch || 16);
    squares(this.#slots, Math.min(mostSquares, places), Math.ceil(inFlight * Math.min(1, mostSquares / places)));
    this.#slots.setAttribute('aria-label', `Room for ${places} pictures, ${inFlight} taken`);
    this.#holds.textContent = inFlight === 0 ? 'no pictures' : many(inFlight, 'picture');
    const busy = this.#busy ?? (inFlight > 0 ? 1 : 0);
    this.#level.style.transform = `scaleX(${busy})`;
    this.#gauge.setAttribute('aria-valuenow', Math.round(100 * busy));
    this.#gauge.setAttribute('aria-valuetext', `${Math.round(100 * busy)} %`);
  }

  /**
   * Measures how busy the device was and how many pictures it completed in this time. For a device that had little to do, the rate of its
   * fastest batcher counts.
   */
  #measure(batchers, at) {
    const sum = (of) => batchers.reduce((all, batcher) => all + of(batcher), 0);
    if (at !== this.#reports.at(-1)?.at) {
      this.#reports.push({ at, busy: sum((one) => one.busySeconds), ended: sum((one) => one.completed) });
      this.#reports = this.#reports.filter((report) => report.at >= at - measured);
    }
    const [first, last] = [this.#reports[0], this.#reports.at(-1)];
    const seconds = (last.at - first.at) / 1000;
    if (seconds <= 0 || last.ended < first.ended) {
      this.#reports = [last];
      this.pace = Math.max(0, ...batchers.filter((one) => !isOut(one)).map((one) => one.rate));
      return;
    }
    const busy = Math.min(seconds, Math.max(0, last.busy - first.busy));
    this.#busy = busy / seconds < 0.005 ? 0 : busy / seconds;
    this.pace = busy > 0.5 && last.ended > first.ended
      ? (last.ended - first.ended) / busy
      : Math.max(0, ...batchers.filter((one) => !isOut(one)).map((one) => one.rate));
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
