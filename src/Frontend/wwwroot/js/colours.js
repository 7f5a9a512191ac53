/**
 * Colour of a class. Classes get colours in the order in which they first appear. With a fixed colour for each class id, one picture could
 * have similar colours, because hues at multiples of the golden angle are similar after 8, 13, 21 … classes.
 */
export function colourOf(classId) {
  let colour = known.get(classId);
  if (!colour) {
    const rank = known.size;
    colour = oklch(lightness[Math.floor(rank / 8) % lightness.length], 0.155, (152 + rank * 137.508) % 360);
    known.set(classId, colour);
  }
  return colour;
}

/** Colour of text on a class colour. */
export const inkOnColour = '#10140f';

// OKLCH lightness; dark text is readable on each.
const lightness = [0.77, 0.87, 0.68];
const known = new Map();

// https://bottosson.github.io/posts/oklab/
function oklch(light, chroma, hue) {
  const a = chroma * Math.cos((hue * Math.PI) / 180);
  const b = chroma * Math.sin((hue * Math.PI) / 180);
  const l = (light + 0.3963377774 * a + 0.2158037573 * b) ** 3;
  const m = (light - 0.1055613458 * a - 0.0638541728 * b) ** 3;
  const s = (light - 0.0894841775 * a - 1.291485548 * b) ** 3;
  const channels = [
    4.0767416621 * l - 3.3077115913 * m + 0.2309699292 * s,
    -1.2684380046 * l + 2.6097574011 * m - 0.3413193965 * s,
    -0.0041960863 * l - 0.7034186147 * m + 1.707614701 * s,
  ];
  return `#${channels.map((channel) => hex(gamma(Math.min(1, Math.max(0, channel))))).join('')}`;
}

function gamma(linear) {
  return linear <= 0.0031308 ? 12.92 * linear : 1.055 * linear ** (1 / 2.4) - 0.055;
}

function hex(channel) {
  return Math.round(channel * 255).toString(16).padStart(2, '0');
}
