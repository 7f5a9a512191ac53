import { el, svg } from './elements.js';

const thumbWidth = 192;
const thumbHeight = 144;

/** A row of thumbnails to choose the shown picture. */
export class Strip {
  #list = el('ul');
  #clear;
  #thumbs = new Map();
  #actions;
  #scrolledTo = null;

  /** @param {{select: (picture) => void, remove: (picture) => void, clear: () => void}} actions of the buttons */
  constructor(actions) {
    this.#actions = actions;
    this.#clear = el('button', { class: 'button clear', type: 'button', text: 'Remove all', click: actions.clear });
    document.getElementById('strip').append(this.#list, this.#clear);
  }

  /** Puts the focus on a picture. */
  focus(picture) {
    this.#thumbs.get(picture)?.button.focus();
  }

  show(items, selected, threshold) {
    for (const [picture, thumb] of this.#thumbs) {
      if (!items.includes(picture)) {
        thumb.node.remove();
        this.#thumbs.delete(picture);
      }
    }
    for (const picture of items) {
      const thumb = this.#thumbs.get(picture) ?? this.#add(picture);
      const state = picture.state === 'sending' || picture.state === 'looking' ? 'busy' : picture.state;
      const found = picture.state === 'done' ? picture.answer.boxes.filter((box) => box.score >= threshold).length : null;
      thumb.button.dataset.state = state;
      thumb.button.setAttribute('aria-current', String(picture === selected));
      thumb.button.setAttribute('aria-label', `${picture.name}: ${found !== null ? `${found} found` : state === 'failed' ? 'failed' : 'in progress'}`);
      thumb.badge.textContent = found !== null ? String(found) : state === 'failed' ? '!' : '';
      if (picture === selected && this.#scrolledTo !== picture) {
        this.#scrolledTo = picture;
        thumb.node.scrollIntoView({ block: 'nearest', inline: 'nearest' });
      }
      if (picture.address && !thumb.drawn) {
        thumb.drawn = true;
        paint(thumb.canvas, picture.address);
      }
    }
  }

  #add(picture) {
    const canvas = el('canvas', { width: String(thumbWidth), height: String(thumbHeight) });
    const badge = el('span', { class: 'badge' });
    const button = el('button', {
      class: 'thumb',
      type: 'button',
      title: picture.name,
      click: () => this.#actions.select(picture),
      keydown: (event) => event.key === 'Delete' && this.#actions.remove(picture),
    }, canvas, badge);
    const remove = el('button', {
      class: 'remove', type: 'button', title: 'Remove', 'aria-label': `Remove ${picture.name}`, click: () => this.#actions.remove(picture),
    }, cross());
    const thumb = { node: el('li', {}, button, remove), button, canvas, badge, drawn: false };
    this.#list.append(thumb.node);
    this.#thumbs.set(picture, thumb);
    return thumb;
  }
}

function cross() {
  return svg('svg', { viewBox: '0 0 12 12', 'aria-hidden': 'true' }, svg('path', { d: 'M3 3l6 6M9 3l-6 6' }));
}

// A thumbnail is drawn once. A row of full pictures would use gigabytes of memory.
async function paint(canvas, address) {
  const image = new Image();
  image.src = address;
  try {
    await image.decode();
  } catch {
    return; // The browser cannot read the picture: the thumbnail stays empty, and the server reports the problem.
  }
  const zoom = Math.max(thumbWidth / image.naturalWidth, thumbHeight / image.naturalHeight);
  const [width, height] = [image.naturalWidth * zoom, image.naturalHeight * zoom];
  const pen = canvas.getContext('2d');
  pen.imageSmoothingQuality = 'high';
  pen.drawImage(image, (thumbWidth - width) / 2, (thumbHeight - height) / 2, width, height);
}
