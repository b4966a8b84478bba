# Other libraries' objects as components of ours, and ours in their shape.

from xbench.api.captum import CaptumShaped as CaptumShaped
from xbench.api.captum import as_attribution as as_attribution
from xbench.api.captum import as_explainer as as_explainer
from xbench.api.captum import captum_shaped as captum_shaped
from xbench.api.datasets import dataset_from as dataset_from
from xbench.api.modules import classifier_from as classifier_from
