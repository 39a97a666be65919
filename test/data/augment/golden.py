"""Writes golden.json: what torchvision, albumentations and Pillow make of a small noisy photo and its mask.

    pip install torch torchvision albumentations pillow
    python test/data/augment/golden.py > test/data/augment/golden.json

golden.json was made with torch 2.15.0, torchvision 0.29.2, albumentations 2.0.8 and Pillow 13.0.0.
"""

import io
import json
import random

import numpy as np
import torch
from albumentations.augmentations.geometric.functional import normalize_grid_distortion_steps
from PIL import Image
from torchvision.transforms import InterpolationMode, functional, v2

SIZE = 10
random.seed(1)
torch.manual_seed(1)
# In steps that fp32 and JSON hold exactly.
values = torch.randint(0, 65, (SIZE * SIZE * 3,)) / 64
image = values.reshape(SIZE, SIZE, 3).permute(2, 0, 1)
mask = torch.randint(0, 9, (1, SIZE, SIZE)).float()


def photo(tensor):
    return [round(value, 5) for value in tensor.permute(1, 2, 0).flatten().tolist()]


def labels(tensor):
    return [int(value) for value in tensor.flatten().tolist()]


def affine(angle, translate, scale, shear):
    parameters = dict(angle=angle, translate=translate, scale=scale, shear=shear)
    moved = functional.affine(image, **parameters, interpolation=InterpolationMode.BILINEAR)
    kept = functional.affine(mask, **parameters, interpolation=InterpolationMode.NEAREST, fill=[255.0])
    return {**parameters, "image": photo(moved), "mask": labels(kept)}


def crop(left, top, width, height):
    box = dict(top=top, left=left, height=height, width=width)
    bilinear, nearest = InterpolationMode.BILINEAR, InterpolationMode.NEAREST_EXACT
    part = functional.resized_crop(image, **box, size=[SIZE, SIZE], interpolation=bilinear, antialias=False)
    kept = functional.resized_crop(mask, **box, size=[SIZE, SIZE], interpolation=nearest)
    return {**box, "image": photo(part), "mask": labels(kept)}


def elastic(alpha, sigma):
    """The displacement of `ElasticTransform` for known noise, and what it moves."""
    noise = torch.randint(-64, 64, (2, SIZE, SIZE)) / 64
    taps = int(8 * sigma + 1)
    taps += taps % 2 == 0
    fields = [functional.gaussian_blur(axis[None, None], [taps, taps], [sigma, sigma]) * alpha / SIZE for axis in noise]
    displacement = torch.concat(fields, 1).permute(0, 2, 3, 1)
    moved = functional.elastic_transform(image, displacement, InterpolationMode.BILINEAR)
    kept = functional.elastic_transform(mask, displacement, InterpolationMode.NEAREST, fill=[255.0])
    axes = [axis.flatten().tolist() for axis in noise]
    return {"alpha": alpha, "sigma": sigma, "noise": axes, "image": photo(moved), "mask": labels(kept)}


def grid(size, cells):
    steps = [[round(random.uniform(0.7, 1.3), 3) for _ in range(cells)] for _ in range(2)]
    # It wants a step for what is left of a side that is no multiple of the cells; here nothing is.
    normalized = normalize_grid_distortion_steps((size, size), cells, *[axis + [1.0] for axis in steps])
    lines = [np.cumsum(normalized[axis])[:-1] * (size // cells) for axis in ("steps_x", "steps_y")]
    return {"size": size, "steps": steps, "lines": [[round(float(at), 6) for at in axis] for axis in lines]}


def jitter(name, factor):
    return {"factor": factor, "image": photo(getattr(functional, f"adjust_{name}")(image, factor))}


def blur(radius, sigma):
    taps = 2 * radius + 1
    return {"radius": radius, "sigma": sigma, "image": photo(functional.gaussian_blur(image, [taps, taps], [sigma, sigma]))}


def noise(sigma):
    torch.manual_seed(2)
    drawn = torch.randn_like(image)
    torch.manual_seed(2)
    return {"sigma": sigma, "noise": photo(drawn), "image": photo(v2.functional.gaussian_noise(image, sigma=sigma))}


def jpeg(quality):
    pixels = (image.permute(1, 2, 0) * 255).round().byte().numpy()
    # Of a smooth photo, as of noise a file of low quality keeps nothing.
    smooth = np.asarray(Image.fromarray(pixels).resize((3, 3)).resize((16, 16), Image.Resampling.BICUBIC))
    file = io.BytesIO()
    Image.fromarray(smooth).save(file, "JPEG", quality=quality)
    read = np.asarray(Image.open(file))
    return {"quality": quality, "size": 16, "bytes": smooth.flatten().tolist(), "read": read.flatten().tolist()}


def cut(size, share, column, row):
    """`CutMix._get_params` with what it draws given."""
    torch_rand, torch_beta = torch.randint, torch.distributions.Beta.sample
    places = iter([column, row])
    torch.randint = lambda *_, **__: torch.tensor([next(places)])
    torch.distributions.Beta.sample = lambda *_, **__: torch.tensor(1 - share)
    try:
        left, top, right, bottom = v2.CutMix(num_classes=2).make_params([torch.zeros(1, 3, size, size)])["box"]
    finally:
        torch.randint, torch.distributions.Beta.sample = torch_rand, torch_beta
    box = dict(left=int(left), top=int(top), width=int(right - left), height=int(bottom - top))
    return {"size": size, "share": share, "column": column, "row": row, "box": box}


golden = {
    "size": SIZE,
    "image": values.tolist(),
    "mask": labels(mask),
    "affine": [
        affine(0, [0, 0], 1.0, [0.0, 0.0]),
        affine(30.0, [0, 0], 1.0, [0.0, 0.0]),
        affine(-12.0, [2, -1], 0.8, [0.0, 0.0]),
        affine(7.0, [-1, 3], 1.3, [9.0, -6.0]),
    ],
    "crop": [crop(0, 0, 10, 10), crop(3, 1, 6, 8), crop(5, 6, 5, 4)],
    "elastic": [elastic(6.0, 0.7), elastic(20.0, 1.3)],
    "grid": [grid(20, 5), grid(12, 4)],
    "brightness": [jitter("brightness", 0.6), jitter("brightness", 1.4)],
    "contrast": [jitter("contrast", 0.6), jitter("contrast", 1.4)],
    "saturation": [jitter("saturation", 0.6), jitter("saturation", 1.4)],
    "hue": [jitter("hue", -0.1), jitter("hue", 0.07)],
    "blur": [blur(1, 0.3), blur(3, 1.0), blur(6, 2.0)],
    "noise": [noise(0.05), noise(0.3)],
    "erase": {"left": 2, "top": 5, "width": 4, "height": 3, "image": photo(functional.erase(image, 5, 2, 3, 4, torch.zeros(1)))},
    "jpeg": [jpeg(20), jpeg(90)],
    "cut": [cut(128, 0.25, 64, 64), cut(128, 0.6, 3, 120), cut(33, 0.1, 20, 7)],
}
print(json.dumps(golden))
