"""Small files made on the spot: clips, posters and a paper that looks like nobody's."""

import colorsys
import io
import subprocess
import tempfile
from pathlib import Path

import unfold
from PIL import Image, ImageDraw, ImageFont

from integrations.ffmpeg.client import find_binary

# Sources that ffmpeg draws by itself, so that no picture has to be shipped.
SCENES = [
    "gradients=s=480x270:r=15:c0=0x0b3954:c1=0xe0a030:speed=0.02",
    "gradients=s=480x270:r=15:c0=0x5f0f40:c1=0x0f4c5c:speed=0.03:type=radial",
    "life=s=480x270:r=15:mold=12:ratio=0.08:death_color=0x1d3557:life_color=0xf1faee,boxblur=1",
    "cellauto=s=480x270:r=15:rule=110",
    "mandelbrot=s=480x270:r=15:maxiter=400",
    "gradients=s=480x270:r=15:c0=0x2a9d8f:c1=0xe76f51:nb_colors=4:speed=0.01:type=spiral",
]


def clip(scene: int, *, seconds: int = 4) -> bytes:
    """An H.264 clip with a quiet tone, as MP4."""
    with tempfile.TemporaryDirectory() as folder:
        target = Path(folder) / "clip.mp4"
        tone = 220 * (1 + scene % 4)
        command = [find_binary(), "-v", "error", "-f", "lavfi", "-i", SCENES[scene % len(SCENES)]]
        command += ["-f", "lavfi", "-i", f"sine=frequency={tone}:sample_rate=44100", "-t", str(seconds)]
        command += [
            "-c:v",
            "libx264",
            "-preset",
            "ultrafast",
            "-pix_fmt",
            "yuv420p",
            "-c:a",
            "aac",
            "-b:a",
            "48k",
        ]
        command += ["-af", "volume=0.05", "-movflags", "+faststart", str(target)]
        subprocess.run(command, check=True, timeout=60)
        return target.read_bytes()


def poster(text: str, number: int) -> bytes:
    """A JPEG with the title on two colours."""
    hue = (number * 0.381966) % 1.0
    top, bottom = (
        tuple(int(255 * part) for part in colorsys.hsv_to_rgb((hue + shift) % 1.0, 0.62, value))
        for shift, value in ((0.0, 0.62), (0.12, 0.24))
    )
    strip = Image.new("RGB", (1, 2))
    strip.putpixel((0, 0), top)
    strip.putpixel((0, 1), bottom)
    image = strip.resize((640, 360), Image.Resampling.BICUBIC)
    draw = ImageDraw.Draw(image)
    font = _font(44)
    lines, line = [], ""
    for word in text.split():
        if draw.textlength(f"{line} {word}", font=font) > 560:
            lines.append(line)
            line = word
        else:
            line = f"{line} {word}".strip()
    lines.append(line)
    for index, row in enumerate(lines[:4]):
        draw.text((40, 300 - 52 * (min(len(lines), 4) - index)), row, font=font, fill=(255, 255, 255))
    return _jpeg(image)


def paper(name: str, kind: str) -> bytes:
    """A JPEG that says what it is: a specimen, so that nobody takes it for a document."""
    image = Image.new("RGB", (860, 540), (232, 238, 240))
    draw = ImageDraw.Draw(image)
    draw.rectangle((20, 20, 840, 520), outline=(90, 120, 130), width=4)
    draw.rectangle((50, 120, 270, 400), fill=(190, 204, 210))
    big, small = _font(40), _font(26)
    draw.text((50, 45), f"SPECIMEN · {kind}", font=big, fill=(60, 84, 92))
    draw.text((310, 140), name[:34], font=small, fill=(30, 40, 44))
    draw.text((310, 190), "No. 000-000-000", font=small, fill=(30, 40, 44))
    draw.text((310, 240), "Valid until 2031", font=small, fill=(30, 40, 44))
    draw.text((50, 440), "Made for a demo. Not a document.", font=small, fill=(120, 60, 60))
    return _jpeg(image)


def _font(size: int) -> ImageFont.FreeTypeFont:
    # Pillow's own font lacks the accents of French and Creole.
    folder = Path(unfold.__file__).parent / "static" / "unfold" / "fonts" / "inter"
    return ImageFont.truetype(folder / "Inter-Medium.woff2", size)


def _jpeg(image: Image.Image) -> bytes:
    content = io.BytesIO()
    image.save(content, "JPEG", quality=82)
    return content.getvalue()
