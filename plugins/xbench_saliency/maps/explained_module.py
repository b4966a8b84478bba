"""What is explained, as a module: for libraries that explain modules."""

from jaxtyping import Float
from torch import Tensor, nn

from xbench_saliency.maps.targets import Explained


class ExplainedModule(nn.Module):
    """A network's module that gives of each image the number that is explained."""

    def __init__(self, module: nn.Module, what: Explained) -> None:
        super().__init__()
        self.module, self.what = module, what
        self.training = module.training

    def forward(self, images: Float[Tensor, "n d h w"]) -> Float[Tensor, " n"]:
        """The logit of each image's class, or its difference to another one."""
        return self.what.values(self.module(images))
