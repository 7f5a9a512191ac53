import { colourOf } from './colours.js';
import { el } from './elements.js';
import { same } from './highlight.js';
import { percent } from './labels.js';

/** The list of objects, by class. The threshold hides rows and never changes their order, so nothing jumps. */
export class Findings {
  root = el('section', { class: 'findings', 'aria-label': 'Objects' });
  #highlight;
  #classes = [];
  #none = el('p', { class: 'none' });

  constructor(highlight) {
    this.#highlight = highlight;
    highlight.addEventListener('change', () => this.#light());
  }

  /** Builds the rows of an answer. */
  show(answer) {
    this.#classes = [...groups(answer.boxes)].map(([classId, indexes]) => this.#class(answer, classId, indexes));
    this.root.replaceChildren(this.#none, el('ul', {}, ...this.#classes.map(({ node }) => node)));
  }

  showText(text) {
    this.#classes = [];
    this.#none.textContent = text;
    this.#none.hidden = false;
    this.root.replaceChildren(this.#none);
  }

  showBusy() {
    this.#classes = [];
    this.root.replaceChildren(el('div', { class: 'panel-idle', 'aria-hidden': 'true' },
      ...[1, 2, 3, 4].map((row) => el('div', { class: row % 2 ? 'skeleton' : 'skeleton short' }))));
  }

  /** Shows the rows at or above the threshold. */
  filter(threshold) {
    for (const { node, count, rows } of this.#classes) {
      let shown = 0;
      for (const row of rows) {
        row.node.hidden = row.box.score < threshold;
        shown += row.node.hidden ? 0 : 1;
        row.rank.textContent = String(shown);
      }
      node.hidden = shown === 0;
      count.textContent = String(shown);
    }
    const all = this.#classes.length;
    this.#none.hidden = this.#classes.some(({ node }) => !node.hidden);
    this.#none.textContent = all === 0
      ? 'Nothing was found in this picture.'
      : 'No object has a score this high. Move the slider to the left to see objects with lower scores.';
  }

  #class(answer, classId, indexes) {
    const colour = colourOf(classId);
    const count = el('span', { class: 'count' });
    const rows = indexes.map((index) => {
      const box = answer.boxes[index];
      const bar = el('span');
      bar.style.width = percent(box.score);
      bar.style.backgroundColor = colour;
      const rank = el('span', { class: 'rank', 'aria-hidden': 'true' });
      const button = this.#button('object', () => [index],
        rank,
        el('span', { class: 'score', text: percent(box.score) }),
        el('span', { class: 'bar', 'aria-hidden': 'true' }, bar),
        el('span', { class: 'size', text: `${Math.round(box.x2 - box.x1)} × ${Math.round(box.y2 - box.y1)} px` }));
      return { box, rank, node: el('li', {}, button) };
    });
    const chip = el('span', { class: 'chip' });
    chip.style.backgroundColor = colour;
    const visible = () => indexes.filter((_, at) => !rows[at].node.hidden);
    const head = this.#button('class-head', visible, chip, el('span', { text: answer.boxes[indexes[0]].label }), count);
    return { count, rows, node: el('li', { class: 'class', 'data-class': String(classId) }, head, el('ul', {}, ...rows.map(({ node }) => node))) };
  }

  #button(kind, boxes, ...children) {
    const button = el('button', {
      class: kind,
      type: 'button',
      'aria-pressed': 'false',
      pointerenter: (event) => event.pointerType === 'mouse' && this.#highlight.point(boxes()),
      pointerleave: (event) => event.pointerType === 'mouse' && this.#highlight.point(null),
      focus: () => button.matches(':focus-visible') && this.#highlight.point(boxes()),
      blur: () => this.#highlight.point(null),
      click: () => this.#highlight.pin(boxes()),
    }, ...children);
    button.boxes = boxes;
    return button;
  }

  #light() {
    const { boxes, pinned } = this.#highlight;
    for (const button of this.root.querySelectorAll('button')) {
      const own = button.boxes();
      button.classList.toggle('on', boxes !== null && own.length > 0 && own.every((box) => boxes.includes(box)));
      button.setAttribute('aria-pressed', String(pinned !== null && same(own, pinned)));
    }
  }
}

// Class id → indexes of its boxes; classes in the order of their best box.
function groups(boxes) {
  const byClass = new Map();
  boxes.forEach((box, index) => byClass.set(box.classId, [...(byClass.get(box.classId) ?? []), index]));
  return byClass;
}
