import { el } from './elements.js';

const thumbWidth = 192;
const thumbHeight = 144;

/** A row of small pictures, one each, to choose which is shown. */
export class Strip {
  #list = el('ul');
  #clear;
  #thumbs = new Map();
  #onSelect;
  #scrolledTo = null;

  constructor({ select, clear }) {
    this.#onSelect = select;
    this.#clear = el('button', { class: 'button clear', type: 'button', text: 'Clear', 'aria-label': 'Remove all pictures', click: clear });
    document.getElementById('strip').append(this.#list, this.#clear);
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
    const button = el('button', { class: 'thumb', type: 'button', title: picture.name, click: () => this.#onSelect(picture) }, canvas, badge);
    const thumb = { node: el('li', {}, button), button, canvas, badge, drawn: false };
    this.#list.append(thumb.node);
    this.#thumbs.set(picture, thumb);
    return thumb;
  }
}

// Painted small once: a row of full pictures would cost a browser gigabytes.
async function paint(canvas, address) {
  const image = new Image();
  image.src = address;
  try {
    await image.decode();
  } catch {
    return; // Not a picture for this browser: the thumb stays empty, the server tells why.
  }
  const zoom = Math.max(thumbWidth / image.naturalWidth, thumbHeight / image.naturalHeight);
  const [width, height] = [image.naturalWidth * zoom, image.naturalHeight * zoom];
  const pen = canvas.getContext('2d');
  pen.imageSmoothingQuality = 'high';
  pen.drawImage(image, (thumbWidth - width) / 2, (thumbHeight - height) / 2, width, height);
}
