"""Small networks whose values are tokens, or have their channels last, for 16-pixel images."""

import torch
from torch import Tensor, nn
from torch.nn import functional

SIDE = 16


class Block(nn.Module):
    """Attention and a perceptron, each beside a short cut."""

    def __init__(self, width: int, *, library: bool) -> None:
        super().__init__()
        self.norm1, self.norm2 = nn.LayerNorm(width), nn.LayerNorm(width)
        self.attention = nn.MultiheadAttention(width, 2, batch_first=True) if library else None
        self.qkv, self.projection = nn.Linear(width, 3 * width), nn.Linear(width, width)
        self.mlp = nn.Sequential(
            nn.Linear(width, 2 * width), nn.GELU(), nn.Linear(2 * width, width)
        )

    def forward(self, tokens: Tensor) -> Tensor:
        tokens = tokens + self.attend(self.norm1(tokens))
        return tokens + self.mlp(self.norm2(tokens))

    def attend(self, tokens: Tensor) -> Tensor:
        if self.attention is not None:
            return self.attention(tokens, tokens, tokens, need_weights=False)[0]
        n, count, width = tokens.shape
        q, k, v = self.qkv(tokens).view(n, count, 3, 2, width // 2).permute(2, 0, 3, 1, 4)
        mixed = functional.scaled_dot_product_attention(q, k, v)
        return self.projection(mixed.transpose(1, 2).reshape(n, count, width))


class TokenNetwork(nn.Module):
    """Patches on a grid of 4 × 8, after `prefix` tokens, and two blocks.

    The head reads the first token, or without a prefix the mean.
    """

    def __init__(
        self, classes: int, prefix: int = 2, width: int = 6, *, library: bool = False
    ) -> None:
        super().__init__()
        self.patches = nn.Conv2d(3, width, (4, 2), (4, 2))
        self.prefix = nn.Parameter(torch.randn(1, prefix, width)) if prefix else None
        self.places = nn.Parameter(torch.randn(1, prefix + 32, width))
        self.first, self.second = (Block(width, library=library) for _ in range(2))
        self.norm, self.head = nn.LayerNorm(width), nn.Linear(width, classes)

    def forward(self, images: Tensor) -> Tensor:
        tokens = self.patches(images).flatten(2).transpose(1, 2)
        if self.prefix is not None:
            tokens = torch.cat([self.prefix.expand(len(tokens), -1, -1), tokens], 1)
        tokens = self.norm(self.second(self.first(tokens + self.places)))
        return self.head(tokens.mean(1) if self.prefix is None else tokens[:, 0])


class ChannelsLastNetwork(nn.Module):
    """Values (h, w, d) on a grid of 4 × 8, and two perceptrons beside a short cut."""

    def __init__(self, classes: int, width: int = 6) -> None:
        super().__init__()
        self.patches = nn.Conv2d(3, width, (4, 2), (4, 2))
        self.wide, self.narrow = nn.Linear(width, 2 * width), nn.Linear(2 * width, width)
        self.norm, self.head = nn.LayerNorm(width), nn.Linear(width, classes)

    def forward(self, images: Tensor) -> Tensor:
        values = self.patches(images).permute(0, 2, 3, 1)
        values = values + self.narrow(functional.gelu(self.wide(values)))
        return self.head(functional.gelu(self.norm(values)).mean((1, 2)))
