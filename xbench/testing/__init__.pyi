# The public conformance suite, and tiny things to try components on.

from xbench.running.guard.block import guarded as guarded
from xbench.testing.conformance import CLASSES as CLASSES
from xbench.testing.conformance import TinyDataset as TinyDataset
from xbench.testing.conformance import check_component as check_component
from xbench.testing.conformance import faults_in as faults_in
from xbench.testing.conformance import faults_of as faults_of
from xbench.testing.conformance import sample as sample
from xbench.testing.conformance import tiny_batch as tiny_batch
from xbench.testing.conformance import tiny_images as tiny_images
from xbench.testing.conformance import tiny_network as tiny_network
from xbench.testing.workplace import tiny_bench as tiny_bench
from xbench.testing.workplace import tiny_workplace as tiny_workplace
