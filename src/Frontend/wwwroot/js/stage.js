import { el } from './elements.js';
import { Overlay } from './overlay.js';

const largestZoom = 3;

/** The shown picture with its boxes, its progress, or its problem. */
export class Stage {
  #root = document.getElementById('stage');
  #canvas = document.getElementById('canvas');
  #image = document.getElementById('picture');
  #overlayRoot = document.getElementById('overlay');
  #progress = document.getElementById('progress');
  #bar = document.getElementById('progress-bar');
  #status = document.getElementById('stage-status');
  #problem = document.getElementById('problem');
  #overlay;
  #actions;
  #picture = null;
  #threshold = 0;
  #drawn = '';
  #unreadable = false; // the browser cannot show the picture
  #problemShown = null;
  #countdown = 0;

  /** @param {{retry: (picture) => void, remove: (picture) => void}} actions of the buttons of a problem */
  constructor(highlight, actions) {
    this.#overlay = new Overlay(this.#overlayRoot, highlight);
    this.#actions = actions;
    this.#image.addEventListener('load', () => {
      this.#image.hidden = false;
      this.#arrange();
    });
    this.#image.addEventListener('error', () => {
      this.#image.hidden = true;
      this.#unreadable = true;
      this.#showProgress(this.#picture);
    });
    new ResizeObserver(() => this.#arrange()).observe(this.#canvas);
    this.#canvas.addEventListener('click', (event) => event.target === this.#canvas && highlight.clear());
  }

  show(picture, threshold) {
    this.#picture = picture;
    this.#threshold = threshold;
    this.#root.dataset.state = picture?.state ?? 'empty';
    this.#showImage(picture);
    this.#showProgress(picture);
    this.#showProblem(picture);
    this.#arrange();
  }

  #showImage(picture) {
    const address = picture?.address ?? '';
    if ((this.#image.getAttribute('src') ?? '') === address) {
      return;
    }
    this.#image.hidden = true;
    this.#unreadable = false;
    this.#overlay.clear();
    this.#drawn = '';
    this.#image.alt = picture?.name ?? '';
    if (address) {
      this.#image.src = address;
    } else {
      this.#image.removeAttribute('src');
    }
  }

  // Shows the picture as large as possible, in whole CSS pixels, with the boxes exactly over it.
  #arrange() {
    const ready = !this.#image.hidden && this.#image.naturalWidth > 0;
    const picture = this.#picture;
    if (!ready || !picture) {
      this.#overlay.clear();
      this.#drawn = '';
      return;
    }
    const size = picture.answer ?? { width: this.#image.naturalWidth, height: this.#image.naturalHeight };
    const room = this.#canvas.getBoundingClientRect();
    const zoom = Math.min(room.width / size.width, room.height / size.height, largestZoom);
    const width = Math.round(size.width * zoom);
    const height = Math.round(size.height * zoom);
    const drawing = [picture.id, picture.answer?.model, width, height, room.width, room.height, this.#threshold, picture.state].join();
    if (drawing === this.#drawn) {
      return;
    }
    this.#drawn = drawing;
    for (const node of [this.#image, this.#overlayRoot]) {
      node.style.left = `${Math.round((room.width - width) / 2)}px`;
      node.style.top = `${Math.round((room.height - height) / 2)}px`;
      node.style.width = `${width}px`;
      node.style.height = `${height}px`;
    }
    if (picture.state === 'done') {
      this.#overlay.draw(picture.answer, this.#threshold, width, height);
    } else {
      this.#overlay.clear();
    }
  }

  #showProgress(picture) {
    const busy = ['waiting', 'sending', 'looking'].includes(picture?.state);
    const share = picture?.state === 'sending' ? picture.sent : null;
    this.#progress.hidden = !busy;
    this.#progress.classList.toggle('endless', share === null);
    this.#bar.style.transform = share === null ? '' : `scaleX(${share})`;
    const missing = picture?.state === 'done' && (this.#unreadable || !picture.address);
    const status = missing ? (picture.source.expired && !picture.address ? 'The picture has expired on the server, sooner than its result. Ask the sender of the link for the picture.' : 'The picture cannot be shown') : busy ? progressText(picture) : '';
    if (this.#status.textContent !== status) {
      this.#status.textContent = status;
    }
  }

  #showProblem(picture) {
    const problem = picture?.state === 'failed' ? picture.problem : null;
    if (problem === this.#problemShown) {
      return;
    }
    this.#problemShown = problem;
    clearInterval(this.#countdown);
    this.#problem.hidden = problem === null;
    if (problem === null) {
      this.#problem.replaceChildren();
      return;
    }
    const retry = problem.isTransient
      ? el('button', { class: 'button primary', type: 'button', text: 'Try again', click: () => this.#actions.retry(picture) })
      : null;
    this.#problem.replaceChildren(
      el('h2', { text: problem.title ?? 'This page failed' }),
      el('p', { text: problem.title ? problem.detail : problem.message }),
      el('p', { class: 'problem-code', text: [picture.name, problem.status >= 400 ? `HTTP ${problem.status}` : ''].filter(Boolean).join(' · ') }),
      el('div', { class: 'actions' },
        retry,
        el('button', { class: retry ? 'button' : 'button primary', type: 'button', text: 'Remove', click: () => this.#actions.remove(picture) })));
    if (retry && problem.retryAfter) {
      this.#countDown(retry, problem);
    }
  }

  // Counts from the first time that the problem was shown.
  #countDown(button, problem) {
    problem.until ??= performance.now() + problem.retryAfter * 1000;
    const tick = () => {
      const left = Math.ceil((problem.until - performance.now()) / 1000);
      button.disabled = left > 0;
      button.textContent = left > 0 ? `Try again in ${left} s` : 'Try again';
      if (left <= 0) {
        clearInterval(this.#countdown);
      }
    };
    this.#countdown = setInterval(tick, 250);
    tick();
  }
}

function progressText({ state, sent, source }) {
  if (state === 'waiting') {
    return 'Waiting for its turn';
  }
  return state === 'sending' ? `Sending ${Math.round((sent ?? 0) * 100)}%` : source.url ? 'Fetching and looking' : 'Looking';
}
