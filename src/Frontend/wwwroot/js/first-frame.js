/** The server looks at the first frame of a GIF, so that is the one to show. Other files come back as they are. */
export async function firstFrame(file) {
  if (file.type !== 'image/gif') {
    return file;
  }
  try {
    const frame = await createImageBitmap(file);
    const canvas = document.createElement('canvas');
    canvas.width = frame.width;
    canvas.height = frame.height;
    canvas.getContext('2d').drawImage(frame, 0, 0);
    frame.close();
    return await new Promise((resolve) => canvas.toBlob((blob) => resolve(blob ?? file)));
  } catch {
    return file; // Not a GIF after all: the server will say so.
  }
}
