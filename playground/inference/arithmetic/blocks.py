"""Calculations of blocks of several layers, followed backwards from one value.

A value of an inner layer depends on many others; of these, the one with the largest contribution is followed.
Everything is computed in float64, so that the inner values are as exact as the calculations.
"""

from __future__ import annotations

import math
from copy import deepcopy
from dataclasses import replace
from typing import cast

from torch import Tensor, nn

from playground.inference.arithmetic.calculation import Calculation, Step, Term, from_terms
from playground.inference.arithmetic.elementwise import batch_norm, gelu, identity, layer_norm, relu, softmax
from playground.inference.arithmetic.sums import convolution, linear, sum_products, weighted_sum
from playground.inference.receptive_field import Place, bounding_box, influencing
from playground.messages import msg
from playground.network.blocks import PatchEmbedding, ResidualBlock

Children = tuple[tuple[str, Calculation], ...]


def residual_block(layer: ResidualBlock, inputs: Tensor, place: Place) -> Calculation:
    """Write out the sum of the two convolutions and the shortcut connection, and its ReLU.

    Args:
        layer: the block.
        inputs: ``(C, H, W)`` in float64.
        place: (channel, row, column).
    """
    body = cast("nn.Sequential", _in_float64(layer.body))
    hidden = [inputs]  # the input of each layer of the body, then the output
    for module in body:
        hidden.append(module(hidden[-1][None])[0])
    first, first_norm, _, second, second_norm = body
    last_norm = batch_norm(cast("nn.BatchNorm2d", second_norm), hidden[4], place)
    last = convolution(cast("nn.Conv2d", second), hidden[3], place)
    inner = _largest_contribution(last)
    main = (
        (msg("second batch norm"), last_norm),
        (msg("second convolution"), last),
        (msg("first ReLU"), relu(body[2], hidden[2], inner)),
        (msg("first batch norm"), batch_norm(cast("nn.BatchNorm2d", first_norm), hidden[1], inner)),
        (msg("first convolution"), convolution(cast("nn.Conv2d", first), inputs, inner)),
    )
    shortcut = _shortcut(layer, inputs, place)
    name = "x" if isinstance(layer.shortcut, nn.Identity) else "S(x)"
    total = last_norm.result + shortcut.result
    steps = (Step("F(x)", last_norm.result), Step(name, shortcut.result), Step(f"F(x) + {name}", total))
    out_shape = tuple(hidden[-1].shape)
    _, rows, columns = influencing(layer, tuple(inputs.shape), out_shape, tuple((index,) for index in place))
    children = (*main, (msg("shortcut"), shortcut))
    return Calculation(f"y = max(0, F(x) + {name})", place, max(total, 0.0), steps=steps, region=bounding_box(rows, columns), children=children)


def patch_embedding(layer: PatchEmbedding, inputs: Tensor, place: Place) -> Calculation:
    """Write out the convolution of one patch, plus the learned position embedding.

    Args:
        layer: the block.
        inputs: ``(C, S, S)`` in float64.
        place: (token, feature).
    """
    token, feature = place
    patches_per_row = inputs.shape[2] // layer.project.kernel_size[1]
    embedded = convolution(layer.project, inputs, (feature, token // patches_per_row, token % patches_per_row))
    position = layer.position[0, token, feature].item()
    steps = (Step("Σ w·x + b", embedded.result), Step(msg("position p"), position))
    result = embedded.result + position
    children = ((msg("convolution"), embedded),)
    return Calculation("z = Σ w·x + b + p", place, result, steps=steps, region=embedded.region, channel=embedded.channel, children=children)


def encoder_layer(layer: nn.TransformerEncoderLayer, inputs: Tensor, place: Place) -> Calculation:
    """Write out the input plus the outputs of multi-head attention and of the feed-forward network.

    Source: Vaswani et al., Attention is all you need, https://arxiv.org/abs/1706.03762; with the norms first, https://arxiv.org/abs/2002.04745

    Args:
        layer: the layer.
        inputs: ``(T, D)`` in float64.
        place: (token, feature).
    """
    layer = cast("nn.TransformerEncoderLayer", _in_float64(layer))
    context, attention = _attention(layer, inputs, place)
    hidden = inputs + layer.self_attn.out_proj(context)  # (T, D)
    feed_forward = _feed_forward(layer, hidden, place)
    x, mha, h, ffn = inputs[place].item(), attention[0][1].result, hidden[place].item(), feed_forward[0][1].result
    steps = (Step("x", x), Step("MHA(LN(x))", mha), Step("h", h), Step("FFN(LN(h))", ffn))
    return Calculation("y = h + FFN(LN(h)), h = x + MHA(LN(x))", place, h + ffn, steps=steps, children=(*feed_forward, *attention))


def _shortcut(layer: ResidualBlock, inputs: Tensor, place: Place) -> Calculation:
    if isinstance(layer.shortcut, nn.Identity):
        return identity(layer.shortcut, inputs, place)
    conv, norm = cast("nn.Sequential", _in_float64(layer.shortcut))
    normalised = batch_norm(cast("nn.BatchNorm2d", norm), conv(inputs[None])[0], place)
    convolved = convolution(cast("nn.Conv2d", conv), inputs, place)
    return replace(normalised, region=convolved.region, channel=convolved.channel, children=((msg("convolution"), convolved),))


def _feed_forward(layer: nn.TransformerEncoderLayer, inputs: Tensor, place: Place) -> Children:
    """Write out the feed-forward network from its second linear layer back to the layer norm.

    Args:
        layer: the layer, in float64.
        inputs: ``(T, D)``, the sum of the layer's input and the output of attention.
        place: (token, feature).
    """
    normalised = layer.norm2(inputs)
    hidden = layer.linear1(normalised)  # (T, dim_feedforward)
    last = linear(layer.linear2, nn.functional.gelu(hidden), place)
    unit = _largest_contribution(last)
    first = linear(layer.linear1, normalised, unit)
    return (
        (msg("feed-forward: second linear"), last),
        (msg("feed-forward: GELU"), gelu(layer, hidden, unit)),
        (msg("feed-forward: first linear"), first),
        (msg("second layer norm"), layer_norm(layer.norm2, inputs, _largest_contribution(first))),
    )


def _attention(layer: nn.TransformerEncoderLayer, inputs: Tensor, place: Place) -> tuple[Tensor, Children]:
    """Return the concatenated outputs of the heads, ``(T, D)``, and the calculations from the output projection back to the layer norm.

    Args:
        layer: the layer, in float64.
        inputs: ``(T, D)``, the input of the layer.
        place: (token, feature).
    """
    attention = layer.self_attn
    normalised = layer.norm1(inputs)
    weights, biases = attention.in_proj_weight.chunk(3), attention.in_proj_bias.chunk(3)  # of queries, keys and values: (D, D), (D,)
    queries, keys, values = (normalised @ w.T + b for w, b in zip(weights, biases, strict=True))  # (T, D)
    split = (len(inputs), attention.num_heads, attention.head_dim)
    q, k, v = (projection.view(split).transpose(0, 1) for projection in (queries, keys, values))  # (H, T, D / H)
    scores = q @ k.mT / math.sqrt(attention.head_dim)  # (H, T, T)
    context = (scores.softmax(-1) @ v).transpose(0, 1).flatten(1)  # (T, D)

    projected = linear(attention.out_proj, context, place)
    token, feature = _largest_contribution(projected)
    head = feature // attention.head_dim
    mean = weighted_sum(scores[head].softmax(-1)[token], None, values[:, feature], (token,))
    key_token = _largest_contribution(mean)[0]  # the token whose value contributes most
    score = _attention_score(queries[token], keys[key_token], head, attention.head_dim, (token, key_token))
    key_feature = _largest_contribution(score)[1]
    value = weighted_sum(weights[2][feature], biases[2][feature].item(), normalised, (key_token, feature))
    return context, (
        (msg("attention: output projection"), projected),
        (msg("attention: weighted values"), _with_token_places(mean, token, feature)),
        (msg("attention: softmax"), softmax(layer, scores[head], (token, key_token))),
        (msg("attention: score"), score),
        (msg("attention: query"), weighted_sum(weights[0][key_feature], biases[0][key_feature].item(), normalised, (token, key_feature))),
        (msg("attention: key"), weighted_sum(weights[1][key_feature], biases[1][key_feature].item(), normalised, (key_token, key_feature))),
        (msg("attention: value"), value),
        (msg("first layer norm"), layer_norm(layer.norm1, inputs, _largest_contribution(value))),
    )


def _with_token_places(mean: Calculation, token: int, feature: int) -> Calculation:
    """Return a weighted sum over tokens with (token, feature) as the places of its result and its terms."""
    terms = tuple(replace(term, place=(index, feature)) for index, term in enumerate(mean.terms))
    return replace(mean, formula="z = Σ α·v", place=(token, feature), terms=terms)


def _attention_score(query: Tensor, key: Tensor, head: int, width: int, place: Place) -> Calculation:
    """Write out the scaled dot product of a query and a key in one head, before the softmax.

    Args:
        query: ``(D,)``, of all heads.
        key: ``(D,)``, of all heads.
        head: index of the head.
        width: features of a head.
        place: (token of the query, token of the key).
    """
    features = range(head * width, (head + 1) * width)
    terms = [Term((place[1], index), key[index].item(), query[index].item(), query[index].item() * key[index].item()) for index in features]
    total = sum_products(terms)
    steps = (Step("Σ q·k", total), Step("d", width))
    return from_terms(terms, formula="s = Σ q·k ÷ √d", place=place, result=total / math.sqrt(width), steps=steps, grid=(width,))


def _largest_contribution(calculation: Calculation) -> Place:
    """Return the place of the input value whose product has the largest absolute value."""
    return max(((abs(term.product), term.place) for term in calculation.terms if term.place is not None), key=lambda pair: pair[0])[1]


def _in_float64(layer: nn.Module) -> nn.Module:
    """Copy a layer to float64, on the CPU and in evaluation mode."""
    return deepcopy(layer).cpu().double().eval()
