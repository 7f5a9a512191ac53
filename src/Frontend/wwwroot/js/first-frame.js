/** The first frame of an animation, which is the frame that the server processes. Returns other files unchanged. */
export async function firstFrame(file) {
  try {
    if (!await isAnimation(file)) {
      return file;
    }
    const frame = await createImageBitmap(file);
    const canvas = document.createElement('canvas');
    canvas.width = frame.width;
    canvas.height = frame.height;
    canvas.getContext('2d').drawImage(frame, 0, 0);
    frame.close();
    return await new Promise((resolve) => canvas.toBlob((blob) => resolve(blob ?? file)));
  } catch {
    return file; // The file does not match its type; the server reports it.
  }
}

async function isAnimation(file) {
  if (file.type === 'image/webp') {
    // RIFF....WEBPVP8X, size, flags: bit 1 is "animation".
    const head = new Uint8Array(await file.slice(0, 21).arrayBuffer());
    return head.length === 21 && String.fromCharCode(...head.slice(12, 16)) === 'VP8X' && (head[20] & 2) !== 0;
  }
  return file.type === 'image/gif';
}
