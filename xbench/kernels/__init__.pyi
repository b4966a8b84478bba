# Pure numeric functions that plugins may use.

from xbench.kernels.augmentation import crop_boxes as crop_boxes
from xbench.kernels.augmentation import resized_crops as resized_crops
from xbench.kernels.augmentation import shifted as shifted
from xbench.kernels.bootstrap import PairTotals as PairTotals
from xbench.kernels.bootstrap import Totals as Totals
from xbench.kernels.bootstrap import bootstrap_means as bootstrap_means
from xbench.kernels.bootstrap import cluster_totals as cluster_totals
from xbench.kernels.bootstrap import pair_totals as pair_totals
from xbench.kernels.bootstrap import percentile_interval as percentile_interval
from xbench.kernels.bootstrap import pigeonhole_means as pigeonhole_means
from xbench.kernels.bootstrap import resample_counts as resample_counts
from xbench.kernels.ensembles import pooled_logits as pooled_logits
from xbench.kernels.letters import compact_letters as compact_letters
from xbench.kernels.maps import on_grid as on_grid
from xbench.kernels.maps import resized_maps as resized_maps
from xbench.kernels.names import Places as Places
from xbench.kernels.names import name_places as name_places
from xbench.kernels.paired import PairedTests as PairedTests
from xbench.kernels.paired import detectable_difference as detectable_difference
from xbench.kernels.paired import holm as holm
from xbench.kernels.paired import paired_tests as paired_tests
from xbench.kernels.ranks import RankIntervals as RankIntervals
from xbench.kernels.ranks import RankRule as RankRule
from xbench.kernels.ranks import rank_intervals as rank_intervals
