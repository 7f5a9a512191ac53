import { Problem } from './problem.js';

// What browsers on phones can still draw on.
const mostPixels = 16_000_000;

let turn = Promise.resolve();

/**
 * A file that the server reads: those that it reads come back as they are; other pictures that this browser can show (AVIF, HEIC, TIFF,
 * JPEG XL, SVG, …) as a JPEG, upright; what is no picture ends in a problem that says what it is.
 * @param {File} file
 * @returns {Promise<Blob>}
 */
export async function readable(file) {
  let head;
  try {
    head = new Uint8Array(await file.slice(0, 1024).arrayBuffer());
  } catch {
    throw new Problem({ title: 'The file cannot be read', detail: 'It may be a folder, or it was moved or changed after it was chosen. Choose it again.' });
  }
  const kind = kindOf(head);
  const words = noPicture[kind];
  if (words) {
    throw new Problem({ title: words[0], detail: words[1] });
  }
  if (kind === null) {
    return file;
  }
  const converted = turn.then(() => convert(file, kind)); // one after the other: each takes the memory of all its pixels
  turn = converted.catch(() => {});
  return converted;
}

async function convert(file, kind) {
  const image = new Image();
  // The type decides how a browser reads what it was given; names and types of files are often wrong.
  const address = URL.createObjectURL(new Blob([file], { type: types[kind] }));
  try {
    image.src = address;
    await image.decode();
    const scale = Math.min(1, Math.sqrt(mostPixels / (image.naturalWidth * image.naturalHeight)));
    const canvas = document.createElement('canvas');
    canvas.width = Math.round(image.naturalWidth * scale);
    canvas.height = Math.round(image.naturalHeight * scale);
    const pen = canvas.getContext('2d');
    pen.fillStyle = '#fff'; // JPEG knows no transparency
    pen.fillRect(0, 0, canvas.width, canvas.height);
    pen.drawImage(image, 0, 0, canvas.width, canvas.height);
    const blob = await new Promise((resolve) => canvas.toBlob(resolve, 'image/jpeg', 0.95));
    if (!blob) {
      throw new Error('Nothing was drawn.');
    }
    return blob;
  } catch {
    throw new Problem({
      title: `This browser cannot show ${kind} pictures`,
      detail: kind === 'HEIC'
        ? 'So this page cannot convert it. Save the photo as JPEG and choose that: on a Mac with Export in Preview, on Windows with Save as in Photos. On an iPhone or iPad choose it from the photo library.'
        : 'So this page cannot convert it. Save it as JPEG or PNG and choose that.',
    });
  } finally {
    URL.revokeObjectURL(address);
  }
}

const types = { AVIF: 'image/avif', HEIC: 'image/heic', TIFF: 'image/tiff', 'JPEG XL': 'image/jxl', 'JPEG 2000': 'image/jp2', SVG: 'image/svg+xml', icon: 'image/x-icon' };

const noPicture = {
  PDF: ['A PDF is not a picture', 'Open it, save the page that you mean as a picture (a screenshot will do), and choose that.'],
  video: ['A video is not a picture', 'Stop it where you want to look, take a screenshot, and choose that.'],
  document: ['This is a document or an archive', 'Take the pictures out of it, or take a screenshot of what you mean, and choose those.'],
};

// By the first bytes. Null for what the server reads, and for what nobody here knows: the server tells what it makes of that.
function kindOf(head) {
  const text = String.fromCharCode(...head.slice(0, 12));
  const hex = [...head.slice(0, 12)].map((byte) => byte.toString(16).padStart(2, '0')).join('');
  if (text.startsWith('%PDF')) {
    return 'PDF';
  }
  if (text.slice(4, 8) === 'ftyp') {
    const brand = text.slice(8, 12);
    return /^avi[fs]$/.test(brand) ? 'AVIF' : /^(hei|hev|mif1|msf1)/.test(brand) ? heifKind(head) : 'video';
  }
  if (hex.startsWith('1a45dfa3') || (text.startsWith('RIFF') && text.slice(8) === 'AVI ')) {
    return 'video';
  }
  if (text.startsWith('II*\0') || text.startsWith('MM\0*')) {
    return 'TIFF';
  }
  if (hex.startsWith('504b0304') || hex.startsWith('d0cf11e0') || hex.startsWith('1f8b') || text.startsWith('Rar!') || text.startsWith('7z')) {
    return 'document';
  }
  if (hex.startsWith('ff0a') || hex.startsWith('0000000c4a584c20')) {
    return 'JPEG XL';
  }
  if (hex.startsWith('0000000c6a502020')) {
    return 'JPEG 2000';
  }
  if (hex.startsWith('00000100')) {
    return 'icon';
  }
  return /^\s*(<\?xml[^>]*>|<!--[^]*?-->|<!DOCTYPE svg[^>]*>|\s)*<svg[\s>]/i.test(new TextDecoder().decode(head)) ? 'SVG' : null;
}

// "mif1" is any of the two: the brands that the file is compatible with tell.
function heifKind(head) {
  const length = new DataView(head.buffer).getUint32(0);
  return String.fromCharCode(...head.slice(16, Math.min(length, head.length))).includes('avif') ? 'AVIF' : 'HEIC';
}
