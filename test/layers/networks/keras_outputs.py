"""
What Keras's own networks make of numbers that anyone can draw: the fixtures beside this file.

    pip install tensorflow-cpu==2.15.0
    python keras_outputs.py [NAME ...]        # writes fixtures/NAME.json

Every weight has numbers that follow from its name, `<layer>/<role>`, and its shape; so have the photos. `drawn.ts`
makes the same numbers. In 32-bit arithmetic, `name` in ASCII:

    seed    FNV-1a of name: h = 2166136261; for each byte: h = (h xor byte) * 16777619
    word i  PCG's output function (RXS-M-XS) on s = (seed + i * 2654435769) * 747796405 + 2891336453:
            w = ((s >> ((s >> 28) + 4)) xor s) * 277803737; w xor (w >> 22)
    u       (word i >> 8) / 2^24, in [0, 1)

and of u the number, rounded to f32 at the end:

    kernel, depthwise_kernel, pointwise_kernel   (2u - 1) * sqrt(gain / fan-in); He's uniform has gain 6, and a network
                                                 of many sums a smaller one, so that its activations stay of order 1
    gamma                                        1 + 0.2 * (2u - 1)
    moving_variance                              1 + 0.3 * (2u - 1)
    beta, bias, moving_mean                      0.1 * (2u - 1)
    photos ("image")                             (2u - 1) or, for a network that scales by itself, 255u

Fan-in: a depthwise kernel `[h, w, C, 1]` has h * w, any other the product of all dimensions but the last.
The two EfficientNet layers that hold ImageNet's statistics as weights get these.

Outputs are those of inference: the five taps, logits and probabilities, at two sizes. Of a tensor of n numbers the
fixture has 31 samples, at floor((k + 1/2) * n / 31), the sum, the sum of the absolute values and the largest one.
"""

import json
import math
import pathlib
import sys

import numpy as np
import tensorflow as tf
from tensorflow.keras import applications, backend

DENSENET_TAPS = ["conv1/relu", "pool2_relu", "pool3_relu", "pool4_relu", "relu"]
NETWORKS = {
    "densenet121": ("DenseNet121", 6, [64, 96], DENSENET_TAPS),
    "densenet169": ("DenseNet169", 6, [64, 96], DENSENET_TAPS),
    "densenet201": ("DenseNet201", 6, [64, 96], DENSENET_TAPS),
    "resnet50": (
        "ResNet50",
        3,
        [64, 96],
        ["conv1_relu", "conv2_block3_out", "conv3_block4_out", "conv4_block6_out", "conv5_block3_out"],
    ),
    "mobilenetv2": (
        "MobileNetV2",
        5,
        [64, 96],
        ["block_1_expand_relu", "block_3_expand_relu", "block_6_expand_relu", "block_13_expand_relu", "block_16_project"],
    ),
    "efficientnetb0": (
        "EfficientNetB0",
        6,
        [64, 96],
        [
            "block2a_expand_activation",
            "block3a_expand_activation",
            "block4a_expand_activation",
            "block6a_expand_activation",
            "top_activation",
        ],
    ),
    "inceptionv3": ("InceptionV3", 7, [96, 128], ["activation_2", "activation_4", "mixed2", "mixed7", "mixed10"]),
    "nasnetmobile": (
        "NASNetMobile",
        4,
        [96, 128],
        ["activation", "activation_11", "activation_70", "activation_129", "activation_187"],
    ),
}
SCALES_BY_ITSELF = {"efficientnetb0"}
SAMPLES = 31


def uniform(name, count):
    """`count` numbers in [0, 1) that follow from `name`."""
    seed = 2166136261
    for byte in name.encode("ascii"):
        seed = ((seed ^ byte) * 16777619) & 0xFFFFFFFF
    with np.errstate(over="ignore"):
        s = (np.uint32(seed) + np.arange(count, dtype=np.uint32) * np.uint32(2654435769)) * np.uint32(747796405)
        s = s + np.uint32(2891336453)
        w = ((s >> ((s >> np.uint32(28)) + np.uint32(4))) ^ s) * np.uint32(277803737)
        w = w ^ (w >> np.uint32(22))
    return (w >> np.uint32(8)).astype(np.float64) / 2**24


def drawn(layer, role, shape, gain):
    signed = 2 * uniform(f"{layer}/{role}", math.prod(shape)) - 1
    if role.endswith("kernel"):
        fan_in = shape[0] * shape[1] if role == "depthwise_kernel" else math.prod(shape[:-1])
        values = signed * math.sqrt(gain / fan_in)
    elif role == "gamma":
        values = 1 + 0.2 * signed
    elif role == "moving_variance":
        values = 1 + 0.3 * signed
    else:
        values = 0.1 * signed
    return values.astype(np.float32).reshape(shape)


def role_of(weight):
    return weight.name.split("/")[-1].split(":")[0]


def our_name(model, layer):
    """Keras has renamed DenseNet's last layer, which files of its weights call as we do."""
    return "fc1000" if model.name.startswith("densenet") and layer.name == "predictions" else layer.name


def fill(model, gain):
    for layer in model.layers:
        if isinstance(layer, tf.keras.layers.Normalization):
            # Keras stores ImageNet's statistics with its trained weights only.
            layer.mean = tf.reshape([0.485, 0.456, 0.406], [1, 1, 1, 3])
            layer.variance = tf.reshape(tf.square([0.229, 0.224, 0.225]), [1, 1, 1, 3])
        elif layer.weights:
            name = our_name(model, layer)
            layer.set_weights([drawn(name, role_of(w), w.shape.as_list(), gain) for w in layer.weights])


def photo(name, size):
    u = uniform("image", size * size * 3)
    values = 255 * u if name in SCALES_BY_ITSELF else 2 * u - 1
    return values.astype(np.float32).reshape(1, size, size, 3)


def summary(tensor):
    values = tensor.astype(np.float64).ravel()
    picks = [math.floor((k + 0.5) * values.size / SAMPLES) for k in range(SAMPLES)]
    figures = {
        "shape": list(tensor.shape),
        "samples": values[picks],
        "sum": [values.sum()],
        "sumOfAbsolutes": [np.abs(values).sum()],
        "maximum": [np.abs(values).max()],
    }
    compact = {k: [float(f"{x:.7g}") for x in v] for k, v in figures.items() if k != "shape"}
    return {"shape": figures["shape"], **{k: v if k == "samples" else v[0] for k, v in compact.items()}}


def network(name):
    title, gain, sizes, taps = NETWORKS[name]
    fixture = {"madeBy": f"keras_outputs.py, TensorFlow {tf.__version__}", "name": name, "gain": gain, "taps": taps, "outputs": {}}
    for size in sizes:
        backend.clear_session()
        build = getattr(applications, title)
        model = build(weights=None, input_shape=(size, size, 3), include_top=True, classifier_activation=None)
        fill(model, gain)
        outputs = [model.get_layer(tap).output for tap in taps] + [model.output]
        *tensors, logits = tf.keras.Model(model.input, outputs).predict(photo(name, size), verbose=0)
        probabilities = tf.nn.softmax(logits).numpy()
        named = [*zip(taps, tensors), ("logits", logits), ("probabilities", probabilities)]
        for label, t in named:
            print(f"{name} {size} {label:28} {str(t.shape):20} rms {np.sqrt(np.square(t.astype(np.float64)).mean()):.3g}")
        fixture["outputs"][size] = {label: summary(t) for label, t in named}
    layers = [x for x in model.layers if x.weights and not isinstance(x, tf.keras.layers.Normalization)]
    fixture["weights"] = {our_name(model, x): {role_of(w): w.shape.as_list() for w in x.weights} for x in layers}
    numbers = [math.prod(w.shape) for x in layers for w in x.weights]
    top = sum(math.prod(w.shape) for w in layers[-1].weights)
    fixture["parameters"] = {"noTop": sum(numbers) - top, "withTop": sum(numbers)}
    return fixture


if __name__ == "__main__":
    folder = pathlib.Path(__file__).parent / "fixtures"
    for chosen in sys.argv[1:] or NETWORKS:
        fixture = network(chosen)
        lines = json.dumps(fixture, separators=(",", ":"))
        (folder / f"{chosen}.json").write_text(lines + "\n")
        print(chosen, len(lines), "bytes")
