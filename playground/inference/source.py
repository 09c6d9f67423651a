"""A prediction as the PyTorch code that one would write by hand."""

from __future__ import annotations

from playground.inference.models import Model, shipped_names
from playground.network.source import imports, sequential


def prediction_source(model: Model) -> str:
    """A script that builds the network, loads its weights and names one image; runs outside the playground."""
    shipped = model.name in shipped_names()
    if shipped:
        weights = f'load_file("models/pretrained/{model.name}.safetensors")'
        extra = "from safetensors.torch import load_file"
    else:
        weights = f'torch.load("runs/{model.name}/checkpoint.pt", weights_only=True)["weights"]'
        extra = ""
    mean, std = model.info.mean, model.info.std
    shape = ", ".join(map(str, model.info.input_shape))
    lines = [*imports(model.spec), extra, "", "", sequential(model.spec).rstrip(), ""]
    lines += [f"network.load_state_dict({weights})", "network.eval()", ""]
    lines += [f"image = torch.zeros({shape}, dtype=torch.uint8)  # put your own pixels here, 0 to 255"]
    lines += [f"mean, std = torch.tensor({mean}), torch.tensor({std})"]
    lines += ["normalised = (image / 255 - mean.view(-1, 1, 1)) / std.view(-1, 1, 1)", "", "with torch.no_grad():"]
    lines += ["    logits = network(normalised.unsqueeze(0))  # a batch of one", "    probabilities = logits.softmax(dim=1)"]
    lines += [f"classes = {list(model.info.classes)!r}", "print(classes[int(probabilities.argmax())], probabilities)"]
    return "\n".join(line for index, line in enumerate(lines) if line or index != len(imports(model.spec))) + "\n"
