import { el } from './elements.js';

/** The API key that this tab uses, where the server asks for one. */
const place = 'detection.api-key';
let key = sessionStorage.getItem(place);
let ask = () => {};

/** Headers with the key, when there is one. */
export function withKey(headers) {
  return key ? { ...headers, 'X-API-Key': key } : headers;
}

/** An answer came: 401 has the key asked for. */
export function heard(status) {
  if (status === 401) {
    ask();
  }
}

/**
 * Puts the field for the key below the bar at the top; seen only after the server has asked for one.
 * @param {() => void} onKey called when a key was entered
 * @param {HTMLElement} rest gets the focus afterwards, unless another element had it before
 */
export function openKeyField(onKey, rest) {
  let before = null;
  const field = el('input', {
    id: 'key', name: 'key', type: 'password', autocomplete: 'off', autocapitalize: 'off', spellcheck: 'false', 'aria-describedby': 'key-error',
  });
  const error = el('p', { class: 'field-error', id: 'key-error', role: 'alert' });
  const form = el('form', { id: 'key-form', class: 'key-form', 'aria-label': 'API key', hidden: true, novalidate: true },
    el('label', { for: 'key', text: 'This server asks for an API key' }),
    el('div', {}, field, el('button', { class: 'button primary', type: 'submit', text: 'Use it' })),
    error,
    el('p', { class: 'note', text: 'It is kept until this tab is closed.' }));
  document.querySelector('.top').after(form);

  ask = () => {
    if (!form.hidden) {
      return; // Several answers say so at once.
    }
    form.hidden = false;
    error.textContent = key ? 'The server does not know this key.' : '';
    field.setAttribute('aria-invalid', String(key !== null));
    before = document.activeElement;
    field.focus();
  };

  form.addEventListener('submit', (event) => {
    event.preventDefault();
    const entered = field.value.trim();
    if (!entered) {
      field.focus();
      return;
    }
    key = entered;
    sessionStorage.setItem(place, key);
    field.value = '';
    form.hidden = true;
    onKey();
    if (form.hidden) {
      (before !== document.body && before?.checkVisibility() ? before : rest).focus();
    }
  });
}
