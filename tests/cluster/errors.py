"""What can go wrong, as one tree.

ClusterError
 ├─ CommandFailed   a tool we ran exited with an error; carries its output
 ├─ NotInstalled    a tool is missing and we cannot install it
 ├─ NotRunning      the named cluster does not run
 ├─ ComponentDied   a component ended while we waited for it; carries the tail of its log
 └─ TimedOut        a condition did not come true in time; carries the tail of the logs that tell why
"""


class ClusterError(Exception):
    """An error whose message is for a person: the command line prints it without a traceback."""


class CommandFailed(ClusterError):
    """A tool we ran exited with an error."""


class NotInstalled(ClusterError):
    """A tool is missing and we cannot install it."""


class NotRunning(ClusterError):
    """The named cluster does not run."""


class ComponentDied(ClusterError):
    """A component ended while we waited for it."""


class TimedOut(ClusterError):
    """A condition did not come true in time."""
