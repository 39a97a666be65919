"""Writes golden.json: what pycocotools, Pillow and OpenCV make of some outlines.

    pip install pycocotools pillow opencv-python-headless
    python test/data/shapes/golden.py > test/data/shapes/golden.json

golden.json was made with pycocotools 2.0.11, Pillow 13.0.0 and OpenCV 5.0.0.
"""

import json
import random

import cv2
import numpy as np
from PIL import Image, ImageDraw
from pycocotools import mask as coco

random.seed(1)
cases = []
for case in range(36):
    width, height = random.randint(1, 24), random.randint(1, 24)
    # Some beyond the picture (OpenCV has its own way with those, at the border), some on whole and half pixels.
    beyond = 4 if case % 6 == 5 else 0
    step = (0, 1, 2)[case % 3]
    outline = []
    for _ in range(random.randint(3, 9)):
        for extent in (width, height):
            value = random.uniform(-beyond, extent - 1 + 2 * beyond)
            outline.append(round(value, 3) if step == 0 else round(value * step) / step)
    points = np.asarray(outline).reshape(-1, 2)
    runs = coco.merge(coco.frPyObjects([outline], height, width))
    pillow = Image.new("L", (width, height))
    ImageDraw.Draw(pillow).polygon([tuple(point) for point in points], outline=1, fill=1)
    opencv = np.zeros((height, width), np.uint8)
    cv2.fillPoly(opencv, [points.astype(np.int32)], 1)
    text = lambda mask: "".join(str(int(pixel)) for pixel in np.asarray(mask).ravel())
    cases.append(
        {
            "width": width,
            "height": height,
            "outline": outline,
            "counts": runs["counts"].decode(),
            "coco": text(coco.decode(runs)),
            "pillow": text(pillow),
            "opencv": None if beyond else text(opencv),
        }
    )
print(json.dumps(cases))
