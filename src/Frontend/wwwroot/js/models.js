import { models } from './api.js';
import { el } from './elements.js';

/** The list of models, hidden when there is only one. */
export class ModelChooser {
  #field = document.getElementById('model-field');
  #select = document.getElementById('model');
  #loading = null;

  #chosen;
  #onModel;

  constructor(chosen, onModel) {
    this.#chosen = chosen;
    this.#onModel = onModel;
    this.#select.addEventListener('change', () => onModel(this.#select.value));
  }

  /** Loads the models once. When loading fails, for example before a silo has started, the next call retries. */
  load() {
    this.#loading ??= models().then((known) => this.#show(known), () => {
      this.#loading = null;
    });
  }

  #show(known) {
    this.#select.replaceChildren(...known.map(({ id, name }) => el('option', { value: id, text: name })));
    if (known.some(({ id }) => id === this.#chosen)) {
      this.#select.value = this.#chosen;
    } else if (this.#chosen) {
      this.#chosen = null; // it is no longer served
      this.#onModel(null);
    }
    this.#field.hidden = known.length < 2;
  }
}
