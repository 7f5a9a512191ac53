/**
 * The highlighted boxes: those under the pointer or the focus, or those that were pinned by a click.
 * Raises "change". A box is its index in the answer.
 */
export class Highlight extends EventTarget {
  #pointed = null;
  #pinned = null;

  /** Indexes of the highlighted boxes; null for none. */
  get boxes() {
    return this.#pointed ?? this.#pinned;
  }

  get pinned() {
    return this.#pinned;
  }

  point(boxes) {
    this.#pointed = boxes;
    this.dispatchEvent(new Event('change'));
  }

  pin(boxes) {
    this.#pinned = same(this.#pinned, boxes) ? null : boxes;
    this.dispatchEvent(new Event('change'));
  }

  clear() {
    this.#pointed = null;
    this.#pinned = null;
    this.dispatchEvent(new Event('change'));
  }
}

/** Whether two lists of boxes hold the same ones. */
export function same(a, b) {
  return a === b || (a !== null && b !== null && a.length === b.length && a.every((box, at) => box === b[at]));
}
