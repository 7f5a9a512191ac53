import { colourOf, inkOnColour } from './colours.js';
import { placeTags, tagText } from './labels.js';

// Largest canvas that browsers on phones support.
const mostPixels = 16_000_000;

/** The answer as it is shown, with the boxes at or above the threshold. */
export function answerFile(picture, threshold) {
  const answer = { ...picture.answer, threshold, boxes: shown(picture.answer, threshold) };
  return { name: `${baseName(picture)}.json`, blob: new Blob([JSON.stringify(answer, null, 2), '\n'], { type: 'application/json' }) };
}

/** The picture with its boxes drawn into it, as a JPEG. */
export async function annotatedFile(picture, threshold) {
  const image = new Image();
  image.src = picture.address;
  await image.decode();

  const { answer } = picture;
  const scale = Math.min(1, Math.sqrt(mostPixels / (answer.width * answer.height)));
  const canvas = document.createElement('canvas');
  canvas.width = Math.round(answer.width * scale);
  canvas.height = Math.round(answer.height * scale);
  const pen = canvas.getContext('2d');
  pen.fillStyle = '#fff'; // JPEG has no transparency
  pen.fillRect(0, 0, canvas.width, canvas.height);
  pen.drawImage(image, 0, 0, canvas.width, canvas.height);
  draw(pen, answer, shown(answer, threshold), canvas);

  const blob = await new Promise((resolve) => canvas.toBlob(resolve, 'image/jpeg', 0.92));
  if (!blob) {
    throw new Error('This browser could not draw a picture of this size.');
  }
  return { name: `${baseName(picture)}-detected.jpg`, blob };
}

/** Downloads a file. */
export function save({ name, blob }) {
  const link = document.createElement('a');
  link.href = URL.createObjectURL(blob);
  link.download = name;
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 60_000); // the browser reads it after the click
}

function draw(pen, answer, boxes, canvas) {
  const unit = Math.max(1, Math.sqrt(canvas.width * canvas.height) / 750);
  const rectangles = boxes.map((box) => ({
    x: (box.x1 / answer.width) * canvas.width,
    y: (box.y1 / answer.height) * canvas.height,
    width: ((box.x2 - box.x1) / answer.width) * canvas.width,
    height: ((box.y2 - box.y1) / answer.height) * canvas.height,
    text: tagText(box),
  }));
  pen.font = `600 ${12 * unit}px ${getComputedStyle(document.body).fontFamily}`;
  pen.textBaseline = 'middle';
  const padding = 6 * unit;
  const tags = placeTags(rectangles, canvas, { height: 20 * unit, widthOf: (text) => pen.measureText(text).width + 2 * padding });

  const stroke = ({ x, y, width, height }, style, thickness) => {
    pen.strokeStyle = style;
    pen.lineWidth = thickness * unit;
    pen.strokeRect(x, y, width, height);
  };
  boxes.forEach((box, at) => {
    stroke(rectangles[at], 'rgb(0 0 0 / 50%)', 4);
    stroke(rectangles[at], colourOf(box.classId), 2);
  });
  boxes.forEach((box, at) => {
    const tag = tags[at];
    if (tag.free) {
      pen.fillStyle = colourOf(box.classId);
      pen.fillRect(tag.x, tag.y, tag.width, tag.height);
      pen.fillStyle = inkOnColour;
      pen.fillText(tag.text, tag.x + padding, tag.y + tag.height / 2);
    }
  });
}

function shown(answer, threshold) {
  return answer.boxes.filter((box) => box.score >= threshold);
}

function baseName(picture) {
  return picture.name.replace(/\.[^.]+$/, '').replace(/[^\p{L}\p{N}._ -]+/gu, '_') || 'picture';
}
