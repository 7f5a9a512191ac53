/** Text on the tag of a box. */
export function tagText(box) {
  return `${box.label} ${percent(box.score)}`;
}

/** A score, 0 to 1, for people. */
export function percent(score) {
  return `${Math.round(score * 100)}%`;
}

/**
 * Finds a free place for the tag of each rectangle; the first in the list choose first.
 * @param {{x: number, y: number, width: number, height: number, text: string}[]} rectangles in the units of bounds
 * @param {{width: number, height: number}} bounds the picture
 * @param {{height: number, widthOf: (text: string) => number}} tag size of a tag
 * @returns {{x: number, y: number, width: number, height: number, free: boolean}[]} one each; not free: it would cover another
 */
export function placeTags(rectangles, bounds, tag) {
  const taken = [];
  return rectangles.map((rectangle) => {
    const width = Math.min(tag.widthOf(rectangle.text), bounds.width);
    const right = rectangle.x + rectangle.width;
    const bottom = rectangle.y + rectangle.height;
    const places = [
      [rectangle.x, rectangle.y - tag.height],
      [rectangle.x, rectangle.y],
      [right - width, rectangle.y - tag.height],
      [rectangle.x, bottom],
      [rectangle.x, bottom - tag.height],
      [right - width, bottom],
    ].map(([x, y]) => ({ x: Math.max(0, Math.min(x, bounds.width - width)), y, width, height: tag.height }))
      .filter((place) => place.y >= 0 && place.y + place.height <= bounds.height);
    const free = places.find((place) => !taken.some((other) => overlap(place, other)));
    if (free) {
      taken.push(free);
      return { ...free, free: true };
    }
    return { ...(places[0] ?? { x: 0, y: 0, width, height: tag.height }), free: false };
  });
}

function overlap(a, b) {
  return a.x < b.x + b.width && b.x < a.x + a.width && a.y < b.y + b.height && b.y < a.y + a.height;
}
