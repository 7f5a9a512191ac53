import { requestThreshold } from './api.js';
import { colourOf } from './colours.js';
import { el, svg } from './elements.js';
import { percent } from './labels.js';

/** The slider, with a tick for each box of the answer at its score. */
export class Threshold {
  #ticks = svg('svg', { class: 'ticks', 'aria-hidden': 'true', viewBox: '0 0 100 14', preserveAspectRatio: 'none' });
  #output = el('output', { for: 'threshold' });
  #slider;
  root;

  constructor(value, onValue) {
    this.#slider = el('input', {
      id: 'threshold', type: 'range', min: String(requestThreshold), max: '0.95', step: '0.01', value: String(value),
      input: () => {
        this.#showValue();
        onValue(this.value);
      },
    });
    this.root = el('section', { class: 'threshold' },
      el('label', { for: 'threshold' }, el('span', { text: 'Lowest score' }), this.#output),
      this.#ticks,
      this.#slider,
      el('div', { class: 'ends', 'aria-hidden': 'true' }, el('span', { text: 'more objects' }), el('span', { text: 'fewer, more certain' })));
    this.#showValue();
  }

  set value(value) {
    this.#slider.value = String(value);
    this.#showValue();
  }

  get value() {
    return Number(this.#slider.value);
  }

  show(answer) {
    const [low, high] = [requestThreshold, Number(this.#slider.max)];
    const at = (score) => ((Math.min(score, high) - low) / (high - low)) * 100;
    this.#ticks.replaceChildren(...(answer?.boxes ?? []).map((box) => svg('line', {
      x1: at(box.score), x2: at(box.score), y1: 2, y2: 12,
      stroke: colourOf(box.classId), 'vector-effect': 'non-scaling-stroke', 'data-score': String(box.score),
    })));
    this.#showValue();
  }

  #showValue() {
    this.#output.textContent = percent(this.value);
    this.#slider.setAttribute('aria-valuetext', percent(this.value));
    for (const tick of this.#ticks.children) {
      tick.classList.toggle('below', Number(tick.dataset.score) < this.value);
    }
  }
}
