"""Places: which location of the picture each number inside a network belongs to, by proof.

The network runs on an example. Beside each tensor goes one of the same shape that holds the
location of every number. What moves numbers moves their locations; what computes numbers keeps
the location that they have in common; what is not known to do either has none from then on.
"""

from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

import torch
from jaxtyping import Float
from torch import Tensor, fx
from torch.overrides import TorchFunctionMode
from torch.utils import _pytree as pytree
from torch.utils.weak import WeakTensorKeyDictionary

from xbench.networks.graphs import ShapeReader
from xbench.networks.locations import (
    Locations,
    agreed,
    alike,
    in_common,
    is_plane,
    of_grid,
)


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


_MOVES = _words(
    "permute transpose swapaxes swapdims movedim moveaxis reshape view flatten unflatten squeeze "
    "unsqueeze expand broadcast_to repeat tile contiguous clone chunk split tensor_split unbind "
    "select narrow getitem roll flip rot90 pixel_shuffle pixel_unshuffle channel_shuffle pad"
)
"""Operations that move the numbers of one tensor, and compute none."""
_JOINS = _words("cat concat concatenate stack")
_LIKE = _words("reshape_as view_as expand_as")
"""Operations that bring the numbers of one tensor into the form of another."""
_EACH = _words(
    "add sub subtract mul multiply truediv div true_divide neg pos abs pow exp sqrt rsqrt square "
    "relu relu6 leaky_relu prelu rrelu elu celu selu gelu silu mish sigmoid tanh hardtanh "
    "hardsigmoid hardswish softplus clamp clamp_min clamp_max maximum minimum lerp addcmul "
    "dropout dropout1d dropout2d dropout3d alpha_dropout feature_alpha_dropout "
    "softmax log_softmax normalize batch_norm group_norm instance_norm local_response_norm "
    "float double half bfloat16 to type type_as detach layer_norm rms_norm"
)
"""Operations whose every number comes of those at its own place, and of what all share."""
_ON_ROWS = _words("linear layer_norm rms_norm")
"""Operations on the last axis."""
_PRODUCTS = _words("matmul bmm mm")
_IN_PLANE = _words(
    "conv2d conv_transpose2d max_pool2d avg_pool2d lp_pool2d adaptive_max_pool2d "
    "adaptive_avg_pool2d interpolate upsample pad"
)
"""Operations that make maps of maps (n, d, h, w)."""
_FORMS = _words(
    "new_zeros new_ones new_full new_empty new_tensor zeros_like ones_like full_like empty_like"
)
"""Operations that ask for a tensor's form alone."""
Arguments = tuple[Any, ...]


class Places(TorchFunctionMode):
    """While it is entered, each tensor that is made of the image gets its numbers' locations."""

    def __init__(self, image: Tensor) -> None:
        super().__init__()
        self._known: Any = WeakTensorKeyDictionary()
        """Of all tensors that are made of the image: locations, or None where not known."""
        self._known[image] = of_grid(*image.shape[2:]).expand(image.shape)

    def of(self, value: object) -> Locations | None:
        """The locations of a tensor's numbers; None where it has none that are known."""
        return self._known.get(value) if isinstance(value, Tensor) else None

    def __torch_function__(
        self, func: Any, types: Any, args: Arguments = (), kwargs: Mapping[str, Any] | None = None
    ) -> Any:
        """What the operation makes, as ever."""
        kwargs = kwargs or {}
        made = func(*args, **kwargs)
        name = getattr(func, "__name__", "").partition(".")[0].strip("_")
        given = [one for one in pytree.tree_leaves((args, kwargs)) if isinstance(one, Tensor)]
        if name == "setitem":
            self._known[args[0]] = None
        elif name not in _FORMS and any(one in self._known for one in given):
            self._note(made, self._placed(_Call(name, func, args, kwargs, given), made))
        return made

    def _note(self, made: Any, places: Any) -> None:
        """Keep the locations of a tensor, or of each of several."""
        parts = made if isinstance(made, (tuple, list)) else [made]
        own = places if isinstance(places, (tuple, list)) else [places] * len(parts)
        for part, where in zip(parts, own, strict=False):
            if isinstance(part, Tensor):
                right = isinstance(where, Tensor) and where.shape == part.shape
                self._known[part] = where if right else None

    def _placed(self, call: "_Call", made: Any) -> Any:
        """The locations of what a call makes; None where its operation is not known."""
        try:
            if call.name in _MOVES and not call.fills:
                return self._moved(call, one=True)
            if call.name in _JOINS:
                return self._moved(call, one=False)
            return self._computed(call, made) if isinstance(made, Tensor) else None
        except (RuntimeError, TypeError, ValueError, IndexError):  # no such thing for locations
            return None

    def _computed(self, call: "_Call", made: Tensor) -> Locations | None:
        places = self.of(call.given[0])
        if call.name in _LIKE:
            return None if places is None else places.reshape(made.shape)
        if call.name in _IN_PLANE:
            return _in_plane(call, places, made)
        if call.name in _ON_ROWS and call.axes == 1:
            return _of_rows(places, made, in_common)
        if call.name == "scaled_dot_product_attention":
            return _of_rows(places, made, alike)
        if call.name in _PRODUCTS:
            return self._multiplied(call, made)
        return self._at_same_place(call, made) if call.name in _EACH else None

    def _moved(self, call: "_Call", *, one: bool) -> Any:
        """The operation done to locations, of one tensor or of several."""
        own = [tensor for tensor in call.given if tensor in self._known]
        if any(self._known[tensor] is None for tensor in own) or (one and len(own) > 1):
            return None
        args, kwargs = pytree.tree_map_only(Tensor, self._or_nowhere, (call.args, call.kwargs))
        return call.func(*args, **kwargs)

    def _or_nowhere(self, tensor: Tensor) -> Tensor:
        """Its locations; none for numbers that are not of the image; an index as it is."""
        if tensor in self._known or not tensor.is_floating_point():
            return self._known.get(tensor, tensor)
        return torch.zeros((), dtype=torch.int64).expand(tensor.shape)

    def _multiplied(self, call: "_Call", made: Tensor) -> Locations | None:
        """Each row is made for a row of the first factor, or each column for one of the second."""
        first, second = call.given
        if any(one in self._known and self.of(one) is None for one in (first, second)):
            return None
        rows = alike(self._or_nowhere(first), -1)
        if bool(rows.any()):
            return rows[..., None].expand(made.shape)
        return alike(self._or_nowhere(second), -2)[..., None, :].expand(made.shape)

    def _at_same_place(self, call: "_Call", made: Tensor) -> Locations | None:
        """Where those of the given tensors that have its form agree that its numbers belong."""
        places = None
        for tensor in call.given:
            own = self.of(tensor)
            if own is not None and own.shape == made.shape:
                places = own if places is None else agreed(places, own)
        return places


class _Call(NamedTuple):
    """An operation and what it is given."""

    name: str
    func: Callable[..., Any]
    args: Arguments
    kwargs: Mapping[str, Any]
    given: list[Tensor]
    """All tensors among the arguments."""

    @property
    def axes(self) -> int:
        """On how many of the last axes a layer computes."""
        shape = self.kwargs.get("normalized_shape", (*self.args, None)[1])
        return 1 if self.name == "linear" else len(shape)

    @property
    def fills(self) -> bool:
        """Whether it puts something else than zeros around the numbers."""
        if self.name != "pad":
            return False
        given = dict(zip(("mode", "value"), self.args[2:], strict=False)) | dict(self.kwargs)
        return given.get("mode", "constant") != "constant" or bool(given.get("value"))

    def is_of_pixels(self, made: Tensor) -> bool:
        """Whether it is a convolution of single pixels."""
        same = self.given[0].shape[2:] == made.shape[2:]
        return self.name == "conv2d" and same and tuple(self.given[1].shape[2:]) == (1, 1)


def _of_rows(
    places: Locations | None, made: Tensor, shared: Callable[[Tensor, int], Tensor]
) -> Locations | None:
    return None if places is None else shared(places, -1)[..., None].expand(made.shape)


def _in_plane(call: _Call, places: Locations | None, made: Tensor) -> Locations | None:
    """A convolution of single pixels leaves them where they are; others make maps of maps."""
    if made.dim() != 4:
        return None
    if places is not None:
        own = in_common(places, 1)
        if call.is_of_pixels(made):
            return own[:, None].expand(made.shape)
        if len(made) > 1 or not is_plane(own[0]):
            return torch.zeros((), dtype=torch.int64).expand(made.shape)
    # of what is not known: a convolution is defined on maps
    return of_grid(*made.shape[2:]).expand(made.shape) if len(made) == 1 else None


class PlaceReader(ShapeReader):
    """Runs a traced network and reads where the numbers of some of its values belong."""

    def __init__(
        self, traced: fx.GraphModule, wanted: set[fx.Node], read: Callable[[Locations], Any]
    ) -> None:
        super().__init__(traced)
        self.noted: dict[fx.Node, Any] = {}
        """What `read` makes of the locations, of those that are wanted and known."""
        self._wanted, self._read = wanted, read

    def read(self, image: Float[Tensor, "1 3 h w"]) -> dict[fx.Node, Any]:
        """Run the network on the image; what was noted."""
        with torch.no_grad(), Places(image) as self._places:
            self.run(image)
        return self.noted

    def run_node(self, n: fx.Node) -> Any:
        """The value, as ever."""
        value = super().run_node(n)
        places = self._places.of(value)
        if n in self._wanted and places is not None:
            self.noted[n] = self._read(places)
        return value
