"""The resources as pydantic models, and the CRDs emitted from them.

A leaf: it imports pydantic and the standard library only, so that every plane (operator,
gateway, jobs, command line) can stand on it.
"""

GROUP = "feedbackloop.dev"
VERSION = "v1alpha1"
API_VERSION = f"{GROUP}/{VERSION}"
FINALIZER = f"{GROUP}/drain"
FIELD_MANAGER = "feedbackloop"
"""Our server-side apply manager: for children, for the adopted target and for status."""

LABEL_LOOP = f"{GROUP}/loop"
LABEL_ARM = f"{GROUP}/arm"
LABEL_RUN = f"{GROUP}/run"
LABEL_STAGE = f"{GROUP}/stage"
LABEL_REPLAY = f"{GROUP}/replay"
"""On the parts of a rollout's record: the UID of its run."""
ANNOTATION_SPEC_DIGEST = f"{GROUP}/spec-digest"
ANNOTATION_SPEC = f"{GROUP}/spec"
"""On the pod of a periodic Job: its spec.json."""
ANNOTATION_CONFIRM_SWEEP = f"{GROUP}/confirm-sweep"
"""On a loop: any new value confirms that a sweep may delete more than half of a class at once, and starts one."""
ANNOTATION_CUT = f"{GROUP}/cut"
"""On a run that the operator made: the JSON list of PodOffset that it shall pin."""
ANNOTATION_ACTION = f"{GROUP}/action"
"""On a run that a Retry made: the UID of its RolloutAction."""
