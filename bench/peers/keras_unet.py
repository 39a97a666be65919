#!/usr/bin/env python3
"""A run of `npm run train` in Keras 2.15: same photos, split, network, recipe and figures.

    python3 bench/peers/keras_unet.py --recipe article --run runs/train-1 --data PATH --weights PATH.h5 \\
        --size 64 --batch 16 --steps 12 --epochs 5 5 --seeds 0 1 2 --json bench/results/keras-article-64.json

`--run` is the folder of one of our runs, whose data.json says which photos are for what and what the classes are called.

- `article`: the tutorial to the letter, as `--preset article`: pixels in [0, 1], masks resized bilinearly and truncated, seven copies
  one after the other and tf.data's shuffle(1000), transposed convolutions, RMSprop at 1e-3 in both phases, batch norms with
  Keras's momentum, validation photos that fill no batch left out.
- `quick`: as `--preset quick`: photos as ImageNet's, masks resized to the nearest, mirrored at random, nearest neighbour and
  convolution, a head that begins with the classes' frequencies, AdamW (decay 0.004, not of norms and biases) along a cosine, momentum
  0.9, and `--loss`.

Needs `tensorflow-cpu==2.15.1` and `pillow`.
"""

import argparse
import json
import os
import sys
import time

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")

import numpy as np
import tensorflow as tf
from PIL import Image
from tensorflow import keras

SKIPS = ("pool4_relu", "pool3_relu", "pool2_relu", "conv1/relu")
FILTERS = (512, 256, 128, 64)
MEAN = (0.485, 0.456, 0.406)
DEVIATION = (0.229, 0.224, 0.225)
LEAST_SHARE = 1e-4


# --- the data ------------------------------------------------------------------------------------------------------


def load(files, data, size, mask_method):
    """Photos [N, S, S, 3] in [0, 1] and masks [N, S, S]."""
    photos, masks = [], []
    for entry in files:
        photo = np.asarray(Image.open(os.path.join(data, entry["photo"]["file"])).convert("RGB"), np.float32) / 255
        mask = np.asarray(Image.open(os.path.join(data, entry["mask"]["file"])))[..., None]
        photos.append(tf.image.resize(photo, (size, size)).numpy())
        masks.append(tf.cast(tf.image.resize(mask, (size, size), method=mask_method), tf.int32).numpy()[..., 0])
    return np.stack(photos), np.stack(masks)


def article_batches(photos, masks, batch, seed):
    """Seven copies one after the other, shuffle(1000), batches that run on from epoch to epoch."""
    both = lambda f: (lambda x, y: (f(x), tf.squeeze(f(y[..., None]), -1)))
    photo_only = lambda f: (lambda x, y: (f(x), y))

    def crop(x, y):
        side = x.shape[0]
        x = tf.image.resize(tf.image.central_crop(x, 0.7), (side, side))
        y = tf.image.resize(tf.image.central_crop(y[..., None], 0.7), (side, side))
        return x, tf.cast(y, tf.int32)[..., 0]

    changes = [
        lambda x, y: (x, y),
        photo_only(lambda x: tf.image.adjust_brightness(x, 0.1)),
        photo_only(lambda x: tf.image.adjust_gamma(x, 0.1)),
        photo_only(lambda x: tf.image.adjust_hue(x, -0.1)),
        crop,
        both(tf.image.flip_left_right),
        both(tf.image.flip_up_down),
    ]
    base = tf.data.Dataset.from_tensor_slices((photos, masks))
    whole = base.map(changes[0])
    for change in changes[1:]:
        whole = whole.concatenate(base.map(change))
    return whole.shuffle(1000, seed=seed).batch(batch).repeat()


def quick_batches(photos, masks, batch, seed):
    """A full shuffle each pass, every second sample mirrored on average, whole batches."""
    def mirrored(x, y):
        flip = tf.random.uniform([]) < 0.5
        return tf.cond(flip, lambda: (x[:, ::-1], y[:, ::-1]), lambda: (x, y))

    whole = tf.data.Dataset.from_tensor_slices((photos, masks)).shuffle(len(photos), seed=seed)
    return whole.map(mirrored).batch(batch, drop_remainder=True).repeat()


# --- the network ---------------------------------------------------------------------------------------------------


def unet(size, classes, weights, decoder, momentum, head_bias):
    encoder = keras.applications.DenseNet121(include_top=False, weights=weights, input_shape=(size, size, 3))
    if momentum is not None:
        for layer in encoder.layers:
            if isinstance(layer, keras.layers.BatchNormalization):
                layer.momentum = momentum

    def doubled(x, filters, **options):
        if decoder == "nearest":
            x = keras.layers.UpSampling2D()(x)
            return keras.layers.Conv2D(filters, 3, padding="same", **options)(x)
        return keras.layers.Conv2DTranspose(filters, 3, strides=2, padding="same", **options)(x)

    x = encoder.get_layer("relu").output
    for filters, skip in zip(FILTERS, SKIPS):
        normal = keras.initializers.RandomNormal(0.0, 0.02)
        x = doubled(x, filters, use_bias=False, kernel_initializer=normal)
        x = keras.layers.BatchNormalization(momentum=momentum or 0.99)(x)
        x = keras.layers.ReLU()(x)
        x = keras.layers.Concatenate()([x, encoder.get_layer(skip).output])
    bias = "zeros" if head_bias is None else keras.initializers.Constant(head_bias)
    return encoder, keras.Model(encoder.input, doubled(x, classes, bias_initializer=bias))


def dice_cross_entropy(labels, logits):
    """Cross-entropy plus 1 − Dice, the mean over the classes that the batch is labelled with."""
    labels = tf.cast(labels, tf.int32)
    entropy = tf.reduce_mean(tf.nn.sparse_softmax_cross_entropy_with_logits(labels, logits))
    truth = tf.one_hot(labels, logits.shape[-1])
    p = tf.nn.softmax(logits)
    over = [0, 1, 2]
    both, sums = tf.reduce_sum(p * truth, over), tf.reduce_sum(p + truth, over)
    present = tf.cast(tf.reduce_sum(truth, over) > 0, tf.float32)
    dice = present * (1 - 2 * both / tf.maximum(sums, 1e-12))
    return entropy + tf.reduce_sum(dice) / tf.reduce_sum(present)


class NormsAreByThemselves(keras.optimizers.AdamW):
    """AdamW whose decay leaves what has one axis alone: biases, and the norms' factors and offsets."""

    def _use_weight_decay(self, variable):
        return len(variable.shape) > 1


# --- a run ---------------------------------------------------------------------------------------------------------


def evaluate(model, photos, masks, classes, batch):
    prediction = np.argmax(model.predict(photos, batch_size=batch, verbose=0), -1)
    confusion = np.bincount((masks * classes + prediction).ravel(), minlength=classes * classes)
    confusion = confusion.reshape(classes, classes).astype(np.float64)
    hits, truth, said = np.diag(confusion), confusion.sum(1), confusion.sum(0)
    present = truth > 0
    iou = hits[present] / (truth + said - hits)[present]
    return {
        "accuracy": hits.sum() / confusion.sum(),
        "meanIou": iou.mean(),
        "background": truth[0] / confusion.sum(),
    }


def run(options, seed, classes, training, validation):
    keras.utils.set_random_seed(seed)
    article = options.recipe == "article"
    prepared = (lambda x: x) if article else (lambda x: ((x - MEAN) / DEVIATION).astype(np.float32))
    photos, masks = training
    counts = np.bincount(masks.ravel(), minlength=classes) / masks.size
    head_bias = None if article else np.log(np.maximum(counts, LEAST_SHARE)).astype(np.float32)
    batches = (article_batches if article else quick_batches)(prepared(photos), masks, options.batch, seed)
    seen = len(validation[0]) // options.batch * options.batch if article else len(validation[0])
    held = prepared(validation[0][:seen]), validation[1][:seen]
    decoder = "transpose" if article else "nearest"
    encoder, model = unet(
        options.size, classes, options.weights, decoder, None if article else 0.9, head_bias
    )
    loss = {
        "cross-entropy": keras.losses.SparseCategoricalCrossentropy(from_logits=True),
        "dice-cross-entropy": dice_cross_entropy,
    }[options.loss]
    best = None
    began = time.process_time(), time.perf_counter()
    for phase, epochs in enumerate(options.epochs):
        if epochs == 0:
            continue
        encoder.trainable = phase == 1
        rate = options.rates[phase]
        if article:
            optimizer = keras.optimizers.RMSprop(rate)
        else:
            schedule = keras.optimizers.schedules.CosineDecay(rate, epochs * options.steps)
            optimizer = NormsAreByThemselves(schedule, weight_decay=0.004)
        model.compile(optimizer, loss)
        for epoch in range(epochs):
            history = model.fit(batches, steps_per_epoch=options.steps, epochs=1, verbose=0)
            row = evaluate(model, *held, classes, options.batch)
            row = {"phase": phase, "epoch": epoch, "loss": history.history["loss"][0], **row}
            print(f"seed {seed}  " + "  ".join(f"{k} {v:.4f}" if isinstance(v, float) else f"{k} {v}" for k, v in row.items()))
            sys.stdout.flush()
            best = row if best is None or row["accuracy"] > best["accuracy"] else best
    spent = {"processorSeconds": time.process_time() - began[0], "seconds": time.perf_counter() - began[1]}
    return {"seed": seed, "last": row, "best": best, **spent}


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--recipe", choices=("article", "quick"), default="article")
    parser.add_argument("--run", required=True, help="folder of one of our runs, for its data.json")
    parser.add_argument("--data", required=True)
    parser.add_argument("--weights", required=True, help="Keras's .h5 without top")
    parser.add_argument("--size", type=int, default=64)
    parser.add_argument("--batch", type=int, default=16)
    parser.add_argument("--steps", type=int, default=12, help="an epoch")
    parser.add_argument("--epochs", type=int, nargs=2, default=(5, 5), help="frozen, fine-tuning")
    parser.add_argument("--rates", type=float, nargs=2, default=(1e-3, 1e-3), help="learning rates of both phases")
    parser.add_argument("--loss", choices=("cross-entropy", "dice-cross-entropy"), default="cross-entropy")
    parser.add_argument("--seeds", type=int, nargs="+", default=(0,))
    parser.add_argument("--json", help="write the figures to this file")
    options = parser.parse_args()
    with open(os.path.join(options.run, "data.json")) as file:
        record = json.load(file)
    classes = len(record["classNames"])
    method = "bilinear" if options.recipe == "article" else "nearest"
    training, validation = (
        load(record[part], options.data, options.size, method) for part in ("training", "validation")
    )
    runs = [run(options, seed, classes, training, validation) for seed in options.seeds]
    for key in ("accuracy", "meanIou"):
        values = [one["last"][key] for one in runs]
        print(f"last {key}: mean {np.mean(values):.4f}, from {min(values):.4f} to {max(values):.4f}")
    if options.json:
        kept = {k: v for k, v in vars(options).items() if k not in ("run", "data", "weights", "json")}
        report = {"tensorflow": tf.__version__, "numpy": np.__version__, "options": kept, "runs": runs}
        with open(options.json, "w") as file:
            json.dump(report, file, indent=2)
            file.write("\n")


if __name__ == "__main__":
    main()
