import { el } from '../../js/elements.js';
import { squares } from './silos.js';
import { nameOf, seconds } from './words.js';

const places = 64;

/** The queues, one per model version. An empty queue is shown only when all are empty. */
export class Queues {
  #root;
  #rows = new Map();

  constructor(root) {
    this.#root = root;
  }

  show(queues) {
    const waiting = queues.filter((queue) => queue.length > 0);
    const shown = waiting.length > 0 ? waiting : queues.slice(0, 1);
    for (const [model, row] of this.#rows) {
      if (!shown.some((queue) => queue.model === model)) {
        row.root.remove();
        this.#rows.delete(model);
      }
    }
    for (const queue of shown) {
      let row = this.#rows.get(queue.model);
      if (!row) {
        row = new Row(queue.model);
        this.#rows.set(queue.model, row);
        this.#root.append(row.root);
      }
      row.show(queue);
    }
  }
}

class Row {
  #places = el('div', { class: 'places', role: 'img' });
  #age = el('span');
  #scale = el('span');
  root;

  constructor(model) {
    this.root = el('div', { class: 'queue', 'data-model': model }, el('p', { class: 'name', text: `for ${nameOf(model)}`, title: model }), this.#places,
      el('p', { class: 'line' }, this.#age, this.#scale));
  }

  show(queue) {
    const all = Math.min(places, queue.capacity);
    squares(this.#places, all, Math.ceil((queue.length / queue.capacity) * all));
    this.#places.setAttribute('aria-label', `${queue.length} of ${queue.capacity} places taken`);
    const perSquare = Math.ceil(queue.capacity / all);
    this.#scale.textContent = perSquare > 1 ? `a square is ${perSquare} places` : '';
    this.#age.textContent = queue.length === 0 ? 'no picture waits' : `the oldest for ${seconds(queue.oldestSeconds)}`;
  }
}
