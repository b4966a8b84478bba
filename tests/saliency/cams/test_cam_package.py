"""The package `grad-cam` as a source of maps, and a clear word where it is missing."""

import importlib.util
import typing

import pytest
import torch

from xbench import Builder, MissingPackageError, Registry, generator
from xbench.testing import check_component, faults_of, sample, tiny_batch, tiny_network
from xbench_saliency.cams import cam
from xbench_saliency.cams.cam import Cam, Method
from xbench_saliency.cams.grad_cam import GradCam

HERE = importlib.util.find_spec(cam.PACKAGE) is not None
needs_package = pytest.mark.skipif(not HERE, reason="the extra 'cam' is not installed")
METHODS = typing.get_args(Method)


def explained(explainer, network=None):
    network = tiny_network() if network is None else network
    return explainer.explain(network, tiny_batch(), {}, generator(0), {})


@needs_package
@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("method", METHODS)
def test_every_method_keeps_the_contract_of_explainers(method):
    check_component(Cam(method))


@needs_package
@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("against", ["", "runner-up"])
def test_its_grad_cam_is_ours_at_the_image_s_size_from_0_to_1(against):
    from pytorch_grad_cam.utils.image import scale_cam_image

    ours = explained(GradCam(against=against))
    for one, other in zip(explained(Cam("GradCAM", against=against)), ours, strict=True):
        scaled = scale_cam_image(other.values[None].numpy(), (16, 16))
        scaled = scale_cam_image(scaled)[0]  # which is done before and after enlarging
        torch.testing.assert_close(one.values, torch.from_numpy(scaled), rtol=1e-4, atol=1e-4)
        assert (one.label, one.against) == (other.label, other.against)


@needs_package
@pytest.mark.filterwarnings("ignore")
def test_hooks_and_bars_of_progress_are_left_nowhere(capsys):
    network = tiny_network()
    hooks = [len(one._forward_hooks) for one in network.bottom.modules()]
    explained(Cam("ScoreCAM"), network)
    assert hooks == [len(one._forward_hooks) for one in network.bottom.modules()]
    assert capsys.readouterr().err == ""


def test_where_the_package_is_missing_it_says_how_to_get_it(monkeypatch):
    monkeypatch.setattr(cam.importlib.util, "find_spec", lambda name: None)
    with pytest.raises(MissingPackageError, match=r"pip install 'xbench-xai\[cam\]', or take grad"):
        Cam("GradCAM")
    registry = Registry(third_party=False)
    builder = Builder(registry, {})
    with pytest.raises(MissingPackageError):
        sample(builder, "explainer", "cam")
    (claim,) = (one for one in registry.claims() if one.name == "cam")
    assert list(faults_of(claim, builder)) == []  # which cannot be tried
