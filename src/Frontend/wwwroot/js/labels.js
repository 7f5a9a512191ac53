/** Text on the tag of a box. */
export function tagText(box) {
  return `${box.label} ${percent(box.score)}`;
}

/** A score, 0 to 1, as a percentage. */
export function percent(score) {
  return `${Math.round(score * 100)}%`;
}

/**
 * Finds a free place for the tag of each rectangle, in the order of the list. A rectangle that covers much of an earlier one has no tag: the
 * tag of the earlier one counts it ("+3"). Tags cover at most a part of the picture; the last rectangles have none.
 * @param {{x: number, y: number, width: number, height: number, text: string}[]} rectangles in the units of bounds
 * @param {{width: number, height: number}} bounds the picture
 * @param {{height: number, widthOf: (text: string) => number}} tag size of a tag
 * @returns {{x: number, y: number, width: number, height: number, text: string, free: boolean}[]} one for each rectangle; a tag that is not free is shown only under the pointer
 */
export function placeTags(rectangles, bounds, tag) {
  const leaders = leadersOf(rectangles);
  const taken = [];
  let room = mostCovered * bounds.width * bounds.height;
  return rectangles.map((rectangle, at) => {
    const followers = leaders.filter((leader, other) => leader === at && other !== at).length;
    const text = followers > 0 ? `${rectangle.text} +${followers}` : rectangle.text;
    const width = Math.min(tag.widthOf(text), bounds.width);
    const right = rectangle.x + rectangle.width;
    const bottom = rectangle.y + rectangle.height;
    const places = [
      [rectangle.x, rectangle.y - tag.height],
      [rectangle.x, rectangle.y],
      [right - width, rectangle.y - tag.height],
      [rectangle.x, bottom],
      [rectangle.x, bottom - tag.height],
      [right - width, bottom],
    ].map(([x, y]) => ({ x: Math.max(0, Math.min(x, bounds.width - width)), y, width, height: tag.height, text }))
      .filter((place) => place.y >= 0 && place.y + place.height <= bounds.height);
    const free = leaders[at] === at && (room > 0 || taken.length < fewest) ? places.find((place) => !taken.some((other) => overlap(place, other))) : null;
    if (free) {
      taken.push(free);
      room -= free.width * free.height;
      return { ...free, free: true };
    }
    return { ...(places[0] ?? { x: 0, y: 0, width, height: tag.height, text }), free: false };
  });
}

// The largest part of a picture that tags cover, and the number of tags that are always shown: a small picture has little room.
const mostCovered = 0.06;
const fewest = 8;

// Of two rectangles that share this much of their common area, the second has no tag of its own.
const sameThing = 0.35;

/** For each rectangle the index of the rectangle that has its tag: its own, or that of an earlier one. */
function leadersOf(rectangles) {
  const leaders = [];
  rectangles.forEach((rectangle, at) => {
    const leader = leaders.findIndex((itself, other) => itself === other && shared(rectangle, rectangles[other]) > sameThing);
    leaders.push(leader < 0 ? at : leader);
  });
  return leaders;
}

/** Intersection over union. */
function shared(a, b) {
  const width = Math.min(a.x + a.width, b.x + b.width) - Math.max(a.x, b.x);
  const height = Math.min(a.y + a.height, b.y + b.height) - Math.max(a.y, b.y);
  const both = Math.max(0, width) * Math.max(0, height);
  return both / (a.width * a.height + b.width * b.height - both || 1);
}

function overlap(a, b) {
  return a.x < b.x + b.width && b.x < a.x + a.width && a.y < b.y + b.height && b.y < a.y + a.height;
}
