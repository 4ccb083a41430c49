"""Reading the kernel's tables of mounts and control groups."""

from pathlib import Path

from tests.cluster import cgroups, mounts

MOUNTINFO = """\
22 27 0:21 / /proc rw,relatime - proc proc rw
27 1 254:0 / / rw,relatime shared:1 - ext4 /dev/vda rw
30 27 0:30 / /sys/fs/cgroup/memory rw - cgroup cgroup rw,memory
31 27 0:31 / /sys/fs/cgroup/unified rw - cgroup2 cgroup2 rw
40 27 0:4 net:[4026532] /run/feedbackloop/dev/net rw shared:2 - nsfs nsfs rw
41 27 0:40 / /var/pods/a rw - tmpfs tmpfs rw
42 41 0:41 / /var/pods/a/inner\\040one rw - tmpfs tmpfs rw
43 27 0:42 / /var/pods-of-another rw - tmpfs tmpfs rw
"""


def test_mounts_under_a_folder_come_innermost_first_and_unescaped() -> None:
    expected = [Path("/var/pods/a/inner one"), Path("/var/pods/a")]
    assert mounts.under(Path("/var/pods"), MOUNTINFO) == expected


def test_the_folder_itself_counts() -> None:
    assert mounts.under(Path("/var/pods-of-another"), MOUNTINFO) == [Path("/var/pods-of-another")]


def test_groups_are_made_in_every_tree() -> None:
    assert cgroups.hierarchies(MOUNTINFO) == [Path("/sys/fs/cgroup/memory"), Path("/sys/fs/cgroup/unified")]


def test_two_clusters_have_two_roots() -> None:
    assert cgroups.root("a") != cgroups.root("b")
