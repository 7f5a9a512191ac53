#!/usr/bin/python3
"""Remakes the edge pictures in this folder from ../cat.png. Needs Debian's python3-pil and python3-numpy.

All good pictures show the same thing, upright.png (160×112), as far as their format allows. Same bytes from the same
versions of Pillow and its codecs; made with those of Debian 12.
"""

import io
import struct
import zlib
from pathlib import Path

import numpy as np
from PIL import Image

HERE = Path(__file__).parent
WIDTH, HEIGHT = 160, 112  # whole JPEG blocks, so that turned pictures are compressed alike
# What undoes each EXIF orientation's turn.
TURNS = {
    2: Image.Transpose.FLIP_LEFT_RIGHT, 3: Image.Transpose.ROTATE_180, 4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE, 6: Image.Transpose.ROTATE_90, 7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_270,
}
ORIENTATION = 0x0112


def chunk(kind, data):
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def png(width, height, depth, colour, rows):
    """A PNG written by hand, for what Pillow cannot write: rows are bytes, without filter bytes."""
    return (b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, depth, colour, 0, 0, 0))
            + chunk(b"IDAT", zlib.compress(b"".join(b"\0" + row for row in rows), 9)) + chunk(b"IEND", b""))


def encoded(picture, kind, **options):
    stream = io.BytesIO()
    picture.save(stream, kind, **options)
    return stream.getvalue()


def patched(data, offset, replacement):
    return data[:offset] + replacement + data[offset + len(replacement):]


def with_orientation(picture, orientation):
    exif = Image.Exif()
    exif[ORIENTATION] = orientation
    return encoded(picture, "JPEG", quality=92, subsampling=0, exif=exif)


def cmyk(picture):
    """Grey component replaced by black in full, so that a decoder that ignores K is found out."""
    ink = 255 - np.asarray(picture, np.float64)
    black = ink.min(axis=2, keepdims=True)
    colour = np.divide(ink - black, 255 - black, out=np.zeros_like(ink), where=black < 255) * 255
    return Image.fromarray(np.concatenate([colour, black], axis=2).round().astype(np.uint8), "CMYK")


def good(upright):
    yield "upright.png", encoded(upright, "PNG", optimize=True)
    yield "baseline.jpg", encoded(upright, "JPEG", quality=92)
    yield "progressive.jpg", encoded(upright, "JPEG", quality=92, progressive=True)
    yield "grey.jpg", encoded(upright.convert("L"), "JPEG", quality=92)
    yield "cmyk.jpg", encoded(cmyk(upright), "JPEG", quality=95)

    yield "orientation-1.jpg", with_orientation(upright, 1)
    for orientation, turn in TURNS.items():
        yield f"orientation-{orientation}.jpg", with_orientation(upright.transpose(turn), orientation)
    yield "orientation-9.jpg", with_orientation(upright, 9)  # no such orientation: upright

    yield "palette.png", encoded(upright.quantize(64), "PNG", optimize=True)
    yield "one-bit.png", encoded(upright.convert("1"), "PNG", optimize=True)
    pixels = np.asarray(upright, np.uint16) * 257
    yield "sixteen-bit.png", png(WIDTH, HEIGHT, 16, 2, [row.astype(">u2").tobytes() for row in pixels])

    # Left quarter transparent, over magenta that must not show; then a ramp to opaque at the middle.
    across = np.clip((np.arange(WIDTH) - WIDTH / 4) / (WIDTH / 4), 0, 1) * 255
    alpha = Image.fromarray(np.tile(across.round().astype(np.uint8), (HEIGHT, 1)))
    hidden = np.array(upright)
    hidden[:, :WIDTH // 4] = (255, 0, 255)
    see_through = Image.fromarray(hidden)
    see_through.putalpha(alpha)
    yield "alpha.png", encoded(see_through, "PNG", optimize=True)
    grey_alpha = upright.convert("L")
    grey_alpha.putalpha(alpha)
    yield "grey-alpha.png", encoded(grey_alpha, "PNG", optimize=True)

    yield "lossy.webp", encoded(upright, "WEBP", quality=90)
    yield "lossless.webp", encoded(upright, "WEBP", lossless=True)
    yield "alpha.webp", encoded(see_through, "WEBP", quality=90, exact=True)
    yield "still.gif", encoded(upright.quantize(256), "GIF")
    # The first frame is the picture, the others are plain red and blue.
    others = [Image.new("RGB", upright.size, colour) for colour in ("red", "blue")]
    yield "animated.gif", encoded(upright, "GIF", save_all=True, append_images=others, duration=100, loop=0)
    yield "animated.webp", encoded(upright, "WEBP", save_all=True, append_images=others, duration=100, quality=90)
    yield "picture.bmp", encoded(upright, "BMP")
    yield "png-named.jpg", encoded(upright, "PNG", optimize=True)
    yield "one-pixel.png", encoded(upright.crop((80, 50, 81, 51)), "PNG")
    yield "wide.png", encoded(upright.resize((2000, 1), Image.Resampling.BOX), "PNG")


def bad(upright):
    jpeg, still_png = encoded(upright, "JPEG", quality=92), encoded(upright, "PNG", optimize=True)
    yield "text.jpg", b"This is a text file whose name says that it is a picture.\n"
    yield "empty.jpg", b""
    yield "truncated.jpg", jpeg[:len(jpeg) // 2]
    yield "header-only.jpg", jpeg[:2]
    yield "truncated.png", still_png[:len(still_png) // 2]
    middle = len(still_png) // 2
    yield "corrupt.png", patched(still_png, middle, bytes(value ^ 0xFF for value in still_png[middle:middle + 64]))
    yield "unsupported.tiff", encoded(upright.resize((16, 11)), "TIFF")

    # Headers that claim far more pixels than follow.
    yield "huge.png", png(30000, 30000, 8, 2, [bytes(3 * 30000)])
    frame = jpeg.index(b"\xff\xc0") + 5
    yield "huge.jpg", patched(jpeg, frame, struct.pack(">HH", 65000, 65000))
    yield "huge.gif", patched(encoded(upright.quantize(16), "GIF"), 6, struct.pack("<HH", 65000, 65000))
    small_bmp = encoded(upright.resize((16, 11)), "BMP")
    yield "huge.bmp", patched(small_bmp, 18, struct.pack("<ii", 30000, 30000))
    webp = encoded(upright, "WEBP", quality=60)
    yield "huge.webp", patched(webp, webp.index(b"\x9d\x01\x2a") + 3, struct.pack("<HH", 16383, 16383))


def main():
    upright = Image.open(HERE.parent / "cat.png").convert("RGB").crop((0, 0, 428, 300))
    upright = upright.resize((WIDTH, HEIGHT), Image.Resampling.LANCZOS)
    upright.info.clear()  # no colour profile: the numbers mean the same to every decoder
    for name, content in (*good(upright), *bad(upright)):
        (HERE / name).write_bytes(content)


if __name__ == "__main__":
    main()
