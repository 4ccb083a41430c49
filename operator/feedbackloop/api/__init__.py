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
ANNOTATION_SPEC_DIGEST = f"{GROUP}/spec-digest"
ANNOTATION_CUT = f"{GROUP}/cut"
"""On a run that the operator made: the JSON list of PodOffset that it shall pin."""
