import { models } from './api.js';
import { el } from './elements.js';

/** The chooser of models, seen only where there is a choice. */
export class ModelChooser {
  #field = document.getElementById('model-field');
  #select = document.getElementById('model');
  #asked = null;

  #chosen;
  #onModel;

  constructor(chosen, onModel) {
    this.#chosen = chosen;
    this.#onModel = onModel;
    this.#select.addEventListener('change', () => onModel(this.#select.value));
  }

  /** Asks for the models, once; again at the next call when they could not be had (no silo is up yet, say). */
  load() {
    this.#asked ??= models().then((known) => this.#show(known), () => {
      this.#asked = null;
    });
  }

  #show(known) {
    this.#select.replaceChildren(...known.map(({ id, name }) => el('option', { value: id, text: name })));
    if (known.some(({ id }) => id === this.#chosen)) {
      this.#select.value = this.#chosen;
    } else if (this.#chosen) {
      this.#chosen = null; // it is served no more
      this.#onModel(null);
    }
    this.#field.hidden = known.length < 2;
  }
}
