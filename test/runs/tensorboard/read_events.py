"""Prints as JSON what TensorBoard reads from a folder of event files."""

import json
import sys

from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

events = EventAccumulator(sys.argv[1])
events.Reload()
tags = events.Tags()
print(
    json.dumps(
        {
            "scalars": {tag: [(e.step, e.value) for e in events.Scalars(tag)] for tag in tags["scalars"]},
            "images": {tag: [(e.step, e.width, e.height) for e in events.Images(tag)] for tag in tags["images"]},
            "texts": {
                tag: [(e.step, e.tensor_proto.string_val[0].decode()) for e in events.Tensors(tag)]
                for tag in tags["tensors"]
                if events.SummaryMetadata(tag).plugin_data.plugin_name == "text"
            },
        }
    )
)
