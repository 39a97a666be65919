#!/usr/bin/env python3
"""Every encoder in the files that the Keras at hand writes, and what it makes of files that were written here.

    python3 test/weights/peers/keras_encoders.py write FOLDER [NAME ...]
    BESPOKE_PEER_MODELS=FOLDER npm test -- test/weights/peers/keras-encoders.test.ts

`write` needs TensorFlow with Keras 2 (`tensorflow-cpu==2.15.1`) or Keras 3 (`tensorflow-cpu keras`); run it once under each, with the
same FOLDER. Weights and photos are those of `keras_outputs.py`, which anyone can draw. Beside the files lie the taps that Keras
predicts (`*.f32`) and a list of everything (`encoders-VERSION.json`).

`read FOLDER` is for the test, which calls it with the Pythons of BESPOKE_KERAS: `network.json` in FOLDER names an encoder's file and
a U-Net's; it prints how far Keras's predictions with them are from those that lie beside them.
"""

import json
import os
import sys
from pathlib import Path

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
sys.path.insert(0, str(Path(__file__).parents[2] / "layers" / "networks"))
import keras
import numpy as np
import tensorflow as tf
from keras_outputs import NETWORKS, drawn, photo, role_of

VERSION = keras.__version__
IS_3 = VERSION.startswith("3")
FILTERS = (512, 256, 128, 64)
layers = tf.keras.layers


def encoder(name, size, weights=None):
    build = getattr(tf.keras.applications, NETWORKS[name][0])
    return build(include_top=False, weights=weights, input_shape=(size, size, 3))


def taps(name, base):
    """Keras 3 allows no slash in a name."""
    names = [tap.replace("/", "_") if IS_3 else tap for tap in NETWORKS[name][3]]
    return tf.keras.Model(base.input, [base.get_layer(tap).output for tap in names])


def centered(x, side):
    """Cropped or padded with zeros around its centre."""
    off = side - x.shape[1]
    edges = (abs(off) // 2, abs(off) - abs(off) // 2)
    if off == 0:
        return x
    return (layers.ZeroPadding2D if off > 0 else layers.Cropping2D)((edges, edges))(x)


def block(filters, decoder):
    if decoder == "transpose":
        up = [layers.Conv2DTranspose(filters, 3, strides=2, padding="same", use_bias=False)]
    else:
        up = [layers.UpSampling2D(), layers.Conv2D(filters, 3, padding="same", use_bias=False)]
    return tf.keras.Sequential([*up, layers.BatchNormalization(), layers.ReLU()])


def unet(name, size, classes, decoder):
    """As the tutorial builds it, on any encoder."""
    # The taps of some have names that Keras gives by itself, and counts on.
    tf.keras.backend.clear_session()
    down = taps(name, encoder(name, size))
    image = layers.Input(shape=[size, size, 3])
    *skips, x = [centered(tap, size // 2 ** (i + 1)) for i, tap in enumerate(down(image))]
    for filters, skip in zip(FILTERS, reversed(skips)):
        x = layers.Concatenate()([block(filters, decoder)(x), skip])
    if decoder == "transpose":
        x = layers.Conv2DTranspose(classes, 3, strides=2, padding="same")(x)
    else:
        x = layers.Conv2D(classes, 3, padding="same")(layers.UpSampling2D()(x))
    return tf.keras.Model(inputs=image, outputs=x)


def fill(name, model):
    _, gain, _, _ = NETWORKS[name]
    fixture = Path(__file__).parents[2] / "layers" / "networks" / "fixtures" / f"{name}.json"
    ours = {layer.replace("/", "_"): layer for layer in json.loads(fixture.read_text())["weights"]}
    for layer in model.layers:
        if isinstance(layer, layers.Normalization):
            # Of a network that is made without weights they are 0 and 1.
            layer.set_weights([np.float32([0.485, 0.456, 0.406]), np.float32([0.229, 0.224, 0.225]) ** 2, np.int64(0)])
            layer.finalize_state()
        elif layer.weights:
            own = ours[layer.name.replace("/", "_")]
            layer.set_weights([drawn(own, role(layer, w), list(w.shape), gain) for w in layer.weights])


def role(layer, weight):
    """Keras 3 calls every kernel so."""
    own = role_of(weight)
    return "depthwise_kernel" if own == "kernel" and isinstance(layer, layers.DepthwiseConv2D) else own


def write(folder, names):
    folder.mkdir(parents=True, exist_ok=True)
    listing = []
    for name in names:
        size = NETWORKS[name][2][0]
        tf.keras.backend.clear_session()
        base = encoder(name, size)
        fill(name, base)
        tapped = taps(name, base)
        predictions = tapped.predict(photo(name, size), verbose=0)
        for i, prediction in enumerate(predictions):
            prediction.tofile(folder / f"encoders-{VERSION}-{name}-tap{i}.f32")
        # Another of the same process: the names that Keras gives by itself go on.
        second = encoder(name, size)
        second.set_weights(base.get_weights())
        legacy = [] if IS_3 else [(base, "save_weights", ".h5"), (second, "save_weights", ".h5")]
        files = []
        for model, way, ending in [
            (base, "save", ".h5"),
            (base, "save", ".keras"),
            (base, "save_weights", ".weights.h5"),
            (second, "save_weights", ".weights.h5"),
            (tapped, "save_weights", ".weights.h5"),
            *legacy,
        ]:
            kind = "base" if model is base else "second" if model is second else "tapped"
            files.append(f"encoders-{VERSION}-{name}-{kind}-{way}{ending}")
            getattr(model, way)(str(folder / files[-1]))
        taps_files = [f"encoders-{VERSION}-{name}-tap{i}.f32" for i in range(5)]
        listing.append({"encoder": name, "size": size, "taps": taps_files, "files": files})
        print(name, flush=True)
        (folder / f"encoders-{VERSION}.json").write_text(json.dumps(listing, indent=2) + "\n")


def error(prediction, file):
    expected = np.fromfile(file, "float32").reshape(prediction.shape)
    return float(np.abs(prediction - expected).max() / np.abs(expected).max())


def read(folder):
    network = json.loads((folder / "network.json").read_text())
    name, size = network["encoder"], network["size"]
    image = photo(name, size)
    base = encoder(name, size, weights=str(folder / "encoder.h5"))
    predictions = taps(name, base).predict(image, verbose=0)
    errors = {tap: error(p, folder / f"tap{i}.f32") for i, (tap, p) in enumerate(zip(NETWORKS[name][3], predictions))}
    model = unet(name, size, network["classes"], network["decoder"])
    model.load_weights(str(folder / "unet.h5"))
    # Keras 3 sets the weights of a nested Normalization from such a file, and goes on with those of before.
    for layer in next(each for each in model.layers if isinstance(each, tf.keras.Model) and len(each.layers) > 20).layers:
        if isinstance(layer, layers.Normalization):
            layer.finalize_state()
    errors["logits"] = error(model.predict(image, verbose=0), folder / "logits.f32")
    print(json.dumps({"keras": VERSION, "errors": errors}))


if __name__ == "__main__":
    command, folder, *names = sys.argv[1:]
    if command == "write":
        write(Path(folder), names or NETWORKS)
    else:
        read(Path(folder))
