"""Blocks made of other layers, followed backwards from one number.

A number of an inner layer comes from many others, so each time the one is followed that contributes most: the largest product by size.
All is computed in float64, so that the hidden values are as exact as the ones written out.
"""

from __future__ import annotations

import math
from copy import deepcopy
from dataclasses import replace
from typing import cast

from torch import Tensor, nn

from playground.inference.arithmetic.calculation import Calculation, Step, Term, made_of
from playground.inference.arithmetic.sums import added, convolution, linear, weighted_sum
from playground.inference.arithmetic.values import batch_norm, gelu, layer_norm, passed, relu, softmax
from playground.inference.receptive_field import Place, box_of, influencing
from playground.network.blocks import PatchEmbedding, ResidualBlock


def residual_block(layer: ResidualBlock, given: Tensor, place: Place) -> Calculation:
    """The sum of the two paths and its ReLU.

    Args:
        given: (C, H, W) in float64.
        place: (channel, row, column)
    """
    body = cast("nn.Sequential", _exact(layer.body))
    hidden = [given]  # what enters each layer of the body
    for each in body:
        hidden.append(each(hidden[-1][None])[0])
    first, first_norm, _, second, second_norm = body
    last_norm = batch_norm(cast("nn.BatchNorm2d", second_norm), hidden[4], place)
    last = convolution(cast("nn.Conv2d", second), hidden[3], place)
    inner = _largest(last)
    main = (
        ("second batch norm", last_norm),
        ("second convolution", last),
        ("first ReLU", relu(body[2], hidden[2], inner)),
        ("first batch norm", batch_norm(cast("nn.BatchNorm2d", first_norm), hidden[1], inner)),
        ("first convolution", convolution(cast("nn.Conv2d", first), given, inner)),
    )
    around = _shortcut(layer, given, place)
    name = "x" if isinstance(layer.shortcut, nn.Identity) else "S(x)"
    total = last_norm.result + around.result
    steps = (Step("F(x)", last_norm.result), Step(name, around.result), Step(f"F(x) + {name}", total))
    out_shape = tuple(hidden[-1].shape)
    _, rows, columns = influencing(layer, tuple(given.shape), out_shape, tuple((at,) for at in place))
    children = (*main, ("shortcut", around))
    return Calculation(f"y = max(0, F(x) + {name})", place, max(total, 0.0), steps=steps, region=box_of(rows, columns), children=children)


def patch_embedding(layer: PatchEmbedding, given: Tensor, place: Place) -> Calculation:
    """The convolution of a square, and the learned position added to it.

    Args:
        given: (C, S, S) in float64.
        place: (token, feature)
    """
    token, feature = place
    in_row = given.shape[2] // layer.project.kernel_size[1]
    embedded = convolution(layer.project, given, (feature, token // in_row, token % in_row))
    position = layer.position[0, token, feature].item()
    steps = (Step("Σ w·x + b", embedded.result), Step("position p", position))
    result = embedded.result + position
    children = (("convolution", embedded),)
    return Calculation("z = Σ w·x + b + p", place, result, steps=steps, region=embedded.region, channel=embedded.channel, children=children)


def encoder_layer(layer: nn.TransformerEncoderLayer, given: Tensor, place: Place) -> Calculation:
    """What came in, what attention adds to it, and what the feed-forward network adds to that.

    Source: Vaswani et al., Attention is all you need, https://arxiv.org/abs/1706.03762; with the norms first, https://arxiv.org/abs/2002.04745

    Args:
        given: (T, D) in float64.
        place: (token, feature)
    """
    layer = cast("nn.TransformerEncoderLayer", _exact(layer))
    context, attention = _attention(layer, given, place)
    between = given + layer.self_attn.out_proj(context)  # (T, D)
    feed_forward = _feed_forward(layer, between, place)
    x, h, added_last = given[place].item(), between[place].item(), feed_forward[0][1].result
    steps = (Step("x", x), Step("MHA(LN(x))", attention[0][1].result), Step("h", h), Step("FFN(LN(h))", added_last))
    return Calculation("y = h + FFN(LN(h)), h = x + MHA(LN(x))", place, h + added_last, steps=steps, children=(*feed_forward, *attention))


def _shortcut(layer: ResidualBlock, given: Tensor, place: Place) -> Calculation:
    if isinstance(layer.shortcut, nn.Identity):
        return passed(layer.shortcut, given, place)
    narrow, norm = cast("nn.Sequential", _exact(layer.shortcut))
    normalised = batch_norm(cast("nn.BatchNorm2d", norm), narrow(given[None])[0], place)
    convolved = convolution(cast("nn.Conv2d", narrow), given, place)
    return replace(normalised, region=convolved.region, channel=convolved.channel, children=(("convolution", convolved),))


def _feed_forward(layer: nn.TransformerEncoderLayer, given: Tensor, place: Place) -> tuple[tuple[str, Calculation], ...]:
    """From the second linear layer back to the layer norm.

    Args:
        given: (T, D), what attention left.
    """
    normal = layer.norm2(given)
    hidden = layer.linear1(normal)  # (T, dim_feedforward)
    last = linear(layer.linear2, nn.functional.gelu(hidden), place)
    unit = _largest(last)
    first = linear(layer.linear1, normal, unit)
    return (
        ("feed-forward: second linear", last),
        ("feed-forward: GELU", gelu(layer, hidden, unit)),
        ("feed-forward: first linear", first),
        ("second layer norm", layer_norm(layer.norm2, given, _largest(first))),
    )


def _attention(layer: nn.TransformerEncoderLayer, given: Tensor, place: Place) -> tuple[Tensor, tuple[tuple[str, Calculation], ...]]:
    """The heads' outputs side by side, (T, D), and the numbers from the output projection back to the layer norm.

    Args:
        given: (T, D), what the layer got.
    """
    heads = layer.self_attn
    normal = layer.norm1(given)
    weights, biases = heads.in_proj_weight.chunk(3), heads.in_proj_bias.chunk(3)  # of queries, keys and values: (D, D), (D,)
    queries, keys, values = (normal @ w.T + b for w, b in zip(weights, biases, strict=True))  # (T, D)
    split = (len(given), heads.num_heads, heads.head_dim)
    asked, answered, held = (each.view(split).transpose(0, 1) for each in (queries, keys, values))  # (H, T, D / H)
    scores = asked @ answered.mT / math.sqrt(heads.head_dim)  # (H, T, T)
    context = (scores.softmax(-1) @ held).transpose(0, 1).flatten(1)  # (T, D)

    projected = linear(heads.out_proj, context, place)
    token, feature = _largest(projected)
    head = feature // heads.head_dim
    mixed = weighted_sum(scores[head].softmax(-1)[token], None, values[:, feature], (token,))
    at = _largest(mixed)[0]  # the token whose value counts most
    score = _score(queries[token], keys[at], head, heads.head_dim, (token, at))
    pair = _largest(score)[1]
    value = weighted_sum(weights[2][feature], biases[2][feature].item(), normal, (at, feature))
    return context, (
        ("attention: output projection", projected),
        ("attention: weighted values", _of_tokens(mixed, token, feature)),
        ("attention: softmax", softmax(layer, scores[head], (token, at))),
        ("attention: score", score),
        ("attention: query", weighted_sum(weights[0][pair], biases[0][pair].item(), normal, (token, pair))),
        ("attention: key", weighted_sum(weights[1][pair], biases[1][pair].item(), normal, (at, pair))),
        ("attention: value", value),
        ("first layer norm", layer_norm(layer.norm1, given, _largest(value))),
    )


def _of_tokens(mixed: Calculation, token: int, feature: int) -> Calculation:
    """A weighted sum over tokens, its places told as (token, feature)."""
    terms = tuple(replace(term, place=(at, feature)) for at, term in enumerate(mixed.terms))
    return replace(mixed, formula="z = Σ α·v", place=(token, feature), terms=terms)


def _score(query: Tensor, key: Tensor, head: int, width: int, place: Place) -> Calculation:
    """How well a token's key fits another's query, before the softmax.

    Args:
        query, key: (D,), of all heads side by side.
        width: features of a head.
        place: (token that asks, token that is asked)
    """
    features = range(head * width, (head + 1) * width)
    terms = [Term((place[1], at), key[at].item(), query[at].item(), query[at].item() * key[at].item()) for at in features]
    total = added(terms)
    steps = (Step("Σ q·k", total), Step("d", width))
    return made_of(terms, formula="s = Σ q·k ÷ √d", place=place, result=total / math.sqrt(width), steps=steps, grid=(width,))


def _largest(written: Calculation) -> Place:
    """The input value that contributes most, whatever its sign."""
    return max(((abs(term.product), term.place) for term in written.terms if term.place is not None), key=lambda pair: pair[0])[1]


def _exact(layer: nn.Module) -> nn.Module:
    """A copy that computes in float64, as a layer in use."""
    return deepcopy(layer).cpu().double().eval()
