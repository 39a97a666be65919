"""
What Keras's MultiHeadAttention makes of numbers that anyone can draw: fixtures/multi-head-attention.json beside this file.

    pip install tensorflow-cpu==2.15.1
    python keras_attention.py

Number i of the tensor k (query 0, value 1, then the weights from 2 on, in Keras's order) is sin(1.7 * i + k) times a scale, 1 for query and
value and 0.5 for weights; the gradients are of the sum of the result times sin(0.9 * i).
"""

import json
import pathlib

import numpy as np
import tensorflow as tf

CASES = {
    "self-attention": dict(query=[2, 5, 6], value=None, layer=dict(num_heads=2, key_dim=3), call={}),
    "causal": dict(query=[2, 5, 8], value=None, layer=dict(num_heads=2, key_dim=4, use_bias=False), call=dict(use_causal_mask=True)),
    "of another sequence": dict(
        query=[2, 3, 4], value=[2, 7, 6], layer=dict(num_heads=3, key_dim=2, value_dim=5, output_shape=7), call={}
    ),
    "masked": dict(query=[2, 3, 4], value=[2, 4, 4], layer=dict(num_heads=2, key_dim=4), call={}, masked=True),
}


def drawn(shape, k, scale):
    count = int(np.prod(shape))
    return (scale * np.sin(1.7 * np.arange(count) + k)).astype(np.float32).reshape(shape)


def numbers(x):
    return [float(np.float32(v)) for v in np.asarray(x).ravel()]


result = {}
for name, case in CASES.items():
    query = tf.constant(drawn(case["query"], 0, 1))
    value = query if case["value"] is None else tf.constant(drawn(case["value"], 1, 1))
    layer = tf.keras.layers.MultiHeadAttention(**case["layer"])
    call = dict(case["call"])
    if case.get("masked"):
        shape = [case["query"][0], case["query"][1], case["value"][1]]
        mask = np.arange(int(np.prod(shape))).reshape(shape) % 3 != 0
        call["attention_mask"] = tf.constant(mask)
    layer(query, value)
    layer.set_weights([drawn(w.shape, 2 + k, 0.5) for k, w in enumerate(layer.weights)])
    with tf.GradientTape() as tape:
        tape.watch([query, value])
        y = layer(query, value, **call)
        factor = tf.reshape(tf.constant(np.sin(0.9 * np.arange(int(tf.size(y)))).astype(np.float32)), y.shape)
        total = tf.reduce_sum(y * factor)
    gradients = tape.gradient(total, [query, *layer.weights])
    weights = [dict(name=w.name.split("/", 1)[1].split(":")[0], shape=list(w.shape)) for w in layer.weights]
    result[name] = dict(
        weights=weights,
        y=numbers(y),
        shape=list(y.shape),
        dquery=numbers(gradients[0]),
        dweights=[numbers(g) for g in gradients[1:]],
    )

path = pathlib.Path(__file__).parent / "fixtures" / "multi-head-attention.json"
path.write_text(json.dumps(result, indent=1) + "\n")
