import { Problem } from './problem.js';

// Largest canvas that browsers on phones support.
const mostPixels = 16_000_000;

let turn = Promise.resolve();

/**
 * Converts a file to a format that the server reads. Files that the server reads are returned unchanged. Other pictures that this browser can
 * show (AVIF, HEIC, TIFF, JPEG XL, SVG, …) become an upright JPEG. For a file that is not a picture it throws a problem.
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
  const kind = kindOf(head, file.type);
  if (noPicture[kind]) {
    const [title, detail] = noPicture[kind];
    throw new Problem({ title, detail });
  }
  if (kind === null) {
    return file;
  }
  const converted = turn.then(() => convert(file, kind)); // one at a time, because each needs memory for all its pixels
  turn = converted.catch(() => {});
  return converted;
}

async function convert(file, kind) {
  const image = new Image();
  // The browser reads a blob by its type, and the types of files are often wrong.
  const address = URL.createObjectURL(new Blob([file], { type: types[kind] }));
  try {
    image.src = address;
    await image.decode();
    const scale = Math.min(1, Math.sqrt(mostPixels / (image.naturalWidth * image.naturalHeight)));
    const canvas = document.createElement('canvas');
    canvas.width = Math.round(image.naturalWidth * scale);
    canvas.height = Math.round(image.naturalHeight * scale);
    const pen = canvas.getContext('2d');
    pen.fillStyle = '#fff'; // JPEG has no transparency
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
        ? 'So this page cannot convert the file. Save the photo as JPEG and choose the JPEG: on a Mac with Export in Preview, on Windows with Save as in Photos. On an iPhone or iPad choose the photo from the photo library.'
        : 'So this page cannot convert the file. Save it as JPEG or PNG and choose the new file.',
    });
  } finally {
    URL.revokeObjectURL(address);
  }
}

const types = { AVIF: 'image/avif', HEIC: 'image/heic', TIFF: 'image/tiff', 'JPEG XL': 'image/jxl', 'JPEG 2000': 'image/jp2', SVG: 'image/svg+xml', icon: 'image/x-icon' };

const noPicture = {
  PDF: ['A PDF is not a picture', 'Open it, save the page as a picture or take a screenshot, and choose the picture.'],
  video: ['A video is not a picture', 'Pause the video, take a screenshot, and choose the screenshot.'],
  text: ['A text file is not a picture', 'Choose a picture. If the file contains the address of one, enter the address in the field for URLs.'],
  document: ['This is a document or an archive', 'Take the pictures out of it, or take a screenshot, and choose the pictures.'],
};

// The kind of a file by its first bytes. Null for formats that the server reads and for unknown ones, which the server reports.
function kindOf(head, type) {
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
  if (isSvg(head)) {
    return 'SVG';
  }
  // The server reports files with the name of a picture that are none.
  return isServers(text, hex) || type.startsWith('image/') ? null : type.startsWith('video/') ? 'video' : isText(head) ? 'text' : null;
}

// JPEG, PNG, GIF, BMP and WebP, which the server reads.
function isServers(text, hex) {
  return hex.startsWith('ffd8ff') || hex.startsWith('89504e47') || text.startsWith('GIF8') || text.startsWith('BM') || (text.startsWith('RIFF') && text.slice(8) === 'WEBP');
}

function isText(head) {
  try {
    // As a stream, because the first bytes may end within a character.
    return head.length > 0 && !/[\0-\x08\x0e-\x1a]/.test(new TextDecoder('utf-8', { fatal: true }).decode(head, { stream: true }));
  } catch {
    return false;
  }
}

function isSvg(head) {
  return /^\s*(<\?xml[^>]*>|<!--[^]*?-->|<!DOCTYPE svg[^>]*>|\s)*<svg[\s>]/i.test(new TextDecoder().decode(head));
}

// The brand "mif1" is used by both; the compatible brands in the file show which it is.
function heifKind(head) {
  const length = new DataView(head.buffer).getUint32(0);
  return String.fromCharCode(...head.slice(16, Math.min(length, head.length))).includes('avif') ? 'AVIF' : 'HEIC';
}
