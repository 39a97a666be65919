#!/usr/bin/env python3
"""torchvision's densenet121 as safetensors, and what PyTorch makes of a photo in it.

    python3 test/weights/peers/torchvision_densenet121.py FOLDER
    BESPOKE_PEER_MODELS=FOLDER npm test -- test/weights/peers

Needs `torch`, `torchvision` and `safetensors`. Writes the file, the image and the five skips (`*.f32`, NHWC) that the U-Net takes,
with a list of everything (`torchvision-VERSION.json`) for peers.test.ts.
"""

import json
import sys
from pathlib import Path

import torch
import torchvision
from safetensors.torch import save_file

SIZE = 64


def fill(model):
    """Other numbers in every weight, such that activations keep their size."""
    generator = torch.Generator().manual_seed(7)
    with torch.no_grad():
        for module in model.modules():
            if isinstance(module, torch.nn.BatchNorm2d):
                for tensor, low in (
                    (module.weight, 0.6),
                    (module.bias, -0.4),
                    (module.running_mean, -0.4),
                    (module.running_var, 0.6),
                ):
                    tensor.uniform_(low, low + 0.8, generator=generator)


def main():
    folder = Path(sys.argv[1])
    folder.mkdir(parents=True, exist_ok=True)
    name = f"torchvision-{torchvision.__version__.split('+')[0]}"
    model = torchvision.models.densenet121(weights=None).eval()
    fill(model)
    save_file(model.state_dict(), folder / f"{name}.safetensors")
    image = torch.rand((1, 3, SIZE, SIZE), generator=torch.Generator().manual_seed(1))
    write = lambda path, tensor: tensor.permute(0, 2, 3, 1).contiguous().numpy().tofile(folder / path)
    write(f"{name}-image.f32", image)
    x, skips, f = image, [], model.features
    with torch.no_grad():
        skips.append(x := f.relu0(f.norm0(f.conv0(x))))
        x = f.pool0(x)
        for block, transition in ((1, f.transition1), (2, f.transition2), (3, f.transition3)):
            x = transition.norm(f.get_submodule(f"denseblock{block}")(x))
            skips.append(x := transition.relu(x))
            x = transition.pool(transition.conv(x))
        skips.append(torch.relu(f.norm5(f.denseblock4(x))))
        assert torch.equal(skips[-1], torch.relu(f(image)))
    paths = [f"{name}-skip{i}.f32" for i in range(5)]
    for path, skip in zip(paths, skips):
        write(path, skip)
    listing = {"image": f"{name}-image.f32", "file": f"{name}.safetensors", "skips": paths}
    (folder / f"{name}.json").write_text(json.dumps(listing, indent=2) + "\n")


if __name__ == "__main__":
    main()
