"""What can go wrong, as one tree.

ClusterError
 ├─ CommandError        a tool we ran exited with an error; carries its output
 ├─ MissingToolError    a tool is missing and we cannot install it
 ├─ NotRunningError     the named cluster does not run
 ├─ ComponentDiedError  a component ended while we waited for it; carries the tail of its log
 └─ WaitError           a condition did not come true in time; carries the tail of the logs that tell why
"""


class ClusterError(Exception):
    """An error whose message is for a person: the command line prints it without a traceback."""


class CommandError(ClusterError):
    """A tool we ran exited with an error."""


class MissingToolError(ClusterError):
    """A tool is missing and we cannot install it."""


class NotRunningError(ClusterError):
    """The named cluster does not run."""


class ComponentDiedError(ClusterError):
    """A component ended while we waited for it."""


class WaitError(ClusterError):
    """A condition did not come true in time."""
