#!/usr/bin/env python3
"""The tutorial's model, and DenseNet121 alone, in every file that the Keras at hand writes.

    python3 test/weights/peers/keras_models.py FOLDER
    BESPOKE_PEER_MODELS=FOLDER npm test -- test/weights/peers

Needs TensorFlow with Keras 2 (`tensorflow-cpu==2.15.1`) or Keras 3 (`tensorflow-cpu keras`); run it once under each, with the
same FOLDER. The numbers are the same in all files of a network, so all of them must be read as the same weights; beside them lie
what Keras itself predicts (`*.f32`) and a list of everything (`keras-VERSION.json`) for peers.test.ts.
"""

import json
import os
import sys
from functools import partial
from pathlib import Path

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
import keras
import numpy as np
import tensorflow as tf

SIZE = 64
CLASSES = 59
FILTERS = (512, 256, 128, 64)
IS_3 = keras.__version__.startswith("3")
VERSION = keras.__version__
layers = tf.keras.layers

# A model made before shifts the numbers in the names of all that follow, as in any notebook.
layers.Conv2D(1, 1), layers.BatchNormalization(), tf.keras.Sequential([layers.Conv2DTranspose(1, 1)])


def transpose_block(filters, dropout=False):
    block = tf.keras.Sequential()
    block.add(layers.Conv2DTranspose(filters, 3, strides=2, padding="same", use_bias=False))
    block.add(layers.BatchNormalization())
    if dropout:
        block.add(layers.Dropout(0.5))
    block.add(layers.ReLU())
    return block


def upsampling_block(decoder, filters, dropout=False):
    return tf.keras.Sequential(
        [
            layers.UpSampling2D(interpolation=decoder),
            layers.Conv2D(filters, 3, padding="same", use_bias=False),
            layers.BatchNormalization(),
            *([layers.Dropout(0.5)] if dropout else []),
            layers.ReLU(),
        ]
    )


def down_stack():
    base = tf.keras.applications.DenseNet121(input_shape=[SIZE, SIZE, 3], include_top=False, weights=None)
    first = "conv1_relu" if IS_3 else "conv1/relu"
    skips = [base.get_layer(name).output for name in (first, "pool2_relu", "pool3_relu", "pool4_relu", "relu")]
    return tf.keras.Model(inputs=base.input, outputs=skips)


def unet(decoder, frozen, dropout=False, softmax=False):
    down = down_stack()
    down.trainable = not frozen
    block = transpose_block if decoder == "transpose" else partial(upsampling_block, decoder)
    image = layers.Input(shape=[SIZE, SIZE, 3])
    *skips, x = down(image)
    for filters, skip in zip(FILTERS, reversed(skips)):
        x = layers.Concatenate()([block(filters, dropout)(x), skip])
    activation = "softmax" if softmax else None
    if decoder == "transpose":
        x = layers.Conv2DTranspose(CLASSES, 3, strides=2, padding="same", activation=activation)(x)
    else:
        x = layers.UpSampling2D(interpolation=decoder)(x)
        x = layers.Conv2D(CLASSES, 3, padding="same", activation=activation)(x)
    return tf.keras.Model(inputs=image, outputs=x)


def leaves(model):
    for layer in model.layers:
        if isinstance(layer, tf.keras.Model):
            yield from leaves(layer)
        else:
            yield layer


def fill(model):
    """Other numbers in every weight, such that activations keep their size."""
    random = np.random.default_rng(7)
    for layer in leaves(model):
        if not layer.weights:
            continue
        if isinstance(layer, layers.BatchNormalization):
            channels = layer.weights[0].shape[0]
            values = [random.uniform(low, low + 0.8, channels) for low in (0.6, -0.4, -0.4, 0.6)]
        else:
            kernel = layer.weights[0].shape
            taps = np.prod(kernel) / min(kernel[-2:]) if len(kernel) == 4 else kernel[0]
            values = [random.uniform(-1, 1, kernel) * np.sqrt(6 / taps)]
            values += [random.uniform(-0.4, 0.4, weight.shape) for weight in layer.weights[1:]]
        layer.set_weights([value.astype("float32") for value in values])


def main():
    folder = Path(sys.argv[1])
    folder.mkdir(parents=True, exist_ok=True)
    image = np.random.default_rng(1).random((1, SIZE, SIZE, 3), "float32")
    image.tofile(folder / f"keras-{VERSION}-image.f32")
    cases = []

    def write(model, network, kind, ways):
        for way, ending in ways:
            name = f"keras-{VERSION}-{kind}-{way}{ending}"
            getattr(model, way)(str(folder / name))
            cases.append({"file": name, "network": network, "format": ending})
            print(name, flush=True)

    whole = [("save", ".h5"), ("save", ".keras")]
    weights = [("save_weights", ".weights.h5"), *([] if IS_3 else [("save_weights", ".h5")])]
    predictions = {}
    for decoder in ("transpose", "nearest", "bilinear"):
        for frozen in (False, True):
            model = unet(decoder, frozen)
            fill(model)
            if decoder not in predictions:
                predictions[decoder] = f"keras-{VERSION}-{decoder}.f32"
                model.predict(image, verbose=0).tofile(folder / predictions[decoder])
            write(model, decoder, f"{decoder}-{'frozen' if frozen else 'trainable'}", whole + weights)
    model = unet("transpose", frozen=True, dropout=True, softmax=True)
    fill(model)
    model.compile("rmsprop", "sparse_categorical_crossentropy")
    model.optimizer.build(model.trainable_variables)
    write(model, "transpose", "compiled-dropout-softmax", whole + weights)
    for top in (False, True):
        shape = [SIZE, SIZE, 3] if not top else None
        model = tf.keras.applications.DenseNet121(input_shape=shape, include_top=top, weights=None)
        fill(model)
        network = "encoder-top" if top else "encoder"
        write(model, network, network, whole + weights)

    listing = {"image": f"keras-{VERSION}-image.f32", "predictions": predictions, "cases": cases}
    (folder / f"keras-{VERSION}.json").write_text(json.dumps(listing, indent=2) + "\n")


if __name__ == "__main__":
    main()
