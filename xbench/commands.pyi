# What a plugin's command needs: options, the session they describe, printing, progress.

from xbench.api.given import given_explainer as given_explainer
from xbench.api.progress import progress as progress
from xbench.benchmark.assembly import assemble as assemble
from xbench.benchmark.declaration import adjust as adjust
from xbench.cli.options import CHOICE as CHOICE
from xbench.cli.options import OUTPUT as OUTPUT
from xbench.cli.options import WORK as WORK
from xbench.cli.options import Session as Session
from xbench.cli.options import parameter_tree as parameter_tree
from xbench.cli.options import session_options as session_options
from xbench.cli.output import print_json as print_json
from xbench.cli.output import print_lines as print_lines
from xbench.cli.output import print_table as print_table
from xbench.cli.run import score_given as score_given
from xbench.cli.standings import print_results as print_results
from xbench.components.specification import as_table as as_table
from xbench.components.specification import overlay as overlay
from xbench.components.specification import parsed as parsed
