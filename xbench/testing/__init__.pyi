# The public conformance suite, and tiny things to try components on.

from xbench.running.guard.block import guarded as guarded
from xbench.testing.conformance.rules import Fault as Fault
from xbench.testing.conformance.samples import sample as sample
from xbench.testing.conformance.suite import check_component as check_component
from xbench.testing.conformance.suite import faults_in as faults_in
from xbench.testing.conformance.suite import faults_of as faults_of
from xbench.testing.tiny import CLASSES as CLASSES
from xbench.testing.tiny import TinyClassifier as TinyClassifier
from xbench.testing.tiny import TinyDataset as TinyDataset
from xbench.testing.tiny import TinyLoss as TinyLoss
from xbench.testing.tiny import tiny_batch as tiny_batch
from xbench.testing.tiny import tiny_images as tiny_images
from xbench.testing.tiny import tiny_network as tiny_network
from xbench.testing.workplace import tiny_bench as tiny_bench
from xbench.testing.workplace import tiny_workplace as tiny_workplace
