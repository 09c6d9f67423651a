# ruff: noqa
# fmt: off
import torch.nn as nn


class Model(nn.Module):
    def __init__(self, hidden=128, num_classes=10):
        super().__init__()
        channels = 16
        self.features = nn.Sequential(
            nn.Conv2d(1, channels, (3, 3)), nn.ReLU(), nn.MaxPool2d((2, 2)),
            nn.Conv2d(channels, channels * 2, (3, 3)), nn.ReLU(), nn.MaxPool2d(2, 2),
        )
        self.classifier = nn.Sequential(nn.Flatten(), nn.Linear(2 * channels * 5 ** 2, hidden), nn.ReLU(), nn.Linear(hidden, num_classes))

    def forward(self, x):
        return self.classifier(self.features(x))
