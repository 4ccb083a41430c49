"""What all resources share: the base model, bounded types and CEL rules.

Kubernetes' API conventions set the limits here: no floats (quantities are decimal strings),
durations are integers with their unit in the name, every string and list is bounded so that
the API server can price the CEL rules.
"""

from __future__ import annotations

from typing import Annotated, Any, ClassVar, NamedTuple

from pydantic import BaseModel, ConfigDict, Field
from pydantic.alias_generators import to_camel


class Rule(NamedTuple):
    """One `x-kubernetes-validations` entry; the message names the field and the fix."""

    rule: str
    message: str


class KubeModel(BaseModel):
    """A frozen object of the API, camelCase on the wire, that refuses unknown fields."""

    model_config = ConfigDict(
        alias_generator=to_camel,
        populate_by_name=True,
        extra="forbid",
        frozen=True,
        hide_input_in_errors=True,
        use_attribute_docstrings=True,
    )
    rules: ClassVar[tuple[Rule, ...]] = ()

    def to_wire(self) -> dict[str, Any]:
        """The object as it goes over the wire: camelCase, unset optionals absent."""
        return self.model_dump(by_alias=True, exclude_none=True, mode="json")


class StatusModel(KubeModel):
    """A status object: it also accepts fields of a newer operator, so that a downgrade can read it."""

    model_config = ConfigDict(extra="ignore")


Name = Annotated[str, Field(min_length=1, max_length=63, pattern=r"^[a-z0-9]([-a-z0-9]*[a-z0-9])?$")]
"""A DNS label: the name of an object, a port, a container or a list item."""

LoopName = Annotated[str, Field(min_length=1, max_length=35, pattern=r"^[a-z0-9]([-a-z0-9]*[a-z0-9])?$")]
SecretName = Annotated[str, Field(min_length=1, max_length=253, pattern=r"^[a-z0-9]([-a-z0-9.]*[a-z0-9])?$")]
BucketName = Annotated[str, Field(min_length=3, max_length=63, pattern=r"^[a-z0-9][a-z0-9.-]*[a-z0-9]$")]
Prefix = Annotated[str, Field(max_length=200, pattern=r"^([A-Za-z0-9._-]+/)*$")]
ObjectName = Annotated[str, Field(min_length=1, max_length=200, pattern=r"^[A-Za-z0-9._/-]+$")]
Digest = Annotated[str, Field(min_length=71, max_length=71, pattern=r"^sha256:[0-9a-f]{64}$")]
S3Uri = Annotated[str, Field(min_length=6, max_length=500, pattern=r"^s3://[a-z0-9][a-z0-9.-]+/[A-Za-z0-9._/-]*/$")]
HeaderName = Annotated[str, Field(min_length=1, max_length=64, pattern=r"^[A-Za-z0-9-]+$")]
AbsolutePath = Annotated[str, Field(min_length=2, max_length=200, pattern=r"^/[A-Za-z0-9._/-]+$")]
Decimal = Annotated[str, Field(min_length=1, max_length=20, pattern=r"^[0-9]+(\.[0-9]+)?(e-?[0-9]+)?$")]
Fraction = Annotated[str, Field(min_length=1, max_length=12, pattern=r"^(0(\.[0-9]+)?|1(\.0+)?)$")]
Probability = Annotated[str, Field(min_length=3, max_length=12, pattern=r"^0\.[0-9]*[1-9][0-9]*$")]
Text = Annotated[str, Field(max_length=1024)]
Time = Annotated[str, Field(max_length=40, json_schema_extra={"format": "date-time"})]
Count = Annotated[int, Field(ge=0, json_schema_extra={"format": "int64"})]


def list_map(*keys: str) -> dict[str, Any]:
    """Extra schema of a list keyed by `keys`, so that several appliers can own single items."""
    return {"x-kubernetes-list-type": "map", "x-kubernetes-list-map-keys": list(keys)}


ATOMIC: dict[str, Any] = {"x-kubernetes-list-type": "atomic"}
