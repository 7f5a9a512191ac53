import { annotatedFile, answerFile, save } from './download.js';
import { el } from './elements.js';
import { Findings } from './findings.js';
import { copy, linkTo } from './share.js';
import { Threshold } from './threshold.js';
import { Timings } from './timings.js';

/** The panel with the answer for the shown picture. Its parts stay in place in every state; without an answer only the reason is shown. */
export class Panel {
  #title = el('h2', { 'aria-live': 'polite' });
  #line = el('p');
  #threshold;
  #findings;
  #timings = new Timings();
  #savePicture = el('button', { class: 'button', type: 'button', click: () => this.#save(annotatedFile) });
  #saveAnswer = el('button', { class: 'button', type: 'button', click: () => this.#save(answerFile) });
  #saveLink = el('button', { class: 'button', type: 'button', click: () => this.#copyLink() });
  #message = el('p', { class: 'message', role: 'status' });
  #error = el('p', { class: 'field-error', role: 'alert' });
  #downloads;
  #highlight;
  #picture = null;
  #shown = '';

  constructor(highlight, startThreshold, onThreshold) {
    this.#highlight = highlight;
    this.#threshold = new Threshold(startThreshold, (value) => {
      this.#highlight.clear(); // the highlighted boxes may be hidden now
      this.#filter();
      onThreshold(value);
    });
    this.#findings = new Findings(highlight);
    this.#savePicture.append(arrow(), 'Picture');
    this.#savePicture.setAttribute('aria-label', 'Download the picture with its boxes');
    this.#saveAnswer.append(arrow(), 'JSON');
    this.#saveAnswer.setAttribute('aria-label', 'Download what was found as JSON');
    this.#saveLink.append(chain(), 'Link');
    this.#saveLink.setAttribute('aria-label', 'Copy a Link to this result');
    this.#downloads = el('section', { class: 'downloads' }, this.#savePicture, this.#saveAnswer, this.#saveLink, this.#message, this.#error);
    document.getElementById('panel').append(
      el('section', { class: 'summary' }, this.#title, this.#line),
      this.#threshold.root,
      this.#findings.root,
      this.#timings.root,
      this.#downloads);
  }

  set threshold(value) {
    this.#threshold.value = value;
    this.#filter();
  }

  get threshold() {
    return this.#threshold.value;
  }

  show(picture) {
    const stage = picture?.state === 'sending' || picture?.state === 'looking' ? 'waiting' : picture?.state;
    const shown = `${picture?.id} ${stage} ${picture?.answer?.model}`;
    if (shown === this.#shown) {
      return; // keep the focus and the highlight
    }
    this.#shown = shown;
    this.#picture = picture;
    this.#highlight.clear();
    this.#error.textContent = '';
    this.#message.textContent = '';
    const done = stage === 'done';
    this.#savePicture.disabled = !done;
    this.#saveAnswer.disabled = !done;
    this.#saveLink.disabled = !done;
    // Nothing to choose from or to measure without an answer.
    this.#threshold.root.hidden = this.#timings.root.hidden = this.#downloads.hidden = stage === 'failed';
    this.#threshold.show(done ? picture.answer : null);
    this.#line.textContent = picture?.name ?? '';
    if (done) {
      this.#findings.show(picture.answer);
      this.#timings.show(picture.answer, picture.roundTrip);
      this.#filter();
    } else {
      this.#timings.showNone();
      this.#title.textContent = stage === 'failed' ? 'No result' : 'Looking…';
      if (stage === 'failed') {
        this.#findings.showText('The message over the picture shows the reason.');
      } else {
        this.#findings.showBusy();
      }
    }
  }

  #filter() {
    if (this.#picture?.state !== 'done') {
      return;
    }
    const { answer, name } = this.#picture;
    const boxes = answer.boxes.filter((box) => box.score >= this.threshold);
    const classes = new Set(boxes.map((box) => box.classId)).size;
    this.#title.textContent = boxes.length === 0 ? 'No objects' : `${count(boxes.length, 'object')}${classes > 1 ? ` of ${classes} classes` : ''}`;
    this.#line.textContent = `${name} · ${answer.width} × ${answer.height} · ${answer.model.split('@')[0]}`;
    this.#line.title = `${name}, ${answer.model}`;
    this.#findings.filter(this.threshold);
  }

  async #copyLink() {
    this.#error.textContent = '';
    const link = linkTo(this.#picture, this.threshold);
    try {
      await copy(link);
      this.#message.textContent = 'Link copied. Users of this server can open it until the result expires. The picture expires sooner.';
    } catch {
      this.#message.textContent = link; // the user can copy it
    }
  }

  async #save(fileOf) {
    this.#error.textContent = '';
    try {
      save(await fileOf(this.#picture, this.threshold));
    } catch (error) {
      this.#error.textContent = `Not saved. ${error.message}`;
    }
  }
}

function count(number, noun) {
  return `${number} ${noun}${number === 1 ? '' : 's'}`;
}

function chain() {
  const template = document.createElement('template');
  template.innerHTML = '<svg viewBox="0 0 20 20" aria-hidden="true"><path d="M8.5 11.5a3.5 3.5 0 0 0 5 0l3-3a3.5 3.5 0 0 0-5-5l-1 1M11.5 8.5a3.5 3.5 0 0 0-5 0l-3 3a3.5 3.5 0 0 0 5 5l1-1"/></svg>';
  return template.content.firstChild;
}

function arrow() {
  const template = document.createElement('template');
  template.innerHTML = '<svg viewBox="0 0 20 20" aria-hidden="true"><path d="M10 3v10M5.5 9l4.5 4.5L14.5 9M4 17h12"/></svg>';
  return template.content.firstChild;
}
