"""The Evaluate page without a browser: what it says where there is no data, and its code, compared with scikit-learn."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from sklearn.metrics import confusion_matrix, precision_recall_fscore_support
from streamlit.testing.v1 import AppTest
from torch import nn
from torch.utils.data import DataLoader, TensorDataset

from playground.ui.pages import evaluate

from ..support.pages import open_page


def test_the_code_of_the_evaluation_computes_what_scikit_learn_does() -> None:
    images, labels = torch.randn(200, 1, 4, 4, generator=torch.Generator().manual_seed(0)), torch.arange(200) % 10
    names = {"torch": torch, "network": nn.Sequential(nn.Flatten(), nn.Linear(16, 10)), "test_loader": DataLoader(TensorDataset(images, labels), 64)}
    exec(evaluate._CODE, names)  # noqa: S102 - the playground's own code
    predictions = names["predictions"]
    assert isinstance(predictions, torch.Tensor)
    assert np.array_equal(names["confusion"], confusion_matrix(labels, predictions))
    expected = precision_recall_fscore_support(labels, predictions, zero_division=np.nan)
    for name, scores in zip(("precision", "recall", "f1"), expected, strict=False):
        np.testing.assert_allclose(names[name], scores, rtol=1e-6)


def test_a_network_whose_data_is_not_there_leads_to_the_download(app: AppTest, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(evaluate, "is_ready", lambda _name: False)
    open_page(app, "evaluate")
    assert "has not been downloaded" in app.warning[0].value
    assert app.selectbox(key="evaluate-data-mnist-cnn").disabled
    app.button(key="evaluate-download").click().run()
    assert app.title[0].value == "Train a network"
