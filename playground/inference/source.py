"""Write a prediction as a standalone PyTorch script."""

from __future__ import annotations

from playground.data.input_scaling import STANDARDISED, ZERO_TO_ONE
from playground.inference.models import Model, find_weights
from playground.network.source import imports, sequential


def prediction_source(model: Model) -> str:
    """Write a script that builds the network, loads its weights and classifies one image; it runs without the playground."""
    if model.run is None:
        weights = f'load_file("models/pretrained/{model.name}.safetensors")'
        extra = "from safetensors.torch import load_file"
    else:
        checkpoint = find_weights(model.name).path.relative_to(model.run.path).as_posix()
        weights = f'torch.load("runs/{model.run.id}/{checkpoint}", weights_only=True)["weights"]'
        extra = ""
    shape = ", ".join(map(str, model.info.input_shape))
    lines = [*imports(model.spec), extra, "", "", sequential(model.spec).rstrip(), ""]
    lines += [f"network.load_state_dict({weights})", "network.eval()", ""]
    lines += [f"image = torch.zeros({shape}, dtype=torch.uint8)  # replace by your image, pixels from 0 to 255"]
    lines += [*_preprocessing_lines(model), "", "with torch.no_grad():"]
    lines += ["    logits = network(prepared.unsqueeze(0))  # a batch of one", "    probabilities = logits.softmax(dim=1)"]
    lines += [f"classes = {list(model.info.classes)!r}", "print(classes[int(probabilities.argmax())], probabilities)"]
    return "\n".join(line for index, line in enumerate(lines) if line or index != len(imports(model.spec))) + "\n"


def _preprocessing_lines(model: Model) -> list[str]:
    """Write the lines that scale the pixels as in training."""
    if model.inputs == STANDARDISED:
        constants = f"mean, std = torch.tensor({model.info.mean}), torch.tensor({model.info.std})"
        return [constants, "prepared = (image / 255 - mean.view(-1, 1, 1)) / std.view(-1, 1, 1)"]
    return ["prepared = image / 255" if model.inputs == ZERO_TO_ONE else "prepared = image.float()  # this network was trained on unscaled pixels"]
