#!/usr/bin/env python3
"""The training step of `npm run bench:step` in PyTorch: same network, batch, loss and optimizer, same fields in the JSON.

    python3 bench/peers/pytorch_unet.py --size 128 --batch 64 --phase both --json bench/results/pytorch.json

DenseNet121 as Keras builds it (explicit padding, epsilon 1.001e-5) under pix2pix's decoder, 59 classes; mean sparse
cross-entropy over all pixels; Keras's RMSprop, with epsilon inside the root, in foreach operations. While the encoder is
frozen it runs in eval mode under no_grad. Every step uploads its batch from pinned memory and ends when its loss is on the
host; "pipelined" steps are queued one after another and waited for once, as a training loop does that logs rarely.

One thing differs and does not touch the loss of a training step: PyTorch's moving variance takes the unbiased batch variance.

The batch is the noise that bench/step/batch.ts makes, so with the same weights (`bench:step --save-weights FILE`, then
`--weights FILE` here) the losses of the first steps must agree.
"""

import argparse
import json
import statistics
import struct
import sys
import time

import numpy as np
import torch
from torch import nn
from torch.nn import functional as F

CLASSES = 59
BLOCKS = (6, 12, 24, 16)
GROWTH = 32
DECODER_FILTERS = (512, 256, 128, 64)
JOINED = (1024, 512, 256, 64)
ENCODER_EPSILON = 1.001e-5
DECODER_EPSILON = 1e-3
# Keras's momentum 0.99 is the share that is kept, PyTorch's the share that is new.
MOMENTUM = 0.01


# --- the network ---------------------------------------------------------------------------------------------------


def norm(channels, epsilon):
    return nn.BatchNorm2d(channels, eps=epsilon, momentum=MOMENTUM)


class DenseLayer(nn.Module):
    def __init__(self, channels):
        super().__init__()
        self.bn0 = norm(channels, ENCODER_EPSILON)
        self.conv1 = nn.Conv2d(channels, 4 * GROWTH, 1, bias=False)
        self.bn1 = norm(4 * GROWTH, ENCODER_EPSILON)
        self.conv2 = nn.Conv2d(4 * GROWTH, GROWTH, 3, padding=1, bias=False)

    def forward(self, x):
        y = self.conv1(F.relu(self.bn0(x)))
        return torch.cat([x, self.conv2(F.relu(self.bn1(y)))], dim=1)


class DenseNet121(nn.Module):
    """From an image [N, 3, S, S] to what the decoder taps, deepest first."""

    def __init__(self):
        super().__init__()
        self.conv1 = nn.Conv2d(3, 64, 7, stride=2, padding=3, bias=False)
        self.bn1 = norm(64, ENCODER_EPSILON)
        channels = 64
        self.blocks = nn.ModuleList()
        self.norms = nn.ModuleList()
        self.transitions = nn.ModuleList()
        for layers in BLOCKS:
            block = nn.ModuleList(DenseLayer(channels + GROWTH * i) for i in range(layers))
            channels += GROWTH * layers
            self.blocks.append(block)
            self.norms.append(norm(channels, ENCODER_EPSILON))
            if len(self.blocks) < len(BLOCKS):
                self.transitions.append(nn.Conv2d(channels, channels // 2, 1, bias=False))
                channels //= 2

    def forward(self, image):
        x = F.relu(self.bn1(self.conv1(image)))
        taps = [x]
        # Keras pads with zeros, PyTorch with -inf: after a ReLU the maximum is the same.
        x = F.max_pool2d(x, 3, stride=2, padding=1)
        for i, block in enumerate(self.blocks):
            for layer in block:
                x = layer(x)
            x = F.relu(self.norms[i](x))
            taps.append(x)
            if i < len(self.transitions):
                x = F.avg_pool2d(self.transitions[i](x), 2)
        return taps[::-1]


def upsample(convolution, x):
    """Keras's `same`: twice the size, what hangs over cut off at the end."""
    return convolution(x)[:, :, :-1, :-1]


class Decoder(nn.Module):
    """From the taps to logits [N, classes, S, S]."""

    def __init__(self):
        super().__init__()
        channels = 1024
        self.convs = nn.ModuleList()
        self.norms = nn.ModuleList()
        for filters, joined in zip(DECODER_FILTERS, JOINED):
            self.convs.append(nn.ConvTranspose2d(channels, filters, 3, stride=2, bias=False))
            self.norms.append(norm(filters, DECODER_EPSILON))
            channels = filters + joined
        self.head = nn.ConvTranspose2d(channels, CLASSES, 3, stride=2)

    def forward(self, taps):
        x = taps[0]
        for conv, bn, joined in zip(self.convs, self.norms, taps[1:]):
            x = torch.cat([F.relu(bn(upsample(conv, x))), joined], dim=1)
        return upsample(self.head, x)


class UNet(nn.Module):
    def __init__(self, frozen):
        super().__init__()
        self.frozen = frozen
        self.encoder = DenseNet121()
        self.decoder = Decoder()
        for name, parameter in self.named_parameters():
            if parameter.dim() == 4 and name.startswith("decoder.convs"):
                nn.init.normal_(parameter, std=0.02)
            elif parameter.dim() == 4:
                nn.init.xavier_uniform_(parameter)
        nn.init.zeros_(self.decoder.head.bias)
        if frozen:
            self.encoder.requires_grad_(False)
        self.train()

    def train(self, mode=True):
        super().train(mode)
        if self.frozen:
            self.encoder.eval()
        return self

    def forward(self, image):
        if self.frozen:
            with torch.no_grad():
                taps = self.encoder(image)
        else:
            taps = self.encoder(image)
        return self.decoder(taps)


class KerasRMSprop(torch.optim.Optimizer):
    """v = rho v + (1 - rho) g^2; w -= lr g / sqrt(v + epsilon). torch.optim.RMSprop adds epsilon outside the root."""

    def __init__(self, parameters, lr=1e-3, rho=0.9, epsilon=1e-7):
        super().__init__(parameters, dict(lr=lr, rho=rho, epsilon=epsilon))

    @torch.no_grad()
    def step(self):
        for group in self.param_groups:
            weights = [w for w in group["params"] if w.grad is not None]
            slots = []
            for w in weights:
                if not self.state[w]:
                    self.state[w]["v"] = torch.zeros_like(w)
                slots.append(self.state[w]["v"])
            grads = [w.grad for w in weights]
            torch._foreach_mul_(slots, group["rho"])
            torch._foreach_addcmul_(slots, grads, grads, 1 - group["rho"])
            roots = torch._foreach_add(slots, group["epsilon"])
            torch._foreach_sqrt_(roots)
            torch._foreach_addcdiv_(weights, grads, roots, -group["lr"])


# --- the same weights and the same batch ------------------------------------------------------------------------------


def read_safetensors(path):
    """All f32 tensors of a safetensors file, by name."""
    with open(path, "rb") as file:
        data = file.read()
    (length,) = struct.unpack("<Q", data[:8])
    tensors = {}
    for name, entry in json.loads(data[8 : 8 + length]).items():
        if name == "__metadata__" or entry["dtype"] != "F32":
            continue
        begin, end = (8 + length + offset for offset in entry["data_offsets"])
        tensors[name] = np.frombuffer(data[begin:end], dtype="<f4").reshape(entry["shape"])
    return tensors


def keras_layers(model):
    """Every layer that has weights, by its Keras name."""
    encoder, decoder = model.encoder, model.decoder
    layers = {"conv1/conv": encoder.conv1, "conv1/bn": encoder.bn1, "head": decoder.head}
    for b, block in enumerate(encoder.blocks, start=2):
        for n, layer in enumerate(block, start=1):
            name = f"conv{b}_block{n}"
            layers |= {f"{name}_0_bn": layer.bn0, f"{name}_1_conv": layer.conv1}
            layers |= {f"{name}_1_bn": layer.bn1, f"{name}_2_conv": layer.conv2}
    for b, (bn, conv) in enumerate(zip(encoder.norms, encoder.transitions), start=2):
        layers |= {f"pool{b}_bn": bn, f"pool{b}_conv": conv}
    layers["bn"] = encoder.norms[-1]
    for i, (conv, bn) in enumerate(zip(decoder.convs, decoder.norms), start=1):
        layers |= {f"upsample_{i}/conv2d_transpose": conv, f"upsample_{i}/batch_normalization": bn}
    return layers


def load_weights(model, path):
    """Copies Keras's layouts into PyTorch's: HWIO and HWOI both become their reverse."""
    tensors = read_safetensors(path)
    with torch.no_grad():
        for name, layer in keras_layers(model).items():
            if isinstance(layer, nn.BatchNorm2d):
                targets = {
                    "gamma": layer.weight,
                    "beta": layer.bias,
                    "moving_mean": layer.running_mean,
                    "moving_variance": layer.running_var,
                }
            else:
                targets = {"kernel": layer.weight}
                if layer.bias is not None:
                    targets["bias"] = layer.bias
            for key, target in targets.items():
                values = torch.from_numpy(tensors[f"{name}/{key}"].copy())
                target.copy_(values.permute(3, 2, 0, 1) if values.dim() == 4 else values)


def mix(index):
    """`mix` of bench/step/batch.ts: the last steps of MurmurHash3, on uint32."""
    h = index.astype(np.uint32)
    h = (h ^ (h >> np.uint32(16))) * np.uint32(0x85EBCA6B)
    h = (h ^ (h >> np.uint32(13))) * np.uint32(0xC2B2AE35)
    return h ^ (h >> np.uint32(16))


def noise_batch(batch, size):
    """Image [N, 3, S, S] in [0, 1) and labels [N, S, S]: those of bench/step/batch.ts."""
    pixels = batch * size * size
    index = np.arange(3 * pixels, dtype=np.uint32)
    image = ((mix(index) >> np.uint32(8)).astype(np.float32) / np.float32(2**24)).reshape(batch, size, size, 3)
    labels = mix(index[:pixels] ^ np.uint32(0x80000000)) % np.uint32(CLASSES)
    nchw = torch.from_numpy(np.ascontiguousarray(image.transpose(0, 3, 1, 2)))
    return nchw, torch.from_numpy(labels.astype(np.int32).reshape(batch, size, size))


# --- variants and timing ----------------------------------------------------------------------------------------------

# name: (TF32 allowed, automatic mixed precision, compiled)
PRECISIONS = {
    "eager-tf32": (True, False, False),
    "eager-fp32": (False, False, False),
    "amp-fp16": (True, True, False),
    "compile-amp-fp16": (True, True, True),
}
FORMATS = {"channels-last": torch.channels_last, "contiguous": torch.contiguous_format}


class TrainingStep:
    """One variant of the step on one batch."""

    def __init__(self, options, phase, precision, memory_format):
        tf32, self.amp, compiled = PRECISIONS[precision]
        torch.backends.cuda.matmul.allow_tf32 = tf32
        torch.backends.cudnn.allow_tf32 = tf32
        torch.backends.cudnn.benchmark = True
        self.device = torch.device(options.device)
        torch.manual_seed(1)
        self.model = UNet(phase == "frozen")
        if options.weights:
            load_weights(self.model, options.weights)
        self.model.to(self.device, memory_format=memory_format)
        parameters = [p for p in self.model.parameters() if p.requires_grad]
        self.optimizer = KerasRMSprop(parameters, lr=1e-3)
        self.scaler = torch.amp.GradScaler(self.device.type, enabled=self.amp)
        image, labels = noise_batch(options.batch, options.size)
        image = image.contiguous(memory_format=memory_format)
        pin = self.device.type == "cuda"
        self.image = image.pin_memory() if pin else image
        self.labels = labels.pin_memory() if pin else labels
        self.loss_of = torch.compile(self._loss_of, mode="reduce-overhead") if compiled else self._loss_of

    def _loss_of(self, image, labels):
        with torch.autocast(self.device.type, dtype=torch.float16, enabled=self.amp):
            logits = self.model(image)
        return F.cross_entropy(logits.float(), labels)

    def run(self):
        """Queues one step; the loss before it, still on the device."""
        if hasattr(torch.compiler, "cudagraph_mark_step_begin"):
            torch.compiler.cudagraph_mark_step_begin()
        image = self.image.to(self.device, non_blocking=True)
        labels = self.labels.to(self.device, non_blocking=True).long()
        self.optimizer.zero_grad(set_to_none=True)
        loss = self.loss_of(image, labels)
        self.scaler.scale(loss).backward()
        self.scaler.step(self.optimizer)
        self.scaler.update()
        # A CUDA graph's output is overwritten by the next step.
        return loss.detach().clone()


def synchronize(device):
    if device.type == "cuda":
        torch.cuda.synchronize(device)


def measure(options, phase, precision, format_name):
    """Times one variant; the fields are those of `npm run bench:step`."""
    cuda = options.device.startswith("cuda")
    if cuda:
        torch.cuda.empty_cache()
        torch.cuda.reset_peak_memory_stats()
    start = time.perf_counter()
    step = TrainingStep(options, phase, precision, FORMATS[format_name])
    losses = [step.run().item()]
    synchronize(step.device)
    first = 1000 * (time.perf_counter() - start)
    # Autotuning and CUDA graphs are done by the third step or so.
    for _ in range(options.warmup):
        losses.append(step.run().item())

    single = []
    for _ in range(options.steps):
        start = time.perf_counter()
        losses.append(step.run().item())
        single.append(1000 * (time.perf_counter() - start))
    pipelined, encode = [], []
    for _ in range(3):
        synchronize(step.device)
        start = time.perf_counter()
        for _ in range(options.steps):
            step.run()
        encode.append(1000 * (time.perf_counter() - start) / options.steps)
        synchronize(step.device)
        pipelined.append(1000 * (time.perf_counter() - start) / options.steps)
    pipelined_ms = statistics.median(pipelined)
    return {
        "framework": "pytorch",
        "variant": f"{precision} {format_name}",
        "device": torch.cuda.get_device_name() if cuda else f"CPU, {torch.get_num_threads()} threads",
        "version": torch.__version__,
        "phase": phase,
        "size": options.size,
        "batch": options.batch,
        "optimizer": "rmsprop",
        "decoder": "transpose",
        "parameters": sum(p.numel() for p in step.model.parameters()),
        "trained": sum(p.numel() for p in step.model.parameters() if p.requires_grad),
        "steps": options.steps,
        "firstStepMs": {"total": first},
        "medianMs": statistics.median(single),
        "minMs": min(single),
        "maxMs": max(single),
        "pipelinedMs": pipelined_ms,
        # Until the host is free again: with a queue that is never full, what it spends on a step.
        "encodeMs": statistics.median(encode),
        "photosPerSecond": 1000 * options.batch / pipelined_ms,
        "peakBytes": torch.cuda.max_memory_allocated() if cuda else None,
        "losses": losses[:3],
    }


def parse_arguments():
    parser = argparse.ArgumentParser(description="The U-Net's training step in PyTorch.")
    parser.add_argument("--size", type=int, default=128, help="side of the square photos")
    parser.add_argument("--batch", type=int, default=64, help="photos a step")
    parser.add_argument("--phase", choices=["frozen", "finetune", "both"], default="both")
    parser.add_argument("--steps", type=int, help="steps timed (30; on a CPU 3)")
    parser.add_argument("--warmup", type=int, help="steps before (10; on a CPU 0)")
    parser.add_argument("--device", default="cuda" if torch.cuda.is_available() else "cpu")
    parser.add_argument("--precision", choices=PRECISIONS, action="append", help="only this (can be repeated)")
    parser.add_argument("--format", choices=FORMATS, action="append", help="only this (can be repeated)")
    parser.add_argument("--weights", help="safetensors file of all variables by Keras name")
    parser.add_argument("--json", help="also write the numbers to this file")
    options = parser.parse_args()
    cpu = options.device == "cpu"
    options.steps = options.steps or (3 if cpu else 30)
    options.warmup = (0 if cpu else 10) if options.warmup is None else options.warmup
    options.precision = options.precision or (["eager-fp32"] if cpu else list(PRECISIONS))
    options.format = options.format or list(FORMATS)
    return options


def main():
    options = parse_arguments()
    phases = ["frozen", "finetune"] if options.phase == "both" else [options.phase]
    results = []
    for phase in phases:
        for precision in options.precision:
            for format_name in options.format:
                torch._dynamo.reset()
                try:
                    result = measure(options, phase, precision, format_name)
                except RuntimeError as error:
                    print(f"{phase} {precision} {format_name}: {error}", file=sys.stderr)
                    continue
                results.append(result)
                print(
                    f"{phase:9} {result['variant']:32} median {result['medianMs']:9.2f} ms, min {result['minMs']:9.2f}, "
                    f"pipelined {result['pipelinedMs']:9.2f}, {result['photosPerSecond']:8.1f} photos/s, "
                    f"peak {(result['peakBytes'] or 0) / 2**20:7.0f} MiB, losses "
                    + " ".join(f"{loss:.6f}" for loss in result["losses"]),
                    flush=True,
                )
                if options.json:
                    with open(options.json, "w", encoding="utf-8") as file:
                        json.dump({"results": results}, file, indent=2)
                        file.write("\n")
    if not results:
        sys.exit(1)


if __name__ == "__main__":
    main()
