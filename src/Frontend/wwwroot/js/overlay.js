import { colourOf } from './colours.js';
import { svg } from './elements.js';
import { placeTags, tagText } from './labels.js';

const tagHeight = 20;
const tagPadding = 6;

/** The boxes over the picture: vectors in CSS pixels, so they are sharp on every screen. */
export class Overlay {
  #root;
  #highlight;
  #ruler = document.createElement('canvas').getContext('2d');

  constructor(root, highlight) {
    this.#root = root;
    this.#highlight = highlight;
    highlight.addEventListener('change', () => this.#light());
    root.addEventListener('pointerleave', () => highlight.point(null));
  }

  /** Draws the boxes at or above the threshold over a picture that is shown width × height CSS pixels large. */
  draw(answer, threshold, width, height) {
    const shown = answer.boxes
      .map((box, index) => ({ box, index }))
      .filter(({ box }) => box.score >= threshold);
    const rectangles = shown.map(({ box }) => ({
      x: (box.x1 / answer.width) * width,
      y: (box.y1 / answer.height) * height,
      width: ((box.x2 - box.x1) / answer.width) * width,
      height: ((box.y2 - box.y1) / answer.height) * height,
      text: tagText(box),
    }));
    this.#ruler.font = `600 12px ${getComputedStyle(document.body).fontFamily}`;
    const tags = placeTags(rectangles, { width, height }, {
      height: tagHeight,
      widthOf: (text) => Math.ceil(this.#ruler.measureText(text).width) + 2 * tagPadding,
    });

    this.#root.setAttribute('viewBox', `0 0 ${width} ${height}`);
    this.#root.removeAttribute('aria-hidden');
    this.#root.setAttribute('aria-label', describe(shown.map(({ box }) => box)));
    const boxes = shown.map(({ box, index }, at) => this.#box(box, index, rectangles[at]));
    const largestFirst = boxes.map((node, at) => ({ node, area: rectangles[at].width * rectangles[at].height })).sort((a, b) => b.area - a.area);
    this.#root.replaceChildren(
      ...largestFirst.map(({ node }) => node), // smaller boxes are on top, where the pointer reaches them
      ...shown.map(({ box, index }, at) => tag(box, index, tags[at])).reverse(),
    );
    this.#light();
  }

  clear() {
    this.#root.replaceChildren();
    this.#root.removeAttribute('aria-label');
    this.#root.setAttribute('aria-hidden', 'true');
  }

  #box(box, index, { x, y, width, height }) {
    const place = { x, y, width: Math.max(1, width), height: Math.max(1, height), rx: 3 };
    const edge = svg('rect', { class: 'edge', ...place, stroke: colourOf(box.classId) });
    return svg('g', {
      class: 'box',
      'data-box': String(index),
      pointerenter: (event) => event.pointerType === 'mouse' && this.#highlight.point([index]),
      pointerleave: (event) => event.pointerType === 'mouse' && this.#highlight.point(null),
      click: () => this.#highlight.pin([index]),
    }, svg('rect', { class: 'edge-shade', ...place }), edge);
  }

  #light() {
    const lit = this.#highlight.boxes;
    this.#root.classList.toggle('lit', lit !== null);
    this.#root.classList.toggle('lit-one', lit?.length === 1);
    for (const node of this.#root.querySelectorAll('[data-box]')) {
      node.classList.toggle('on', lit !== null && lit.includes(Number(node.dataset.box)));
    }
  }
}

function tag(box, index, { x, y, width, height, text, free }) {
  return svg('g', { class: free ? 'tag' : 'tag hidden-tag', 'data-box': String(index) },
    svg('rect', { x, y, width, height, rx: 3, fill: colourOf(box.classId) }),
    svg('text', { x: x + tagPadding, y: y + 14.5, text }));
}

function describe(boxes) {
  const counts = new Map();
  boxes.forEach((box) => counts.set(box.label, (counts.get(box.label) ?? 0) + 1));
  return boxes.length === 0 ? 'No objects' : `Objects: ${[...counts].map(([label, count]) => `${count} ${label}`).join(', ')}`;
}
